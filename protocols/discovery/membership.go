package discovery

import (
	"context"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
)

// JoinOptions say what to do for a topic.
type JoinOptions struct {
	// Announce tells others that this peer has joined; Lookup looks for others.
	Announce, Lookup bool
	// Background lets others go first: those who wait for what they look for.
	Background bool
	// Found is told of each peer that is found, again with each lookup. It must not block.
	Found func(peer.AddrInfo)
}

// Membership is a topic that was joined. Several of one topic share what is done for it.
type Membership struct {
	f *Finder
	s *subject
	o JoinOptions

	left bool          // guarded by the Finder's lock
	at   [kinds]uint64 // subject.asked when it was joined, of what it wants
}

func (m *Membership) wants(k kind) bool {
	if k == looking {
		return m.o.Lookup
	}
	return m.o.Announce
}

// Join joins a topic. It may be called before Run; what was joined is looked for and announced once that runs. A topic that is
// looked for already is looked for once more, so that all members hear of all peers.
func (f *Finder) Join(t Topic, o JoinOptions) *Membership {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.subjects[t]
	if s == nil {
		s = &subject{topic: t, duties: make([]duty, int(kinds)*len(f.o.Routers))}
		for i := range s.duties {
			s.duties[i] = duty{s: s, router: i % len(f.o.Routers), kind: kind(i / len(f.o.Routers))}
		}
		f.subjects[t] = s
	}
	m := &Membership{f: f, s: s, o: o}
	if o.Lookup {
		s.asked[looking]++
	}
	if o.Announce && !s.wants(announcing) {
		s.asked[announcing]++
	}
	for k := range kinds {
		if m.wants(k) {
			m.at[k] = s.asked[k]
		}
	}
	f.changeLocked(s, func() { s.members = append(s.members, m) })
	return m
}

// Leave ends the membership. Found is not called after it, but for a call that runs already.
func (m *Membership) Leave() {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	if m.left {
		return
	}
	m.left = true
	m.f.changeLocked(m.s, func() {
		m.s.members = slices.DeleteFunc(m.s.members, func(other *Membership) bool { return other == m })
	})
	m.s.changedLocked()
}

// changeLocked has fn change the members of a topic, and the rest follow.
func (f *Finder) changeLocked(s *subject, fn func()) {
	count := func(sign int) {
		if len(s.members) > 0 {
			f.joined += sign
		}
		if s.wants(looking) {
			f.looked += sign
		}
	}
	count(-1)
	fn()
	count(1)
	f.adjustLocked(s)
}

// Again looks once more, now, as when all peers of the topic were lost.
func (m *Membership) Again() {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	if !m.left && m.o.Lookup {
		m.s.asked[looking]++
		m.f.adjustLocked(m.s)
	}
}

// Flush returns once the topic was announced in each network that has anybody to tell, and looked for once, as far as it
// was joined for that; or when ctx ends. It fails with ErrLeft after Leave, with ErrEnded after the end of Run.
func (m *Membership) Flush(ctx context.Context) error {
	for {
		changed, err := m.pending()
		if changed == nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// pending returns a channel that is closed when something has been done of what Flush waits for, nil when it waits no more.
func (m *Membership) pending() (changed <-chan struct{}, err error) {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	switch {
	case m.left:
		return nil, ErrLeft
	case !slices.ContainsFunc(m.s.duties, func(d duty) bool { return d.done < m.at[d.kind] }):
		return nil, nil
	case m.f.ended:
		return nil, ErrEnded
	}
	if m.s.changed == nil {
		m.s.changed = make(chan struct{})
	}
	return m.s.changed, nil
}

// found tells all members of a topic of a peer.
func (f *Finder) found(t Topic, p peer.AddrInfo) {
	f.mu.Lock()
	var tell []func(peer.AddrInfo)
	if s := f.subjects[t]; s != nil {
		for _, m := range s.members {
			if m.o.Lookup && m.o.Found != nil {
				tell = append(tell, m.o.Found)
			}
		}
	}
	f.mu.Unlock()
	for _, found := range tell {
		found(p)
	}
}
