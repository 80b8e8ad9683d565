package core

import (
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// Blocks that were pushed come in with one commit, as those that were asked for do.
func TestGiftsShareACommit(t *testing.T) {
	w := newWriter(t, 1, numbered(0, 64)...)
	source := newFakeSource(w, 1)
	r := newReader(t, w, source)
	pass(t, w, r, &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 64}, Manifest: true})
	var gifts []*merkle.Proof
	for i := range uint64(64) {
		p, err := w.Prove(t.Context(), &merkle.Request{Block: &merkle.BlockRequest{Index: i, Nodes: merkle.MaxMissingNodes(2*i, 64)}})
		if err != nil {
			t.Fatal(err)
		}
		gifts = append(gifts, p)
	}
	before := len(source.changes)
	verdicts, err := r.Apply(t.Context(), gifts...)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		if v.Err != nil || !v.Applied {
			t.Errorf("gift %d: %+v", i, v)
		}
	}
	if n := len(source.changes) - before; n != 1 {
		t.Errorf("%d commits", n)
	}
	if c := r.Contiguous(); c != 64 {
		t.Errorf("%d leading blocks are here", c)
	}
}
