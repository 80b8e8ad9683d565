package core

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// TestReadOnlyStoreIsNotMended reads and proves a block whose checksum alone is wrong, from a store that cannot be written.
func TestReadOnlyStoreIsNotMended(t *testing.T) {
	e, db := openRotten(t)
	o := Options{Pair: pairOf(1), Derived: true}
	c := openCore(t, db, o)
	mustAppend(t, c, numbered(0, 9)...)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	ro := datastore.NewDB(e, datastore.Options{ReadOnly: true})
	o.ReadOnly = true
	c = openCore(t, ro, o)
	e.rot(c, 6, numbered(6, 1)[0])
	e.rot(c, 7, []byte("wrong"))
	mustGet(t, c, 6, numbered(6, 1)[0])
	q := &merkle.Request{ID: 1, Block: &merkle.BlockRequest{Index: 6}}
	if p := mustProve(t, c, q); !bytes.Equal(p.Block.Value, numbered(6, 1)[0]) {
		t.Fatalf("proves %x", p.Block.Value)
	}
	if all := c.ProveAll(t.Context(), []*merkle.Request{q}); all[0].Err != nil || !bytes.Equal(all[0].Proof.Block.Value, numbered(6, 1)[0]) {
		t.Fatalf("proves %+v", all[0])
	}
	for range 2 {
		_, err := c.Prove(t.Context(), &merkle.Request{ID: 1, Block: &merkle.BlockRequest{Index: 7}})
		wantErr(t, "a block that is wrong", err, ErrNotAvailable)
	}
	if r, err := c.Verify(t.Context()); err != nil || len(r.BadBlocks) != 2 || len(e.bad) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
}
