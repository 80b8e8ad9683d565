package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// plant makes a folder of files: small ones, an empty one, and one of many blocks.
func plant(t *testing.T, seed byte) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.NewChaCha8([32]byte{seed})
	for i := range 100 {
		sow(t, r, filepath.Join(dir, fmt.Sprintf("folder %d", i%7), fmt.Sprintf("%c", 'a'+i%3), fmt.Sprint(i)), i*41)
	}
	sow(t, r, filepath.Join(dir, "large.bin"), 2_500_000)
	return dir
}

// sow writes a file of random bytes.
func sow(t *testing.T, r *rand.ChaCha8, file string, size int) {
	t.Helper()
	data := make([]byte, size)
	r.Read(data)
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// change changes, adds and removes files of a planted folder.
func change(t *testing.T, dir string) {
	t.Helper()
	r := rand.NewChaCha8([32]byte{200})
	sow(t, r, filepath.Join(dir, "folder 1", "b", "1"), 70_000)
	sow(t, r, filepath.Join(dir, "added", "new"), 3000)
	if err := os.Remove(filepath.Join(dir, "folder 2", "c", "2")); err != nil {
		t.Fatal(err)
	}
}

// sameTrees waits until "diff -r" finds no difference.
func sameTrees(t *testing.T, ctx context.Context, a, b string) {
	t.Helper()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		out, err := exec.CommandContext(ctx, "diff", "-r", a, b).CombinedOutput()
		if err == nil {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the folders differ: %s", out)
		}
	}
}
