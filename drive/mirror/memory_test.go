//go:build unix

package mirror

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"
)

// TestMemory takes a large file into a drive on disk and writes it out again: less than 150 MiB of memory are in use at any time. It
// has 192 MiB, or as many as HYPERNODE_MIRROR_MIB says; 1024 is the size that counts.
func TestMemory(t *testing.T) {
	const most = 150 << 20
	size := int64(192 << 20)
	if testing.Short() {
		size = 160 << 20
	}
	if n, err := strconv.ParseInt(os.Getenv("HYPERNODE_MIRROR_MIB"), 10, 32); err == nil && n > 0 {
		size = n << 20
	}
	base := t.TempDir()
	in, out := filepath.Join(base, "in"), filepath.Join(base, "out")
	fillLarge(t, in, size)
	s := openStored(t, filepath.Join(base, "store"))
	defer s.close()
	for _, c := range []struct {
		name     string
		from, to Tree
	}{{"import", Dir(in), Drive(s.Drive)}, {"export", Drive(s.Drive), Dir(out)}} {
		debug.FreeOSMemory()
		stop := watchMemory()
		syncTrees(t, c.from, c.to, Options{})
		peak := stop()
		t.Logf("%s of %d MiB: %d MiB in use at most", c.name, size>>20, peak>>20)
		if peak == 0 || peak > most {
			t.Errorf("%s of %d MiB: %d MiB in use", c.name, size>>20, peak>>20)
		}
	}
	if a, b := sumOfFile(t, filepath.Join(in, "large.bin")), sumOfFile(t, filepath.Join(out, "large.bin")); !bytes.Equal(a, b) {
		t.Error("other bytes came out")
	}
}

func sumOfFile(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	must(t, err)
	return h.Sum(nil)
}
