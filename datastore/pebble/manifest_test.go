package pebble

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestManifestRot flips each bit of the checksum and the length of entries in Pebble's list of files, which makes an entry look
// torn, in a store that was killed when Pebble had just got what still is in the journal. What opens is at some commit, and with
// one of the first two entries damaged the store is refused, and nothing is removed.
func TestManifestRot(t *testing.T) {
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWorkload(seed, maphash.MakeSeed())
	mem := vfs.NewCrashableMem()
	for range 2 { // the list of a store that is opened again begins with all files that are there
		e := mustOpen(t, "/store", tiny(mem, cache))
		if err := e.Secrets().Store("seed", []byte("secret")); err != nil {
			t.Fatal(err)
		}
		if err := w.run(e, 60); err != nil {
			t.Fatal(err)
		}
		mustClose(t, e)
	}
	e := mustOpen(t, "/store", quiet(mem, cache))
	if err := w.run(e, 5); err != nil {
		t.Fatal(err)
	}
	if err := e.flush(); err != nil {
		t.Fatal(err)
	}
	mem = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: w.rand})
	mustClose(t, e)

	desc, err := pebble.Peek("/store/records", mem)
	if err != nil {
		t.Fatal(err)
	}
	whole := readFile(t, mem, desc.ManifestFilename)
	heads := entryHeads(t, whole)
	found := 0
	for i, head := range heads {
		if i > 3 && i < len(heads)-2 {
			continue
		}
		for bit := range 6 * 8 { // the kind behind them is beneath the checksum
			fs := mem.CrashClone(vfs.CrashCloneCfg{})
			flipped := slices.Clone(whole)
			flipped[head+bit/8] ^= 1 << (bit % 8)
			writeFile(t, fs, desc.ManifestFilename, flipped)
			before := allFiles(t, fs, "/store/records")
			damaged, err := w.rotten(fs, cache, 0)
			if err != nil {
				t.Fatalf("entry %d of %d, bit %d: %v", i, len(heads), bit, err)
			}
			after := allFiles(t, fs, "/store/records")
			if damaged {
				found++
			}
			if i < 2 && (!damaged || !slices.Equal(before, after)) {
				t.Fatalf("entry %d of %d, bit %d: found %v; %d files before, %d after", i, len(heads), bit, damaged, len(before), len(after))
			}
		}
	}
	t.Logf("%d entries, %d of the flips found", len(heads), found)
}

// TestManifestTorn cuts the end of the last entry off, as a power loss may: the store goes on.
func TestManifestTorn(t *testing.T) {
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	mem := vfs.NewCrashableMem()
	e := mustOpen(t, "/store", tiny(mem, cache))
	for i := range 200 {
		mustCommit(t, e, true, setBlock(fmt.Sprintf("/b/%05d", i), make([]byte, 500)))
	}
	mustClose(t, e)
	e = mustOpen(t, "/store", quiet(mem, cache))
	mustCommit(t, e, true, setBlock("/b/last", []byte("last")))
	fs := mem.CrashClone(vfs.CrashCloneCfg{})
	mustClose(t, e)
	desc, err := pebble.Peek("/store/records", fs)
	if err != nil {
		t.Fatal(err)
	}
	list := readFile(t, fs, desc.ManifestFilename)
	writeFile(t, fs, desc.ManifestFilename, append(list, 1, 2, 3, 4, 20, 0, 1, 5, 6)) // an entry of 20 bytes of which 2 arrived
	e = mustOpen(t, "/store", quiet(fs, cache))
	t.Cleanup(func() { mustClose(t, e) })
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	wantBlock(t, mustView(t, e), "/b/last", []byte("last"))
	mustCommit(t, e, true, setBlock("/b/more", []byte("more")))
}

// entryHeads finds the entries of a list that is shorter than a block of 32 KiB: 4 bytes of checksum, 2 of length, 1 of kind.
func entryHeads(t *testing.T, list []byte) (heads []int) {
	t.Helper()
	for at := 0; at < len(list); {
		heads = append(heads, at)
		at += 7 + int(binary.LittleEndian.Uint16(list[at+4:]))
	}
	if len(list) > 32<<10 || len(heads) < 2 {
		t.Fatalf("a list of %d bytes and %d entries", len(list), len(heads))
	}
	return heads
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, fs vfs.FS, name string, data []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
}
