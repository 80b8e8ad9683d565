package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// op builders for tests of the engine below a DB.
func set(k, v string) datastore.Op {
	return datastore.Op{Kind: datastore.OpSet, Key: []byte(k), Value: []byte(v)}
}

func setBlock(k string, v []byte) datastore.Op {
	return datastore.Op{Kind: datastore.OpSetBlock, Key: []byte(k), Value: v, Sum: datastore.Checksum([]byte(k), v)}
}

func deleteBlocks(lo, hi string) datastore.Op {
	return datastore.Op{Kind: datastore.OpDeleteBlocks, Key: []byte(lo), End: []byte(hi)}
}

func deleteRange(lo, hi string) datastore.Op {
	return datastore.Op{Kind: datastore.OpDeleteRange, Key: []byte(lo), End: []byte(hi)}
}

func mustCommit(t testing.TB, e *Engine, durable bool, ops ...datastore.Op) {
	t.Helper()
	if err := e.Commit(&datastore.Batch{Ops: ops}, durable); err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t testing.TB, dir string, o Options) *Engine {
	t.Helper()
	e, err := OpenEngine(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustClose(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustView(t testing.TB, e *Engine) datastore.BlockReader {
	t.Helper()
	r, err := e.BlockReader()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func wantBlock(t testing.TB, r datastore.BlockReader, k string, v []byte) {
	t.Helper()
	got, err := r.Block([]byte(k))
	if v == nil {
		if !errors.Is(err, datastore.ErrNotFound) {
			t.Fatalf("block %s: %d bytes, %v; want ErrNotFound", k, len(got), err)
		}
		return
	}
	if err != nil || !bytes.Equal(got, v) {
		t.Fatalf("block %s: %d bytes, %v; want %d bytes", k, len(got), err, len(v))
	}
}

func TestEngineRoundTrip(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	big, small := bytes.Repeat([]byte("x"), 1000), []byte("small")
	mustCommit(t, e, true, set("/r/a", "1"), setBlock("/b/1", big), setBlock("/b/2", small), setBlock("/b/3", nil))
	for round := range 3 {
		r, err := e.BlockReader()
		if err != nil {
			t.Fatal(err)
		}
		if v, err := r.Get([]byte("/r/a")); err != nil || string(v) != "1" {
			t.Fatalf("round %d: record: %q, %v", round, v, err)
		}
		wantBlock(t, r, "/b/1", big)
		wantBlock(t, r, "/b/2", small)
		wantBlock(t, r, "/b/3", []byte{})
		wantBlock(t, r, "/b/4", nil)
		n := 0
		for rec, err := range r.Blocks([]byte("/b/"), []byte("/b0")) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			_ = rec
		}
		if n != 3 {
			t.Fatalf("round %d: %d blocks", round, n)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		mustClose(t, e)
		e = mustOpen(t, dir, Options{})
	}
	mustClose(t, e)
}

func TestEngineReplay(t *testing.T) {
	fs := vfs.NewCrashableMem()
	e := mustOpen(t, "/store", Options{FS: fs})
	for i := range 20 {
		mustCommit(t, e, i%5 == 4, set("/r/n", fmt.Sprint(i)), setBlock(fmt.Sprintf("/b/%03d", i), bytes.Repeat([]byte{byte(i)}, 700)))
	}
	clone := fs.CrashClone(vfs.CrashCloneCfg{})
	mustClose(t, e)
	e = mustOpen(t, "/store", Options{FS: clone})
	r := mustView(t, e)
	if v, err := r.Get([]byte("/r/n")); err != nil || string(v) != "19" {
		t.Fatalf("%q, %v", v, err)
	}
	wantBlock(t, r, "/b/019", bytes.Repeat([]byte{19}, 700))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, e)
}
