package node

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/core/keys"
)

const (
	// maxKin is how many generations of parents are asked: a drive that is mounted in a drive that is mounted, and its contents.
	maxKin = 8

	// maxAround is how many cores the peers of the LAN are asked for that were not found for them. More are looked for.
	maxAround = 256
)

// mayAsk tells whether a peer is asked for a core: one that was found under its topic, is known by name, or was dialled by
// its address; and one of the LAN, for so many cores. Of a core that was not joined by itself, as the contents of a drive,
// those are asked that were found for the core to which it belongs; after a while, or if that is not known, all that were
// found for any other.
func (n *Node) mayAsk(remote []byte, d keys.DiscoveryKey) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(remote) == 32 || n.named[string(remote)] {
		return true // no peer id: a stock Hypercore peer, which the user has named or invited
	}
	t := n.topics[d]
	if n.kinLocked(peer.ID(remote), t) || n.lan[string(remote)] && n.aroundLocked(d) {
		return true
	}
	if t != nil && (t.holds > 0 || n.joinedLocked(t) && !t.wide) {
		return false
	}
	return n.trusted[string(remote)]
}

// kinLocked tells whether a peer was found for a core or one to which it belongs. What was joined by itself has peers of its
// own.
func (n *Node) kinLocked(p peer.ID, t *topic) bool {
	for hops := 0; t != nil && hops < maxKin; hops++ {
		if _, found := t.peers[p]; found {
			return true
		}
		if t.holds > 0 {
			return false
		}
		t = n.topics[t.parent]
	}
	return false
}

// joinedLocked tells whether a core belongs to one that was joined, so that there may be peers of that.
func (n *Node) joinedLocked(t *topic) bool {
	for hops := 0; t != nil && hops < maxKin; hops++ {
		if t.holds > 0 {
			return true
		}
		t = n.topics[t.parent]
	}
	return false
}

// aroundLocked tells whether the peers of the LAN may be asked for a core.
func (n *Node) aroundLocked(d keys.DiscoveryKey) bool {
	if !n.around[d] && len(n.around) < maxAround {
		n.around[d] = true
	}
	return n.around[d]
}

// adopt notes to which core another one belongs.
func (n *Node) adopt(d, parent keys.DiscoveryKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if parent != d {
		n.topicLocked(d).parent = parent
	}
}

// shared is told of a peer that has proven to know the key of a core: it counts as found for it, and is asked for what belongs
// to it.
func (n *Node) shared(remote []byte, d keys.DiscoveryKey) {
	p := peer.ID(remote)
	n.mu.Lock()
	t := n.topics[d]
	if t == nil || len(remote) == 32 {
		n.mu.Unlock()
		return
	}
	if t.sift(); len(t.peers) < maxTopicKnown {
		t.peers[p] = true
	}
	n.trustLocked(p)
	family := append(n.looseLocked(d), d)
	n.mu.Unlock()
	for _, d := range family {
		n.set.Seek(remote, d)
	}
}

// looseLocked are the cores that were not joined by themselves and belong to another one, or to nobody knows which.
func (n *Node) looseLocked(d keys.DiscoveryKey) (list []keys.DiscoveryKey) {
	for child, t := range n.topics {
		if t.holds == 0 && child != d && (t.parent == d || t.parent == keys.DiscoveryKey{}) {
			list = append(list, child)
		}
	}
	return list
}
