package pebble

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// rotClass tells what kind of file a name is of, for the statistics.
func rotClass(name string) string {
	for _, c := range []string{"journal", "segments", "secrets", ".sst", "MANIFEST", "OPTIONS", "marker", formatFile} {
		if strings.Contains(name, c) {
			return c
		}
	}
	return "other"
}

func allFiles(t testing.TB, fs vfs.FS, dir string) (names []string) {
	t.Helper()
	list, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	for _, n := range list {
		path := fs.PathJoin(dir, n)
		info, err := fs.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			names = append(names, allFiles(t, fs, path)...)
		} else if info.Size() > 0 {
			names = append(names, path)
		}
	}
	return names
}

// flip changes one bit of a file.
func flip(t testing.TB, fs vfs.FS, name string, r *rand.Rand) string {
	t.Helper()
	f, err := fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	off, b := r.Int64N(info.Size()), make([]byte, 1)
	if _, err := f.ReadAt(b, off); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	b[0] ^= 1 << r.IntN(8)
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s at %d", name, off)
}

// rotten reads a damaged store: what it shows must be the state after some commit, but for keys with an error.
func (w *workload) rotten(fs vfs.FS, cache *pebble.Cache, least int) (found bool, err error) {
	e, err := OpenEngine("/store", quiet(fs, cache))
	if err != nil {
		if errors.Is(err, datastore.ErrCorrupt) || errors.Is(err, datastore.ErrFormat) {
			return true, nil
		}
		return true, fmt.Errorf("an error of another kind: %w", err)
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if damage := e.Err(); damage != nil {
		if !errors.Is(damage, datastore.ErrCorrupt) {
			return true, fmt.Errorf("an error of another kind: %w", damage)
		}
		return true, nil
	}
	if secret, err := e.Secrets().Load("seed"); err == nil && string(secret) != "secret" {
		return false, errors.New("a wrong secret")
	} else if err != nil {
		return true, onlyCorrupt(err)
	}
	sum, n, err := state(e, w.seed)
	if err != nil {
		return true, onlyCorrupt(err)
	}
	if n < least || n >= len(w.digests) || sum != w.digests[n] {
		return false, fmt.Errorf("wrong values: it is at commit %d of %d", n, len(w.digests)-1)
	}
	return n < len(w.digests)-1, nil
}

func onlyCorrupt(err error) error {
	if errors.Is(err, datastore.ErrCorrupt) {
		return nil
	}
	return fmt.Errorf("an error of another kind: %w", err)
}

// TestBitRot flips bits in the files of closed and of killed stores. Never is a wrong value read, never is it silent
// about what a closed store had.
func TestBitRot(t *testing.T) {
	flips := 500
	if raceEnabled {
		flips = 100
	}
	if s := os.Getenv("HYPERNODE_ROT_FLIPS"); s != "" {
		var err error
		if flips, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	found, all := map[string]int{}, map[string]int{}
	for i := 0; i < flips; i += 50 {
		w := newWorkload(seed+uint64(i), maphash.MakeSeed())
		mem := vfs.NewCrashableMem()
		e := mustOpen(t, "/store", tiny(mem, cache))
		if err := e.Secrets().Store("seed", []byte("secret")); err != nil {
			t.Fatal(err)
		}
		if err := w.run(e, 60); err != nil {
			t.Fatal(err)
		}
		closed := i%100 == 0
		if !closed {
			mem = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: w.rand})
		}
		mustClose(t, e)
		for range min(50, flips-i) {
			fs := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: w.rand})
			names := allFiles(t, fs, "/store")
			classes := map[string][]string{}
			for _, n := range names {
				classes[rotClass(n)] = append(classes[rotClass(n)], n)
			}
			keys := make([]string, 0, len(classes))
			for k := range classes {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			class := keys[w.rand.IntN(len(keys))]
			what := flip(t, fs, classes[class][w.rand.IntN(len(classes[class]))], w.rand)
			least := 0
			if closed {
				least = len(w.digests) - 1
			}
			hit, err := w.rotten(fs, cache, least)
			if err != nil {
				t.Fatalf("seed %d, closed %v, flipped a bit of %s: %v", seed, closed, what, err)
			}
			all[class]++
			if hit {
				found[class]++
			}
		}
	}
	t.Logf("flips %v, noticed %v", all, found)
}
