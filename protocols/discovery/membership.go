package discovery

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// JoinOptions say what to do for a topic.
type JoinOptions struct {
	// Announce tells others that this peer has joined; Lookup looks for others.
	Announce, Lookup bool
	// Found is told of each peer that is found, again with each lookup. It must not block.
	Found func(peer.AddrInfo)
}

// Membership is a topic that was joined. Several of one topic share what is done for it.
type Membership struct {
	f *Finder
	t Topic
	o JoinOptions

	leaving sync.Once
	left    chan struct{}
}

// Join joins a topic. It may be called before Run; what was joined is looked for and announced once that runs.
func (f *Finder) Join(t Topic, o JoinOptions) *Membership {
	m := &Membership{f: f, t: t, o: o, left: make(chan struct{})}
	f.mu.Lock()
	if f.joined[t] == nil {
		f.joined[t] = map[*Membership]struct{}{}
	}
	f.joined[t][m] = struct{}{}
	w := f.workers[t]
	fresh := w == nil
	if fresh {
		w = newWorker(t)
		f.workers[t] = w
	}
	w.changedLocked(f.needLocked(t))
	f.mu.Unlock()
	if fresh {
		f.hand(w)
	}
	return m
}

// hand has Run start a goroutine for a worker. Before Run there is nobody to; Run begins with all that wait.
func (f *Finder) hand(w *worker) {
	f.mu.Lock()
	running := f.running
	f.mu.Unlock()
	if !running {
		return
	}
	select {
	case f.work <- func(ctx context.Context) { f.tend(ctx, w) }:
	case <-f.done:
	}
}

// needLocked is what the members of a topic want together.
func (f *Finder) needLocked(t Topic) need {
	var n need
	for m := range f.joined[t] {
		n.announce = n.announce || m.o.Announce
		n.lookup = n.lookup || m.o.Lookup
	}
	n.any = len(f.joined[t]) > 0
	return n
}

// Leave ends the membership. Found is not called after it, but for a call that runs already.
func (m *Membership) Leave() {
	m.leaving.Do(func() {
		close(m.left)
		m.f.mu.Lock()
		defer m.f.mu.Unlock()
		delete(m.f.joined[m.t], m)
		w := m.f.workers[m.t]
		w.changedLocked(m.f.needLocked(m.t))
		if len(m.f.joined[m.t]) == 0 {
			delete(m.f.joined, m.t)
			delete(m.f.workers, m.t)
		}
	})
}

// Again looks once more, now, as when all peers of the topic were lost.
func (m *Membership) Again() {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	if w := m.f.workers[m.t]; w != nil {
		w.kickLocked()
	}
}

// Flush returns once the topic was announced in each network that has anybody to tell, and looked for once, as far as it
// was joined for that; or when ctx ends.
func (m *Membership) Flush(ctx context.Context) error {
	m.f.mu.Lock()
	w := m.f.workers[m.t]
	m.f.mu.Unlock()
	if w == nil {
		return ErrLeft
	}
	for _, wait := range []struct {
		wanted bool
		done   <-chan struct{}
	}{{m.o.Announce, w.announced}, {m.o.Lookup, w.looked}} {
		if !wait.wanted {
			continue
		}
		select {
		case <-wait.done:
		case <-m.left:
			return ErrLeft
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// found tells all members of a topic of a peer.
func (f *Finder) found(t Topic, p peer.AddrInfo) {
	f.mu.Lock()
	var tell []func(peer.AddrInfo)
	for m := range f.joined[t] {
		if m.o.Lookup && m.o.Found != nil {
			tell = append(tell, m.o.Found)
		}
	}
	f.mu.Unlock()
	for _, found := range tell {
		found(p)
	}
}
