package node

import (
	"context"
	"maps"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/discovery"
	"github.com/hypernode/hypernode/protocols/replicate"
)

const (
	// maxTrusted is how many peers are remembered as found for any topic, and maxFriends how many as neighbours.
	maxTrusted = 4096
	maxFriends = 1024
)

// topic is what the node knows of a core's peers.
type topic struct {
	holds    int // who holds the topic: open cores and seeds
	announce *discovery.Membership
	lookup   *discovery.Membership
	// background tells that lookup lets others go first.
	background bool
	peers      map[peer.ID]standing // that were found

	parent keys.DiscoveryKey // the core to which this one belongs, zero if none
	wide   bool              // asked of others than the parent's peers too
	live   int               // wants that are being fetched
}

// hold joins a core's topic until release is called. In the background means that others are announced and looked for first,
// unless the topic is joined already. For one that is written here others are looked for in the background in any case.
func (n *Node) hold(d keys.DiscoveryKey, written, background bool) (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.topicLocked(d)
	n.holdLocked(d, t, 1)
	if t.announce == nil && n.config.Discovery.Profile != config.Offline {
		t.announce = n.finder.Join(discovery.Topic(d), discovery.JoinOptions{Announce: true, Background: background})
	}
	n.lookLocked(d, t, background || written)
	released := false
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if released {
			return
		}
		released = true
		if n.holdLocked(d, t, -1); t.holds == 0 {
			leave(&t.announce)
			leave(&t.lookup)
		}
	}
}

func (n *Node) topicLocked(d keys.DiscoveryKey) *topic {
	t := n.topics[d]
	if t == nil {
		t = &topic{peers: map[peer.ID]standing{}}
		n.topics[d] = t
		n.loose.add(d, t)
	}
	return t
}

// holdLocked counts who holds a topic.
func (n *Node) holdLocked(d keys.DiscoveryKey, t *topic, by int) {
	n.loose.drop(d, t)
	t.holds += by
	if n.topics[d] == t {
		n.loose.add(d, t)
	}
}

// lookLocked has a core looked for, at once even if it was looked for in the background.
func (n *Node) lookLocked(d keys.DiscoveryKey, t *topic, background bool) {
	if n.config.Discovery.Profile == config.Offline || t.lookup != nil && (background || !t.background) {
		return
	}
	old := t.lookup
	t.background = background
	t.lookup = n.finder.Join(discovery.Topic(d), discovery.JoinOptions{
		Lookup: true, Background: background, Found: func(p peer.AddrInfo) { n.found(d, p) },
	})
	leave(&old)
}

func leave(m **discovery.Membership) {
	if *m != nil {
		(*m).Leave()
		*m = nil
	}
}

// want has peers looked for while something of a core is wanted: at once for a core whose topic is held, else once those of
// other cores had their time. In the background means that what others want is looked for first.
func (n *Node) want(d keys.DiscoveryKey, background bool) (stop func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.topicLocked(d)
	t.live++
	n.wants[d] = t
	if t.holds > 0 {
		n.lookLocked(d, t, background)
	}
	if t.lookup != nil {
		return func() { n.unwant(d, t) }
	}
	timer := time.AfterFunc(patience, func() { n.widen(d, t, background) })
	return func() {
		timer.Stop()
		n.unwant(d, t)
	}
}

// widen has a core looked for by itself, and asked of all that were found for any other.
func (n *Node) widen(d keys.DiscoveryKey, t *topic, background bool) {
	n.mu.Lock()
	late := n.closed || n.topics[d] != t
	if !late {
		t.wide = true
		n.lookLocked(d, t, background)
	}
	n.mu.Unlock()
	if late {
		return
	}
	for _, p := range n.service.Peers() {
		n.set.Seek([]byte(p), d)
	}
}

// unwant notes the end of a want.
func (n *Node) unwant(d keys.DiscoveryKey, t *topic) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t.live--; t.live == 0 && n.topics[d] == t {
		delete(n.around, d)
		delete(n.wants, d)
	}
}

// calm ends the search for a core of which nothing is wanted any more, unless it was joined by itself.
func (n *Node) calm(d keys.DiscoveryKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.topics[d]; t != nil && t.holds == 0 && t.live == 0 {
		leave(&t.lookup)
		t.wide = false
	}
}

// forget drops what is known of a core that is closed.
func (n *Node) forget(d keys.DiscoveryKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.topics[d]; t != nil && t.holds == 0 {
		leave(&t.announce)
		leave(&t.lookup)
		n.loose.drop(d, t)
		delete(n.topics, d)
		delete(n.around, d)
		delete(n.wants, d)
	}
}

// trustLocked notes a peer that was found for some core. When they are too many, those that are not connected go.
func (n *Node) trustLocked(p peer.ID) {
	if len(n.trusted) >= maxTrusted {
		maps.DeleteFunc(n.trusted, func(p string, _ bool) bool {
			return n.host.Network().Connectedness(peer.ID(p)) != network.Connected
		})
	}
	if len(n.trusted) < maxTrusted {
		n.trusted[string(p)] = true
	}
}

// lost notes that the last stream with a peer has ended. What is wanted and has no other peer left is looked for again at once:
// the next lookup may be far.
func (n *Node) lost(p peer.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.wants {
		if t.peers[p] == 0 || t.lookup == nil || t.background {
			continue
		}
		left := false
		for other, s := range t.peers {
			left = left || s != failed && other != p && n.service.Connected(other)
		}
		if !left {
			t.lookup.Again()
		}
	}
}

// hint tells of a peer that may hold a core, as an address with hints does.
func (n *Node) hint(d keys.DiscoveryKey, p peer.AddrInfo) {
	n.mu.Lock()
	n.topicLocked(d)
	n.mu.Unlock()
	n.found(d, p)
}

// befriend notes a peer of the LAN, or one known by name: it may be asked for what it was not found for.
func (n *Node) befriend(p peer.AddrInfo, named bool) {
	if p.ID == n.host.ID() {
		return
	}
	n.mu.Lock()
	fresh := !n.lan[string(p.ID)]
	if named {
		n.named[string(p.ID)] = true
	}
	if fresh && len(n.lan) >= maxFriends {
		n.mu.Unlock()
		return
	}
	n.lan[string(p.ID)] = true
	n.trustLocked(p.ID)
	n.mu.Unlock()
	n.dialer.want(p)
	if fresh && n.service.Connected(p.ID) {
		n.seekAll(p.ID)
	}
}

// seekAll has the set ask a peer for all that is wanted.
func (n *Node) seekAll(p peer.ID) {
	n.mu.Lock()
	all := make([]keys.DiscoveryKey, 0, len(n.topics))
	for d := range n.topics {
		all = append(all, d)
	}
	n.mu.Unlock()
	for _, d := range all {
		n.set.Seek([]byte(p), d)
	}
}

// searched returns once a core was looked for in each network that has somebody to ask, the peers that were found have been
// dialled, and those that answered have joined the core.
func (n *Node) searched(ctx context.Context, d keys.DiscoveryKey, r *replicate.Replicator) {
	n.mu.Lock()
	t := n.topics[d]
	var m *discovery.Membership
	if t != nil {
		m = t.lookup
	}
	n.mu.Unlock()
	if m != nil {
		m.Flush(ctx)
	}
	candidates := func() []peer.ID {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.candidatesLocked(t)
	}
	n.dialer.settled(ctx, candidates)
	n.plain.settled(ctx)
	ctx, cancel := context.WithTimeout(ctx, joining)
	defer cancel()
	for ctx.Err() == nil && r.Stats().Peers < n.connected(candidates())+n.plain.connected() {
		sleep(ctx, 5*time.Millisecond)
	}
}

// connected counts those of a list with whom a stream stands.
func (n *Node) connected(list []peer.ID) (count int) {
	for _, p := range list {
		if n.service.Connected(p) {
			count++
		}
	}
	return count
}

// candidatesLocked are the peers that may hold what a topic stands for.
func (n *Node) candidatesLocked(t *topic) (list []peer.ID) {
	for hops := 0; t != nil && hops < maxKin; hops++ {
		for p, s := range t.peers {
			if s == chosen {
				list = append(list, p)
			}
		}
		t = n.topics[t.parent]
	}
	for p := range n.lan {
		list = append(list, peer.ID(p))
	}
	return list
}

// Hint tells of peers that may hold a core. They are connected, and asked for it when it is wanted.
func (n *Node) Hint(d keys.DiscoveryKey, peers ...peer.AddrInfo) {
	for _, p := range peers {
		n.hint(d, p)
	}
}
