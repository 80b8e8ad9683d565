package replicate

import (
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/protocols/wire"
)

// rejoin ends the stream of a peer, and lets it come again with all blocks.
func (w *world) rejoin(n uint64) *fakePeer {
	w.leave(0)
	f := &fakePeer{p: newPeer(), length: n}
	f.has.SetRange(0, n, true)
	f.told.SetRange(0, n, true)
	f.p.have.Range(wire.Range{Length: n})
	w.peers = append(w.peers, f)
	w.s.expect(f.p)
	w.s.join(f.p)
	w.s.sync(f.p, wire.Sync{Length: n, RemoteLength: n, Uploading: true, HasManifest: true})
	return f
}

// A peer that ends the stream over certain blocks gives all others nevertheless, and another peer gives these.
func TestShunned(t *testing.T) {
	const n = 2000
	deadly := map[uint64]bool{0: true, 7: true, 1500: true}
	w := linear(t, n, core.Range{Start: 0, End: n})
	f, deaths := w.peers[0], 0
	for w.wants[0].left > uint64(len(deadly)) {
		if deaths > 2*len(deadly) {
			t.Fatalf("%d streams have ended, and %d blocks are left", deaths, w.wants[0].left)
		}
		dead := false
		for w.pull(); len(f.asked) > 0 && !dead; w.pull() {
			i := f.asked[0].Block.Index
			if dead = deadly[i]; !dead {
				f.asked = f.asked[1:]
				w.s.changed(core.Change{Head: w.s.head, Have: []core.Range{{Start: i, End: i + 1}}})
			}
		}
		if f = w.rejoin(n); dead {
			deaths++
		}
	}
	for w.pull(); len(f.asked) > 0; w.pull() {
		if len(f.asked) != 1 {
			t.Fatalf("%d requests beside one for a shunned block", len(f.asked)-1)
		}
		i := f.asked[0].Block.Index
		f.asked = nil
		w.s.changed(core.Change{Head: w.s.head, Have: []core.Range{{Start: i, End: i + 1}}})
	}
	if len(w.s.wants) > 0 || len(w.s.struck) > 0 {
		t.Errorf("%d wants are left, %d blocks are held against", len(w.s.wants), len(w.s.struck))
	}
}
