package core

import (
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// TestApplyCompatUpgradeBehindOthers gives a fresh reader of a compat core, whose proofs bring no manifest, an upgrade that
// came behind an answer which holds only after it.
func TestApplyCompatUpgradeBehindOthers(t *testing.T) {
	w := openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: pairOf(1), Compat: true})
	mustAppend(t, w, numbered(0, 9)...)
	r := newReader(t, w, nil)
	var proofs []*merkle.Proof
	for _, q := range []*merkle.Request{
		{ID: 1, Block: &merkle.BlockRequest{Index: 3}},
		{ID: 2, Upgrade: &merkle.UpgradeRequest{Length: 9}},
	} {
		p, err := w.Prove(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		proofs = append(proofs, p)
	}
	verdicts, err := r.Apply(t.Context(), proofs...)
	if err != nil {
		t.Fatal(err)
	}
	if v := verdicts[1]; v.Err != nil || !v.Upgraded || r.Head().Length != 9 || !r.Compat() {
		t.Errorf("the upgrade came to %+v, the length to %d", v, r.Head().Length)
	}
}
