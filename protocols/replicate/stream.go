package replicate

import (
	"context"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// stream is one peer: all cores that are replicated with it.
type stream struct {
	set       *Set
	mux       *mux.Mux
	find      Find
	hash      [64]byte
	initiator bool
	remote    []byte
	inbox     inbox

	mu      sync.Mutex // guards what follows
	links   map[keys.DiscoveryKey]*link
	opens   []*link // whose channel is to be opened
	ready   []*link // that may have something to send, in turn
	offers  map[keys.DiscoveryKey]bool
	rejects []reject
	err     error // why it is given up
	over    bool
}

// reject is an offer that is to be rejected at a time.
type reject struct {
	offer *mux.Offer
	at    time.Time
}

// rejectAfter is how long a peer waits to be told that it gets no channel, so that it cannot tell from the time whether the
// core was looked for in vain or its proof was wrong.
const rejectAfter = 250 * time.Millisecond

// tickEvery is how often late answers are looked after.
const tickEvery = 100 * time.Millisecond

func newStream(s *Set, conn mux.Conn, find Find) *stream {
	st := &stream{
		set: s, find: find, hash: conn.HandshakeHash(), initiator: conn.Initiator(), remote: conn.RemoteKey(),
		links: map[keys.DiscoveryKey]*link{}, offers: map[keys.DiscoveryKey]bool{},
	}
	st.inbox.init()
	return st
}

// open has a channel opened for a core, unless there is one.
func (st *stream) open(r *Replicator) {
	d := r.core.DiscoveryKey()
	st.mu.Lock()
	if st.links[d] != nil || st.offers[d] || st.over {
		st.mu.Unlock()
		return
	}
	l := newLink(st, r)
	st.links[d] = l
	st.opens = append(st.opens, l)
	st.mu.Unlock()
	l.enlist()
	st.mux.Wake()
}

// handshake is what opens a channel from this side.
func (st *stream) handshake(key keys.Key) []byte {
	return wire.Handshake{Seeks: true, Capability: wire.Capability(&st.hash, st.initiator, key)}.Append(nil)
}

// fail ends the stream because of err.
func (st *stream) fail(err error) {
	st.mu.Lock()
	if st.err == nil {
		st.err = err
	}
	st.mu.Unlock()
	st.mux.Close()
}

func (st *stream) cause(err error) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.err != nil {
		return st.err
	}
	return err
}

// release lets go who waits to give the stream something when it is over.
func (st *stream) release() {
	st.inbox.close()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.over = true
	for _, l := range st.links {
		l.requests.close()
	}
}

// forsake lets go of what was not opened when the stream ended.
func (st *stream) forsake() {
	st.mu.Lock()
	var rest []*link
	for _, l := range st.links {
		rest = append(rest, l)
	}
	clear(st.links)
	st.mu.Unlock()
	for _, l := range rest {
		l.leave()
	}
}

// fill gives the stream what is to be sent next: each channel in turn, until there is no more room or nothing more to send.
func (st *stream) fill(ctx context.Context) {
	st.openAll()
	for {
		st.mu.Lock()
		if len(st.ready) == 0 {
			st.mu.Unlock()
			return
		}
		l := st.ready[0]
		st.ready = st.ready[1:]
		l.queued = false
		st.mu.Unlock()
		more, full := l.fill(ctx)
		if more || full {
			st.queue(l, full)
		}
		if full {
			return
		}
	}
}

// queue has a channel looked at when the stream takes something.
func (st *stream) queue(l *link, front bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case l.queued:
	case front:
		l.queued = true
		st.ready = append([]*link{l}, st.ready...)
	default:
		l.queued = true
		st.ready = append(st.ready, l)
	}
}

// openAll opens the channels that are to be opened.
func (st *stream) openAll() {
	st.mu.Lock()
	opens := st.opens
	st.opens = nil
	st.mu.Unlock()
	for _, l := range opens {
		r := l.replicator
		d := r.core.DiscoveryKey()
		st.mu.Lock()
		mine := st.links[d] == l && !st.offers[d]
		st.mu.Unlock()
		if !mine {
			l.gone()
			continue
		}
		c, err := st.mux.Open(mux.Spec{Protocol: wire.Protocol, Aliases: []string{wire.Alias}, ID: d[:], Handshake: st.handshake(r.core.Key())}, l)
		if err != nil {
			l.gone()
			continue
		}
		l.own(c)
	}
}

// offered answers a channel that the peer opens: with one of ours if the peer proves that it knows the key of a core that is
// here, else with a reject some time later.
func (st *stream) offered(ctx context.Context, o *mux.Offer) {
	if len(o.ID) != len(keys.DiscoveryKey{}) || o.Protocol != wire.Protocol && o.Protocol != wire.Alias {
		o.Reject()
		return
	}
	d := keys.DiscoveryKey(o.ID)
	st.mu.Lock()
	st.offers[d] = true
	st.mu.Unlock()
	if l := st.accept(ctx, o, d); l != nil {
		c, err := o.Accept(st.handshake(l.replicator.core.Key()), l)
		if err != nil {
			l.gone()
			return
		}
		l.own(c)
		return
	}
	st.mu.Lock()
	st.rejects = append(st.rejects, reject{o, time.Now().Add(rejectAfter)})
	st.mu.Unlock()
}

// accept returns the link for an offer that is to be accepted, nil for others.
func (st *stream) accept(ctx context.Context, o *mux.Offer, d keys.DiscoveryKey) *link {
	h, err := wire.DecodeHandshake(o.Handshake)
	if err != nil {
		return nil
	}
	r, release := st.lookup(ctx, d)
	var key keys.Key
	if r != nil {
		key = r.core.Key()
	}
	if !h.Proves(&st.hash, !st.initiator, key) || r == nil {
		release()
		return nil
	}
	l := newLink(st, r)
	l.release = release
	st.mu.Lock()
	st.links[d] = l
	delete(st.offers, d)
	over := st.over
	st.mu.Unlock()
	l.enlist()
	if over {
		l.requests.close()
	}
	return l
}

// lookup returns the session of a core that is here, opened for the time until release.
func (st *stream) lookup(ctx context.Context, d keys.DiscoveryKey) (r *Replicator, release func()) {
	release = func() {}
	if st.find != nil {
		if c, err := st.find(ctx, d); err == nil {
			release = func() { c.Close() }
		}
	}
	return st.set.Core(d), release
}

// tick does what is due at now. The goroutine that applies calls it.
func (st *stream) tick(ctx context.Context, now time.Time) error {
	st.mu.Lock()
	var due []*mux.Offer
	for len(st.rejects) > 0 && !st.rejects[0].at.After(now) {
		due = append(due, st.rejects[0].offer)
		st.rejects = st.rejects[1:]
	}
	links := make([]*link, 0, len(st.links))
	for _, l := range st.links {
		links = append(links, l)
	}
	st.mu.Unlock()
	for _, o := range due {
		o.Reject()
		st.unoffer(keys.DiscoveryKey(o.ID))
	}
	for _, l := range links {
		l.tick(now)
		if err := l.retryParked(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unoffer forgets an offer that was rejected. The core may have been opened here meanwhile, to read it.
func (st *stream) unoffer(d keys.DiscoveryKey) {
	st.mu.Lock()
	delete(st.offers, d)
	st.mu.Unlock()
	if r := st.set.Core(d); r != nil && r.seeks() {
		st.open(r)
	}
}
