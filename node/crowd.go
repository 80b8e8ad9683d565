package node

import (
	"maps"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/core/keys"
)

const (
	// maxTopicPeers is how many peers of one topic are connected, or being dialled; more that are found wait for a place.
	maxTopicPeers = 32

	// maxSeedPeers is the same for a topic in the background, for which nobody waits: so many bring news, and others that want
	// something of it come by themselves.
	maxSeedPeers = 8

	// maxTopicKnown is how many peers of one topic are remembered.
	maxTopicKnown = 256
)

// standing is how a peer of a topic stands.
type standing uint8

const (
	chosen standing = iota + 1 // connected, or being dialled
	spare                      // it gets the place of one that cannot be reached: of those that are found many may be gone
	failed                     // it could not be reached, which is tried again in time
)

// full tells whether no more peers are dialled.
func (t *topic) full() bool {
	most := maxTopicPeers
	if t.background {
		most = maxSeedPeers
	}
	for _, s := range t.peers {
		if s == chosen {
			most--
		}
	}
	return most <= 0
}

// note writes down how a peer stands. When too many are known others are forgotten, those that could not be reached and then
// those that wait; false means that there was no room all the same.
func (t *topic) note(p peer.ID, s standing) bool {
	if t.peers[p] == 0 && len(t.peers) >= maxTopicKnown {
		maps.DeleteFunc(t.peers, func(_ peer.ID, old standing) bool { return old == failed || old == spare && s == chosen })
	}
	if t.peers[p] == 0 && len(t.peers) >= maxTopicKnown {
		return false
	}
	t.peers[p] = s
	return true
}

// choose decides what becomes of a peer that was found, and tells whether it is to be connected.
func (t *topic) choose(p peer.ID) bool {
	switch s := t.peers[p]; {
	case s == chosen:
		return true
	case t.full():
		if s == 0 {
			t.note(p, spare)
		}
		return false
	case s == failed: // it takes no place before it is reached
		return true
	}
	return t.note(p, chosen)
}

// found is told of a peer that has announced a core.
func (n *Node) found(d keys.DiscoveryKey, p peer.AddrInfo) {
	n.mu.Lock()
	t := n.topics[d]
	if t == nil || p.ID == n.host.ID() {
		n.mu.Unlock()
		return
	}
	if !t.choose(p.ID) {
		waits := t.peers[p.ID] == spare
		n.mu.Unlock()
		if waits {
			n.host.Peerstore().AddAddrs(p.ID, p.Addrs, addressTime)
		}
		return
	}
	n.trustLocked(p.ID)
	family := append(n.looseLocked(d), d)
	n.mu.Unlock()
	n.dialer.want(p)
	for _, d := range family {
		n.set.Seek([]byte(p.ID), d)
	}
}

// missed notes that a peer could not be reached: one that waits gets its place.
func (n *Node) missed(p peer.ID) {
	next := map[keys.DiscoveryKey]peer.ID{}
	n.mu.Lock()
	for d, t := range n.topics {
		if t.peers[p] != chosen {
			continue
		}
		t.peers[p] = failed
		for other, s := range t.peers {
			if s == spare {
				next[d] = other
				break
			}
		}
	}
	n.mu.Unlock()
	for d, p := range next {
		n.found(d, peer.AddrInfo{ID: p})
	}
}

// reached notes that a stream with a peer stands, also with one that could not be reached before.
func (n *Node) reached(p peer.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.topics {
		if t.peers[p] == failed {
			t.peers[p] = chosen
		}
	}
}
