package replicate

import (
	"bytes"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
)

// What comes in one frame is taken in together: up to gatherCount messages or gatherBytes.
const (
	gatherCount = 256
	gatherBytes = 256 << 10
)

// gathered is what has come in the frame that is being read. Only the goroutine that reads uses it.
type gathered struct {
	link     *link // of all of it
	asked    []*merkle.Request
	arrivals []arrival
	bytes    int
	alone    []arrival // an answer that has come alone so far
	pause    time.Time // until when none is applied at once
	slab     []byte    // what is left of the memory for small answers
}

// keep returns an answer's bytes as they may be kept. Large ones stay where they are if they can; small ones share memory: they
// come in groups, and go in groups.
func (g *gathered) keep(m *mux.Mux, b []byte) ([]byte, *mux.Loan) {
	const slab = 64 << 10
	if len(b) > slab/8 {
		if loan := m.Keep(len(b)); loan != nil {
			return b, loan
		}
		return bytes.Clone(b), nil
	}
	if cap(g.slab)-len(g.slab) < len(b) {
		g.slab = make([]byte, 0, slab)
	}
	from := len(g.slab)
	g.slab = append(g.slab, b...)
	return g.slab[from:len(g.slab):len(g.slab)], nil
}

// begin makes ready to gather for a link.
func (l *link) begin(size int) error {
	g := &l.stream.gathered
	if g.link != l || len(g.asked)+len(g.arrivals) >= gatherCount || g.bytes+size > gatherBytes {
		if err := l.stream.settle(); err != nil {
			return err
		}
	}
	g.link = l
	g.bytes += size
	return nil
}

// request takes a request in.
func (l *link) request(b []byte) error {
	q, err := merkle.DecodeRequest(b)
	if err != nil {
		return err
	}
	if l.direct.Load() {
		l.asked([]*merkle.Request{q})
		return nil
	}
	if err := l.begin(len(b)); err != nil {
		return err
	}
	g := &l.stream.gathered
	g.asked = append(g.asked, q)
	return nil
}

// data takes an answer in, to be applied.
func (l *link) data(b []byte) error {
	if l.direct.Load() {
		proof, err := merkle.DecodeProof(bytes.Clone(b))
		if err != nil {
			return err
		}
		return l.arrived([]arrival{{link: l, proof: proof, size: len(b)}})
	}
	if err := l.begin(len(b)); err != nil {
		return err
	}
	if l.absurd(len(b)) {
		return ErrBadPeer
	}
	g := &l.stream.gathered
	kept, loan := g.keep(l.stream.mux, b)
	proof, err := merkle.DecodeProof(kept)
	if err != nil {
		return err
	}
	g.arrivals = append(g.arrivals, arrival{link: l, proof: proof, size: len(b), loan: loan})
	return nil
}

// absurd tells whether an answer is larger than all that is left to get, before it costs anything.
func (l *link) absurd(size int) bool {
	const usual = 1 << 20
	if size < usual {
		return false
	}
	r := l.replicator
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sched
	return s.loaded && s.head.Length > 0 && l.peer.target == 0 && l.peer.remote.Fork == s.head.Fork &&
		uint64(size) > s.head.ByteLength+usual/4 && len(l.peer.follow) == 0 && len(l.peer.heads) == 0
}

// settle hands on what was gathered, before a message whose order counts.
func (l *link) settle() error {
	if l.direct.Load() {
		return nil
	}
	return l.stream.settle()
}

// settle hands on what was gathered, at the end of a frame too.
func (st *stream) settle() error {
	g := &st.gathered
	if g.link == nil {
		return nil
	}
	l := g.link
	var err error
	if len(g.asked) > 0 {
		l.asked(g.asked)
	}
	if len(g.arrivals) > 0 {
		err = l.arrived(g.arrivals)
	}
	clear(g.asked)
	clear(g.arrivals)
	g.link, g.asked, g.arrivals, g.bytes = nil, g.asked[:0], g.arrivals[:0], 0
	return err
}

// asked takes requests in.
func (l *link) asked(list []*merkle.Request) {
	for _, q := range list {
		if q.Upgrade != nil { // it did not take in what it was sent
			l.replicator.mu.Lock()
			l.peer.tail.proven = 0
			l.replicator.mu.Unlock()
		}
	}
	l.requests.put(list)
	l.wake()
}

// arrived takes answers in. Those that somebody waits for go on to be applied.
func (l *link) arrived(list []arrival) error {
	now := time.Now()
	kept := make([]arrival, 0, len(list))
	bytes, answers := 0, false
	r := l.replicator
	r.mu.Lock()
	counters := l.countersLocked()
	for i := range list {
		a := &list[i]
		bytes += a.size
		ask, verdict := r.sched.data(l.peer, a.proof, a.size, now)
		answers = answers || ask != nil
		if a.ask, a.gift = ask, verdict == takeGift; verdict != takeNot {
			kept = append(kept, *a)
		} else {
			if ask == nil {
				counters.Unasked++
			}
			a.loan.Release()
		}
	}
	counters.ReceivedBytes += uint64(bytes)
	hold := l.stream.set.received(bytes)
	if hold > 0 {
		l.peer.hold = now.Add(hold)
	}
	fault, hungry, others := l.peer.fault, answers && !l.peer.full(now), r.sched.dirty
	r.sched.dirty = false
	r.mu.Unlock()
	if others {
		r.wake()
	}
	if fault != nil {
		return fault
	}
	l.stream.handOn(l, kept)
	if l.stream.asks.Load()+int64(len(list)) >= maxStreamAsks {
		l.stream.wakeAll()
	} else if hungry {
		l.wake()
	}
	return nil
}
