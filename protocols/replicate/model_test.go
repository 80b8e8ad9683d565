package replicate

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/protocols/wire"
)

// world is a scheduler among peers that are simulated: what they have, and what they were asked and have not answered.
type world struct {
	t      *testing.T
	rand   *rand.Rand
	s      *scheduler
	now    time.Time
	length uint64 // of the longest peer
	peers  []*fakePeer
	wants  []*want
}

type fakePeer struct {
	p      *peer
	length uint64
	has    bitfield.Bitfield
	told   bitfield.Bitfield // announced
	asked  []*merkle.Request
	came   []arrival // that the core has not taken: they are lost when the peer leaves
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 3)), s: newScheduler(), now: time.Unix(1, 0)}
	w.s.load(core.Head{}, nil, false)
	return w
}

// join adds a peer that has some of the blocks.
func (w *world) join() {
	f := &fakePeer{p: newPeer(), length: w.length}
	for i := range f.length {
		if w.rand.IntN(3) > 0 {
			f.has.Set(i)
		}
	}
	w.peers = append(w.peers, f)
	w.s.expect(f.p)
	w.s.join(f.p)
	w.sync(f)
}

func (w *world) sync(f *fakePeer) {
	w.s.sync(f.p, wire.Sync{Length: f.length, RemoteLength: w.s.head.Length, CanUpgrade: true, Uploading: true, HasManifest: true})
}

func (w *world) leave(k int) {
	w.s.leave(w.peers[k].p)
	w.peers = append(w.peers[:k], w.peers[k+1:]...)
}

// pull takes what the scheduler has to send.
func (w *world) pull() {
	for _, f := range w.peers {
		for {
			m, ok := w.s.next(f.p, w.now)
			if !ok {
				break
			}
			w.take(f, m)
		}
		if f.p.fault != nil {
			w.t.Fatal("an honest peer was blamed")
		}
	}
}

func (w *world) take(f *fakePeer, m message) {
	switch {
	case m.want != nil:
		start, end, _ := m.want.Span()
		for from, to := range f.has.Runs(start, min(end, f.length)) {
			f.told.SetRange(from, to, true)
			f.p.have.Range(wire.Range{Start: from, Length: to - from})
		}
	case m.cancel != nil:
		for i, q := range f.asked {
			if q.ID == m.cancel.Request {
				f.asked = append(f.asked[:i], f.asked[i+1:]...)
				break
			}
		}
	case m.request != nil:
		w.check(f, m.request)
		f.asked = append(f.asked, m.request)
	}
}

// check holds a request against what may be asked.
func (w *world) check(f *fakePeer, q *merkle.Request) {
	if len(f.p.asks) > maxAsks {
		w.t.Fatalf("%d requests at once", len(f.p.asks))
	}
	if q.Block == nil {
		return
	}
	i := q.Block.Index
	if !f.told.Has(i) {
		w.t.Fatalf("asked for block %d, which was not announced", i)
	}
	others, hedged := 0, false
	for _, o := range w.peers {
		if a := o.p.blocks[i]; a != nil && o != f {
			others, hedged = others+1, hedged || a.hedged
		}
	}
	if others > 0 && !hedged {
		w.t.Fatalf("block %d is asked of %d other peers", i, others)
	}
}

// answer lets a peer answer one request, or refuse it.
func (w *world) answer(f *fakePeer) {
	if len(f.asked) == 0 {
		return
	}
	k := w.rand.IntN(min(len(f.asked), 2))
	q := f.asked[k]
	f.asked = append(f.asked[:k], f.asked[k+1:]...)
	proof := &merkle.Proof{Request: q.ID}
	if q.Block != nil {
		if w.rand.IntN(20) == 0 {
			f.has.SetRange(q.Block.Index, q.Block.Index+1, false)
			f.told.SetRange(q.Block.Index, q.Block.Index+1, false)
			w.s.noData(f.p, wire.NoData{Request: q.ID, Reason: wire.ReasonNotAvailable})
			return
		}
		proof.Block = &merkle.BlockProof{Index: q.Block.Index}
	}
	if q.Upgrade != nil {
		proof.Upgrade = &merkle.UpgradeProof{Start: q.Upgrade.Start, Length: q.Upgrade.Length}
	}
	if q.Manifest {
		proof.Manifest = []byte{1}
	}
	a, o := w.s.data(f.p, proof, 100, w.now)
	if o == takeNot {
		return
	}
	if f.came = append(f.came, arrival{ask: a, proof: proof}); w.rand.IntN(4) > 0 {
		w.applyAll(f)
	}
}

func (w *world) applyAll(f *fakePeer) {
	for _, a := range f.came {
		w.apply(f, a.ask, a.proof)
	}
	f.came = nil
}

// apply does what the core does with a proof.
func (w *world) apply(f *fakePeer, a *ask, p *merkle.Proof) {
	head := w.s.head
	ch := core.Change{Head: head}
	switch {
	case p.Upgrade != nil:
		ch.Head.Length = max(head.Length, p.Upgrade.Start+p.Upgrade.Length)
	case p.Block.Index >= head.Length || a.predicted && w.rand.IntN(10) == 0:
		w.s.verdict(f.p, a, core.Verdict{Err: merkle.ErrInvalidOperation}, w.now)
		return
	default:
		ch.Have = []core.Range{{Start: p.Block.Index, End: p.Block.Index + 1}}
	}
	w.s.changed(ch)
	w.s.verdict(f.p, a, core.Verdict{Applied: true}, w.now)
}

// act does something at random.
func (w *world) act() {
	w.now = w.now.Add(time.Duration(w.rand.IntN(20)) * time.Millisecond)
	switch n := w.rand.IntN(100); {
	case n < 2 && len(w.peers) < 6:
		w.join()
	case n < 3 && len(w.peers) > 1:
		w.leave(w.rand.IntN(len(w.peers)))
	case n < 6:
		w.want()
	case n < 8 && len(w.wants) > 0:
		k := w.rand.IntN(len(w.wants))
		w.s.remove(w.wants[k])
		w.wants = append(w.wants[:k], w.wants[k+1:]...)
	case n < 10 && len(w.peers) > 0:
		w.grow(w.peers[w.rand.IntN(len(w.peers))])
	case n < 12:
		w.now = w.now.Add(2 * time.Second)
		w.s.tick(w.now)
	case n < 15 && len(w.peers) > 0:
		w.applyAll(w.peers[w.rand.IntN(len(w.peers))])
	default:
		w.pull()
		if len(w.peers) > 0 {
			w.answer(w.peers[w.rand.IntN(len(w.peers))])
		}
	}
}

func (w *world) want() {
	start := w.rand.Uint64N(w.length + 10)
	j := core.Want{Ranges: []core.Range{{Start: start, End: start + 1 + w.rand.Uint64N(50)}}, Priority: w.rand.IntN(2)}
	if w.rand.IntN(2) == 0 {
		j = core.Want{Blocks: []uint64{start}, Priority: w.rand.IntN(2)}
	}
	n := newWant(j)
	w.s.add(n)
	w.wants = append(w.wants, n)
}

func (w *world) grow(f *fakePeer) {
	w.length += w.rand.Uint64N(20)
	f.has.SetRange(f.length, w.length, true)
	f.told.SetRange(f.length, w.length, true)
	f.p.have.Range(wire.Range{Start: f.length, Length: w.length - f.length})
	f.length = w.length
	w.sync(f)
}

// finish adds a peer that has everything and sees that every want gets what it asks for.
func (w *world) finish(seed uint64) {
	w.length += 100
	w.join()
	last := w.peers[len(w.peers)-1]
	last.has.SetRange(0, last.length, true)
	for i := 0; i < 200_000; i++ {
		w.now = w.now.Add(time.Millisecond)
		w.pull()
		busy := false
		for _, f := range w.peers {
			busy = busy || len(f.asked) > 0
			f.has.SetRange(0, f.length, true)
			w.answer(f)
			w.applyAll(f)
		}
		if f := last; w.rand.IntN(4) == 0 { // it announces again what it refused
			f.told.SetRange(0, f.length, true)
			f.p.have.Range(wire.Range{Length: f.length})
			w.sync(f)
		}
		if !busy && len(w.s.wants) == 0 {
			break
		}
	}
	if len(w.s.wants) > 0 {
		w.t.Fatalf("seed %d: %d wants are left, head %d of %d", seed, len(w.s.wants), w.s.head.Length, w.length)
	}
	w.empty(seed)
}

// empty sees that nothing is kept for wants that are over.
func (w *world) empty(seed uint64) {
	_, bulk := w.s.bulk.NextSet(0)
	w.s.takeUrgent(newPeer())
	if bulk || len(w.s.urgent) > 0 || len(w.s.waiting) > 0 {
		w.t.Errorf("seed %d: left: bulk %v, urgent %v, waiting %v", seed, bulk, w.s.urgent, w.s.waiting)
	}
	for len(w.peers) > 0 {
		w.leave(0)
	}
	if len(w.s.flying) > 0 || w.s.upgrader != nil {
		w.t.Errorf("seed %d: left: %v", seed, w.s.flying)
	}
}

func TestModel(t *testing.T) {
	base := uint64(time.Now().UnixNano())
	for k := range uint64(20) {
		seed := base + k
		t.Logf("seed %d", seed)
		w := newWorld(t, seed)
		w.length = 1 + w.rand.Uint64N(200)
		for range 500 {
			w.act()
		}
		w.finish(seed)
		if t.Failed() {
			return
		}
	}
}
