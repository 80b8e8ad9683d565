package replicate

import (
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/protocols/wire"
)

// linear makes a scheduler with one linear want of n blocks, and peers that have given ranges of them.
func linear(t *testing.T, n uint64, have ...core.Range) *world {
	w := newWorld(t, 1)
	w.s.load(core.Head{Length: n, ByteLength: n}, nil, true)
	for _, r := range have {
		f := &fakePeer{p: newPeer(), length: n}
		f.has.SetRange(r.Start, r.End, true)
		f.told.SetRange(r.Start, r.End, true)
		f.p.have.Range(wire.Range{Start: r.Start, Length: r.End - r.Start})
		w.peers = append(w.peers, f)
		w.s.expect(f.p)
		w.s.join(f.p)
		w.s.sync(f.p, wire.Sync{Length: n, RemoteLength: n, Uploading: true, HasManifest: true})
	}
	j := newWant(core.Want{Ranges: []core.Range{{Start: 0, End: n}}, Linear: true})
	w.s.add(j)
	w.wants = append(w.wants, j)
	return w
}

// drain lets a peer answer all that it is asked, and returns how many blocks that were.
func (w *world) drain(f *fakePeer, last uint64) (blocks int) {
	for w.pull(); len(f.asked) > 0; w.pull() {
		for _, q := range f.asked {
			i := q.Block.Index
			if i > last {
				w.t.Fatalf("asked for block %d beyond %d", i, last)
			}
			w.now = w.now.Add(time.Microsecond)
			w.s.changed(core.Change{Head: w.s.head, Have: []core.Range{{Start: i, End: i + 1}}})
			blocks++
		}
		f.asked = nil
	}
	return blocks
}

// A peer that is fast goes ahead of one that is slow by a bounded number of blocks, and on when that one has answered.
func TestLinear(t *testing.T) {
	const n = 100_000
	w := linear(t, n, core.Range{Start: 0, End: n}, core.Range{Start: 0, End: n})
	slow, fast := w.peers[0], w.peers[1]
	w.pull()
	if len(slow.asked) == 0 || slow.asked[0].Block.Index != 0 {
		t.Fatalf("the first peer is asked for %v", slow.asked)
	}
	held := slow.asked // and nothing more of it
	slow.asked = nil
	if got := w.drain(fast, maxLine-1); got+len(held) != maxLine {
		t.Errorf("%d blocks came behind %d that do not", got, len(held))
	}
	slow.asked = append(slow.asked, held...)
	if got := w.drain(slow, n); got == 0 {
		t.Error("nothing more of the slow peer")
	}
	for len(fast.asked)+len(slow.asked) > 0 {
		w.drain(fast, n)
		w.drain(slow, n)
	}
	if len(w.s.wants) > 0 {
		t.Errorf("%d wants are left, %d blocks of them", len(w.s.wants), w.wants[0].left)
	}
}

// What no peer has does not keep a linear want from what they have.
func TestLinearHoles(t *testing.T) {
	const n = 100_000
	w := linear(t, n, core.Range{Start: 50_000, End: 50_010}, core.Range{Start: 90_000, End: n})
	w.drain(w.peers[0], n)
	w.drain(w.peers[1], n)
	w.drain(w.peers[0], n)
	if left := w.wants[0].left; left != 89_990 {
		t.Errorf("%d blocks have not come", left)
	}
}
