package resident

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestShrink gives back what the program has touched: less of its file is mapped then, and it goes on.
func TestShrink(t *testing.T) {
	before := mapped(t)
	Shrink()
	if after := mapped(t); after >= before {
		t.Errorf("%d KiB of files are mapped, %d before", after, before)
	}
	Shrink()
	clean := 0
	for _, m := range program() {
		if m.clean && m.end > m.start {
			clean++
		}
		if m.clean && m.end-m.start > piece {
			t.Errorf("%d KiB of the program are mapped in one piece", (m.end-m.start)>>10)
		}
	}
	if clean == 0 {
		t.Error("the program's own file was not found")
	}
}

func TestParseMapping(t *testing.T) {
	m, mode, path, ok := parseMapping("00400000-00402000 r-xp 00001000 fe:00 1234   /usr/bin/a program")
	if !ok || m.start != 0x400000 || m.end != 0x402000 || mode != "r-xp" || path != "/usr/bin/a program" {
		t.Errorf("%+v %q %q %v", m, mode, path, ok)
	}
	for _, line := range []string{"", "Rss:  4 kB", "Anonymous:   0 kB", "VmFlags: rd ex mr mw me sd"} {
		if _, _, _, ok := parseMapping(line); ok {
			t.Errorf("%q is no mapping", line)
		}
	}
}

// mapped is how many KiB of files are resident.
func mapped(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
