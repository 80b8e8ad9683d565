package replicate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// link is one core with one peer: a channel. It is the channel's [mux.Handler].
type link struct {
	stream     *stream
	replicator *Replicator
	peer       *peer
	release    func() // closes the core if it was opened for the peer
	queued     bool   // guarded by stream.mu
	requests   requests

	pending   func() error // what there was no room for; of the goroutine that writes
	extension string       // name of the last one received; of the goroutine that reads
	parked    []arrival    // answers that came too early; of the goroutine that applies

	// Guarded by replicator.mu.
	opening bool // counted by the scheduler
	left    bool

	mu         sync.Mutex // guards what follows
	channel    *mux.Channel
	opened     bool
	extensions []wire.Extension
}

func newLink(st *stream, r *Replicator) *link {
	l := &link{stream: st, replicator: r, peer: newPeer(), release: func() {}}
	l.requests.init()
	return l
}

// enlist counts the link among those that may become a peer.
func (l *link) enlist() {
	r := l.replicator
	r.mu.Lock()
	defer r.mu.Unlock()
	if !l.opening && !l.left {
		l.opening = true
		r.sched.opening++
		r.links[l] = struct{}{}
	}
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
	l.mu.Lock()
	l.channel, l.opened = c, true
	l.mu.Unlock()
	l.replicator.step(l, false, func(s *scheduler) {
		if l.opening {
			l.opening = false
			s.opening--
		}
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
	if l.opening {
		l.opening = false
		r.sched.opening--
	}
	r.sched.leave(l.peer)
	r.sched.settle()
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
	l.stream.queue(l, false)
	l.stream.mux.Wake()
}

func (l *link) tick(now time.Time) {
	r := l.replicator
	r.mu.Lock()
	busy := len(l.peer.asks) > 0 || !l.peer.probe.IsZero()
	r.mu.Unlock()
	if busy {
		r.step(l, false, func(s *scheduler) { s.tick(now) })
	}
}

// fill sends a few messages. It tells whether there are more, or no more room.
func (l *link) fill(ctx context.Context) (more, full bool) {
	l.mu.Lock()
	c, opened := l.channel, l.opened
	l.mu.Unlock()
	if !opened {
		return false, false
	}
	const turn = 64
	for range turn {
		if l.pending == nil {
			l.pending = l.next(ctx, c)
		}
		if l.pending == nil {
			return false, false
		}
		err := l.pending()
		if errors.Is(err, mux.ErrFull) {
			return true, true
		}
		l.pending = nil
		if err != nil {
			return false, false // the channel or the stream is over, and its handler is told
		}
	}
	return true, false
}

// next returns what sends the next message: of the scheduler's, else an answer, else one of an extension. nil is nothing.
func (l *link) next(ctx context.Context, c *mux.Channel) func() error {
	if send := l.conflict(c); send != nil {
		return send
	}
	if err := l.replicator.load(ctx); err != nil {
		return nil
	}
	r := l.replicator
	r.mu.Lock()
	m, ok := r.sched.next(l.peer, time.Now())
	r.mu.Unlock()
	if ok {
		return l.encode(ctx, c, &m)
	}
	if q := l.requests.take(); q != nil {
		return l.answer(ctx, c, q)
	}
	return l.nextExtension(c)
}

// encode returns what sends a message of the scheduler's.
func (l *link) encode(ctx context.Context, c *mux.Channel, m *message) func() error {
	const small = 64
	switch {
	case m.sync != nil:
		return func() error { return c.Append(uint64(wire.TypeSync), small, m.sync.Append) }
	case m.ranges != nil:
		return func() error { return c.Append(uint64(wire.TypeRange), small, m.ranges.Append) }
	case m.bitfield != nil:
		return func() error {
			return c.Append(uint64(wire.TypeBitfield), len(m.bitfield.Bits)+small, m.bitfield.Append)
		}
	case m.want != nil:
		return func() error { return c.Append(uint64(wire.TypeWant), small, m.want.Append) }
	case m.cancel != nil:
		return func() error { return c.Append(uint64(wire.TypeCancel), small, m.cancel.Append) }
	}
	if m.locate != nil && !l.locate(ctx, m.locate) {
		return func() error { return nil }
	}
	q := m.request
	if m.measure {
		// Without an answer the request is for the whole path.
		if n, err := l.replicator.core.MissingNodes(ctx, q.Block.Index); err == nil {
			q.Block.Nodes = n
		}
	}
	return func() error {
		return c.Append(uint64(wire.TypeRequest), small, func(b []byte) []byte { return merkle.AppendRequest(b, q) })
	}
}

// conflict returns what sends the proof that the core is frozen, once, and closes the channel; nil when it is not.
func (l *link) conflict(c *mux.Channel) func() error {
	r := l.replicator
	r.mu.Lock()
	frozen := r.frozen
	r.mu.Unlock()
	if !frozen {
		return nil
	}
	proof := r.core.Conflict()
	if proof == nil {
		return nil
	}
	return func() error {
		err := c.Append(uint64(wire.TypeData), proof.A.Size(), func(b []byte) []byte { return merkle.AppendProof(b, proof.A) })
		if err == nil {
			l.end()
			return fmt.Errorf("closing the channel: %w", mux.ErrClosed)
		}
		return err
	}
}
