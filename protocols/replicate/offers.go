package replicate

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// offers are the channels that the peer has opened and this side has not answered. They are looked at by a goroutine of their
// own: how long it takes to look a core up is not to be seen in when other messages are answered.
type offers struct {
	some    chan struct{} // holds a token when there are some
	list    []offer       // guarded by stream.mu
	open    map[keys.DiscoveryKey]bool
	rejects []offer // to be rejected when it is time
}

// offer is one of them, and when it is to be rejected if it is.
type offer struct {
	*mux.Offer
	at time.Time
}

// A peer that gets no channel is told so a while after it asked, at a time up to chance: so it cannot tell whether the core was
// looked up in vain or the proof was wrong.
const (
	rejectAfter  = 250 * time.Millisecond
	rejectSpread = 250 * time.Millisecond
)

func (o *offers) init() {
	o.some, o.open = make(chan struct{}, 1), map[keys.DiscoveryKey]bool{}
}

// offered takes a channel in that the peer opens. The goroutine that reads calls it.
func (st *stream) offered(o *mux.Offer) {
	if len(o.ID) != len(keys.DiscoveryKey{}) || o.Protocol != wire.Protocol && o.Protocol != wire.Alias {
		o.Reject()
		return
	}
	at := time.Now().Add(rejectAfter + rand.N(rejectSpread))
	st.mu.Lock()
	st.offers.open[keys.DiscoveryKey(o.ID)] = true
	st.offers.list = append(st.offers.list, offer{o, at})
	st.mu.Unlock()
	select {
	case st.offers.some <- struct{}{}:
	default:
	}
}

// reconsider has an offer that waits for its rejection looked at again: its core is here now.
func (st *stream) reconsider(d keys.DiscoveryKey) {
	o := &st.offers
	st.mu.Lock()
	i := slices.IndexFunc(o.rejects, func(o offer) bool { return keys.DiscoveryKey(o.ID) == d })
	if i >= 0 {
		o.list = append(o.list, o.rejects[i])
		o.rejects = slices.Delete(o.rejects, i, i+1)
	}
	st.mu.Unlock()
	if i < 0 {
		return
	}
	select {
	case o.some <- struct{}{}:
	default:
	}
}

// offerLoop answers offers until ctx ends.
func (st *stream) offerLoop(ctx context.Context) {
	for {
		select {
		case <-st.offers.some:
		case <-ctx.Done():
			return
		}
		st.mu.Lock()
		list := st.offers.list
		st.offers.list = nil
		st.mu.Unlock()
		for _, o := range list {
			st.answer(ctx, o)
		}
	}
}

// answer accepts an offer if the peer proves that it knows the key of a core that is here; else it is rejected later. One that
// was taken meanwhile by opening the channel from this side, or that the peer has taken back, is no more.
func (st *stream) answer(ctx context.Context, o offer) {
	l := st.judge(ctx, o)
	if l == nil {
		st.mu.Lock()
		st.offers.rejects = append(st.offers.rejects, o)
		st.mu.Unlock()
		st.arm()
		return
	}
	d := keys.DiscoveryKey(o.ID)
	l.direct.Store(true)
	defer l.direct.Store(false)
	c, err := o.Accept(st.handshake(l.replicator.core.Key()), l)
	if err != nil {
		l.gone()
		st.unoffer(d)
		return
	}
	st.enter(d, l)
	l.own(c)
	if shared := st.set.o.Shared; shared != nil {
		shared(st.remote, d)
	}
}

// enter has a link that was accepted be the one of its core, in place of one that was to be opened.
func (st *stream) enter(d keys.DiscoveryKey, l *link) {
	st.mu.Lock()
	delete(st.offers.open, d)
	if !l.ended {
		st.links[d] = l
	}
	over := st.over
	st.mu.Unlock()
	if over {
		l.requests.close()
	}
}

// judge returns the link for an offer that is to be accepted, nil for others.
func (st *stream) judge(ctx context.Context, o offer) *link {
	h, err := wire.DecodeHandshake(o.Handshake)
	if err != nil || st.retiring.Load() {
		return nil
	}
	d := keys.DiscoveryKey(o.ID)
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
	if !l.enlist() {
		release()
		return nil
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

// rejectDue rejects the offers whose time has come, and tells whether there are others.
func (st *stream) rejectDue(now time.Time) (wait bool) {
	var due, later []offer
	st.mu.Lock()
	for _, o := range st.offers.rejects {
		if o.at.After(now) {
			later = append(later, o)
		} else {
			due = append(due, o)
		}
	}
	st.offers.rejects = later
	st.mu.Unlock()
	for _, o := range due {
		o.Reject()
		st.unoffer(keys.DiscoveryKey(o.ID))
	}
	return len(later) > 0
}

// unoffer forgets an offer that led to nothing. The core may have been opened here meanwhile, to read it.
func (st *stream) unoffer(d keys.DiscoveryKey) {
	st.mu.Lock()
	delete(st.offers.open, d)
	st.mu.Unlock()
	if r := st.set.Core(d); r != nil {
		st.open(r)
	}
}
