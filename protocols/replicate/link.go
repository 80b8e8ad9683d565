package replicate

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// link is one core with one peer: a channel. It is the channel's [mux.Handler].
type link struct {
	stream     *stream
	replicator *Replicator
	peer       *peer
	release    func() // closes the core if it was opened for the peer
	requests   requests

	// Guarded by stream.mu.
	queued  bool // in stream.ready
	bulking bool // in stream.bulk
	ended   bool

	// Of the goroutine that writes.
	messages []message    // of the scheduler's
	first    []outgoing   // to be sent before others
	bulk     []outgoing   // answers that wait for their turn
	prover   *core.Prover // makes them; nil when there are none
	sending  *outgoing    // is being encoded
	encoder  func([]byte) []byte
	accused  bool // the proof of a conflict was sent
	dead     bool // nothing can be sent any more

	extension string      // name of the last one received; of the goroutine that reads
	parked    []arrival   // answers that came too early; of the goroutine that applies
	direct    atomic.Bool // messages come from the goroutine that accepts the channel too

	// Guarded by replicator.mu.
	left  bool
	stats Counters

	mu         sync.Mutex // guards what follows
	channel    *mux.Channel
	opened     bool
	extensions []wire.Extension
	gift       []uint64 // blocks to be pushed
}

func newLink(st *stream, r *Replicator) *link {
	l := &link{stream: st, replicator: r, peer: newPeer(), release: func() {}}
	l.requests.backlog, l.peer.load, l.peer.haste = &st.backlog, &st.asks, &st.haste
	l.encoder = l.append
	return l
}

// enlist counts the link among those that may become a peer, before its channel is opened. It returns false when the core is
// closed.
func (l *link) enlist() bool {
	r := l.replicator
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || l.left {
		return false
	}
	r.sched.expect(l.peer)
	r.links[l] = struct{}{}
	return true
}

// Opened implements [mux.Handler].
func (l *link) Opened(c *mux.Channel, handshake []byte) error {
	h, err := wire.DecodeHandshake(handshake)
	if err != nil {
		return err
	}
	if !h.Proves(&l.stream.hash, !l.stream.initiator, l.replicator.core.Key()) {
		return ErrCapability
	}
	l.stream.capFrames(0)
	l.mu.Lock()
	l.channel, l.opened = c, true
	l.mu.Unlock()
	l.replicator.step(l, false, func(s *scheduler) {
		if !l.left {
			s.join(l.peer)
		}
	})
	return nil
}

// own takes the channel that was opened for the link, and closes it if that is not wanted any more.
func (l *link) own(c *mux.Channel) {
	l.mu.Lock()
	l.channel = c
	l.mu.Unlock()
	l.replicator.mu.Lock()
	left := l.left
	l.replicator.mu.Unlock()
	if left {
		c.Close()
	}
}

// Closed implements [mux.Handler].
func (l *link) Closed(*mux.Channel, error) { l.gone() }

// gone takes the link out when its channel has ended.
func (l *link) gone() {
	st := l.stream
	d := l.replicator.core.DiscoveryKey()
	st.mu.Lock()
	l.ended = true
	if st.links[d] == l {
		delete(st.links, d)
	}
	st.mu.Unlock()
	l.leave()
}

// end closes the channel from this side.
func (l *link) end() {
	l.mu.Lock()
	c := l.channel
	l.mu.Unlock()
	if c != nil {
		c.Close()
	}
	l.gone()
}

// leave takes the link out of the replicator, once.
func (l *link) leave() {
	r := l.replicator
	r.mu.Lock()
	if l.left {
		r.mu.Unlock()
		return
	}
	l.left = true
	delete(r.links, l)
	r.gone.add(&l.stats)
	r.sched.leave(l.peer)
	r.forgetLocked()
	news := r.newsLocked()
	r.mu.Unlock()
	r.tell(news)
	l.requests.close()
	l.release()
	r.wake()
}

// wake has the stream ask for what there is to send.
func (l *link) wake() {
	l.stream.queue(l)
	l.stream.mux.Wake()
}

// tick looks after what is late at now, and tells whether anything may get late.
func (l *link) tick(now time.Time) (waits bool) {
	r := l.replicator
	r.mu.Lock()
	p := l.peer
	waits = !l.left && (len(p.asks) > 0 || !p.probe.IsZero() || !p.hold.IsZero() || r.sched.laterFork(p) || r.sched.detains(p))
	r.mu.Unlock()
	if waits {
		r.step(l, false, func(s *scheduler) { s.tick(now) })
	}
	return waits || len(l.parked) > 0
}

// idle tells whether nothing is under way on the channel in either direction.
func (l *link) idle() bool {
	r := l.replicator
	r.mu.Lock()
	busy := len(l.peer.asks)+len(l.peer.blocks)+len(l.peer.heads) > 0
	r.mu.Unlock()
	return !busy && l.requests.count() == 0
}
