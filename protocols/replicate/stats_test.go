package replicate

import (
	"testing"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
)

// What a peer sent last is counted also when it is applied after the peer has left.
func TestCountedAfterLeaving(t *testing.T) {
	n := newNode(t, Options{})
	w := newNode(t, Options{}).writer("log", 1)
	c := n.open(corestore.Key(w.Key()))
	_, conn := dialled(t)
	defer conn.Close()
	st := newStream(n.set, conn, nil)
	st.mux = mux.New(conn, mux.Options{})
	r := n.set.Core(c.DiscoveryKey())
	l := newLink(st, r)
	if !l.enlist() {
		t.Fatal("the core is closed")
	}
	p, err := w.Prove(t.Context(), &merkle.Request{ID: 1, Manifest: true, Block: &merkle.BlockRequest{}, Upgrade: &merkle.UpgradeRequest{Length: 1}})
	if err != nil {
		t.Fatal(err)
	}
	l.leave()
	if _, _, err := r.applyOnce(t.Context(), []arrival{{link: l, proof: p}}); err != nil {
		t.Fatal(err)
	}
	if s := r.Stats(); s.BlocksIn != 1 || s.BytesIn != uint64(len(block(0))) || s.Peers != 0 {
		t.Errorf("%+v", s)
	}
	if here, err := c.Has(t.Context(), 0, 1); err != nil || !here {
		t.Errorf("the block is there: %v, %v", here, err)
	}
}
