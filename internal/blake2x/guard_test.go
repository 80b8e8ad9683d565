//go:build linux || darwin

package blake2x

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// guarded returns n bytes, at least and in whole pages, with a page on each side that must not be touched.
func guarded(t *testing.T, n int) []byte {
	t.Helper()
	page := os.Getpagesize()
	n = (n + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, n+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	for _, guard := range [][]byte{m[:page], m[page+n:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatalf("mprotect: %v", err)
		}
	}
	return m[page : page+n : page+n]
}

// TestReadsWithinData lets data end, and begin, where the memory does: one byte read outside it kills the test.
func TestReadsWithinData(t *testing.T) {
	b := guarded(t, 8<<10)
	copy(b, random(source(t), len(b)))
	for _, head := range []int{0, 9} {
		var mixed []Message
		for n := range 600 {
			end := Message{Head: b[:head], Data: b[len(b)-n:]}
			start := Message{Head: b[:head], Data: b[:n]}
			mixed = append(mixed, end, start)
			if n%7 == 0 {
				checkAll(t, []Message{end, end, end, end, end, end, end, end})
			}
			checkAll(t, []Message{end, start, end}) // idle lanes
		}
		mixed = append(mixed, Message{Head: b[:head], Data: b})
		checkAll(t, mixed)
	}
}
