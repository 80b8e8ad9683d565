package netlab

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tree makes a folder to share: in a long run the sources of the Go toolchain, else some files of all sizes.
func tree(t testing.TB) string {
	t.Helper()
	if !long() {
		return files(t, 60, 40<<10)
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	must(t, err)
	return filepath.Join(string(out[:len(out)-1]), "src")
}

// files makes a folder of n files of up to so many bytes in a few folders, which all differ.
func files(t testing.TB, n, size int) string {
	t.Helper()
	dir := t.TempDir()
	rng := random(t.Name())
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("folder %d/%d", i%7, i%3), fmt.Sprintf("file-%d.bin", i))
		must(t, os.MkdirAll(filepath.Dir(name), 0o755))
		must(t, os.WriteFile(name, content(rng, size*(i%5)/4+i), 0o644))
	}
	return dir
}

// bulk makes a folder with files of a MiB each.
func bulk(t testing.TB, mib int) string {
	t.Helper()
	dir := t.TempDir()
	rng := random(t.Name())
	for i := range mib {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.bin", i)), content(rng, 1<<20), 0o644))
	}
	return dir
}

// random is a generator whose output depends on a name alone.
func random(name string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(name))) }

func content(rng *rand.ChaCha8, n int) []byte {
	b := make([]byte, n)
	rng.Read(b)
	return b
}

// between returns a number from low to high, chosen by a generator.
func between(rng *rand.ChaCha8, low, high int64) int64 {
	var b [8]byte
	rng.Read(b[:])
	return low + int64(binary.LittleEndian.Uint64(b[:])>>1)%(high-low)
}

// same fails the test unless two folders are equal.
func same(t testing.TB, a, b string) {
	t.Helper()
	// A tree of sources has links, which are fetched only on demand.
	if out, err := exec.Command("diff", "-r", "--no-dereference", a, b).CombinedOutput(); err != nil {
		t.Fatalf("%s and %s differ: %v\n%.2000s", a, b, err, out)
	}
}
