package pebble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

func used(t testing.TB, dir string) uint64 {
	t.Helper()
	e := &Engine{fs: vfs.Default}
	n, err := e.used(dir)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fill appends n random blocks of size bytes under a group.
func fill(t testing.TB, e *Engine, group byte, n, size int) {
	t.Helper()
	src := rand.NewChaCha8([32]byte{group})
	block := make([]byte, size)
	b := &datastore.Batch{}
	for i := range n {
		_, _ = src.Read(block)
		k := datastore.Group(group).Item().Uint(uint64(i))
		v := append([]byte(nil), block...)
		b.Ops = append(b.Ops, datastore.Op{Kind: datastore.OpSetBlock, Key: k, Value: v, Sum: datastore.Checksum(k, v)},
			datastore.Op{Kind: datastore.OpSet, Key: k, Value: v[:min(size, 40)]})
		if len(b.Ops) >= 1024 || len(b.Ops)*size >= 8<<20 || i == n-1 {
			if err := e.Commit(b, false); err != nil {
				t.Fatal(err)
			}
			b.Ops = b.Ops[:0]
		}
	}
}

// dropGroup removes all records and blocks of a group.
func dropGroup(t testing.TB, e *Engine, group byte) {
	t.Helper()
	lo := datastore.Group(group).Item()
	mustCommit(t, e, false, deleteBlocks(string(lo), string(lo.End())), deleteRange(string(lo), string(lo.End())))
}

// TestDeleteGivesSpaceBack measures the disk before and after. HYPERNODE_LARGE makes it a gigabyte.
func TestDeleteGivesSpaceBack(t *testing.T) {
	total := 96 << 20
	if os.Getenv("HYPERNODE_LARGE") != "" {
		total = 1 << 30
	}
	for _, size := range []int{1 << 10, 64 << 10} {
		t.Run(fmt.Sprintf("size=%d", size), func(t *testing.T) {
			dir, o := t.TempDir(), Options{SegmentSize: int64(total) / 5}
			e := mustOpen(t, dir, o)
			fill(t, e, 'k', 3000, 900)
			mustClose(t, e)
			before := used(t, dir)
			e = mustOpen(t, dir, o)
			fill(t, e, 'd', total/size, size)
			if n := used(t, dir); n < uint64(total)*9/10 {
				t.Fatalf("it takes only %d bytes", n)
			}
			dropGroup(t, e, 'd')
			mustClose(t, e)
			after := used(t, dir)
			t.Logf("%d bytes before, %d after", before, after)
			if after > before+1<<20 {
				t.Fatalf("%d bytes were not given back", after-before)
			}
			e = mustOpen(t, dir, o)
			checkGroup(t, e, 'k', 3000, 900)
			mustClose(t, e)
		})
	}
}

func checkGroup(t testing.TB, e *Engine, group byte, n, size int) {
	t.Helper()
	r := mustView(t, e)
	defer r.Close()
	lo := datastore.Group(group).Item()
	got := 0
	for rec, err := range r.Blocks(lo, lo.End()) {
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Value) != size {
			t.Fatalf("block of %d bytes", len(rec.Value))
		}
		got++
	}
	if got != n {
		t.Fatalf("%d blocks of %d", got, n)
	}
}

// TestRewrite removes three of four small blocks, which leaves no page for a hole.
func TestRewrite(t *testing.T) {
	dir, o := t.TempDir(), Options{SegmentSize: 4 << 20}
	e := mustOpen(t, dir, o)
	fill(t, e, 'k', 20_000, 1000)
	var ops []datastore.Op
	for i := range uint64(20_000) {
		if i%4 != 0 {
			k := datastore.Group('k').Item().Uint(i)
			ops = append(ops, deleteBlocks(string(k), string(k)+"\x00"))
		}
	}
	for len(ops) > 0 {
		n := min(1000, len(ops))
		mustCommit(t, e, false, ops[:n]...)
		ops = ops[n:]
	}
	if err := e.Compact([]byte("/k/"), []byte("/k0")); err != nil {
		t.Fatal(err)
	}
	if n := used(t, dir); n > 16<<20 {
		t.Fatalf("5 MB of blocks take %d bytes", n)
	}
	checkGroup(t, e, 'k', 5000, 1000)
	mustClose(t, e)
	e = mustOpen(t, dir, o)
	checkGroup(t, e, 'k', 5000, 1000)
	mustClose(t, e)
}

// TestRewriteKeepsCorruptBlocks: a block that is damaged stays where it is, with its error, and the others are moved.
func TestRewriteKeepsCorruptBlocks(t *testing.T) {
	fs := crashfs.Wrap(vfs.NewMem(), func(crashfs.Op) error { return nil })
	e := mustOpen(t, "/store", Options{FS: fs, SegmentSize: 300_000})
	fill(t, e, 'k', 600, 1000)
	f, err := fs.OpenReadWrite(e.segmentPath(1), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("rot"), 4500); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for i := uint64(5); i < 280; i++ {
		k := datastore.Group('k').Item().Uint(i)
		mustCommit(t, e, false, deleteBlocks(string(k), string(k)+"\x00"))
	}
	if err := e.Compact([]byte("/k/"), []byte("/k0")); err != nil {
		t.Fatal(err)
	}
	r := mustView(t, e)
	bad := datastore.Group('k').Item().Uint(4)
	if _, err := r.Block(bad); !errors.Is(err, datastore.ErrCorrupt) {
		t.Fatalf("the damaged block: %v", err)
	}
	seen, corrupt := 0, 0
	for _, err := range r.Blocks([]byte("/k/"), []byte("/k0")) {
		if errors.Is(err, datastore.ErrCorrupt) {
			corrupt++
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if seen != 325 || corrupt != 1 {
		t.Fatalf("%d blocks, %d of them corrupt", seen, corrupt)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, e)
}

// TestViewDuringRemoval: a view that is older than a removal finds its blocks or ErrNotFound, never other bytes.
func TestViewDuringRemoval(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{SegmentSize: 1 << 20})
	fill(t, e, 'k', 5000, 1000)
	r := mustView(t, e)
	dropGroup(t, e, 'k')
	if err := e.Compact([]byte("/k/"), []byte("/k0")); err != nil {
		t.Fatal(err)
	}
	fill(t, e, 'k', 100, 1000)
	mustCommit(t, e, false, setBlock("/k/"+string(datastore.Key{}.Uint(7)), make([]byte, 1000)))
	gone := 0
	for i := range uint64(5000) {
		k := datastore.Group('k').Item().Uint(i)
		v, err := r.Block(k)
		switch {
		case errors.Is(err, datastore.ErrNotFound):
			gone++
		case err != nil:
			t.Fatal(err)
		case i == 7 && v[0] == 0 && v[1] == 0:
			t.Fatal("a view shows a later block")
		}
	}
	if gone < 4800 {
		t.Fatalf("only %d blocks are gone", gone)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, e)
}
