package node

import (
	"maps"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
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
// found for any other. One that is written here is offered to those alone that were found under its topic, unless all is offered
// to all.
func (n *Node) mayAsk(remote []byte, d keys.DiscoveryKey, wanted bool) bool {
	if n.config.Replication.AnnounceToAll == config.On {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !wanted {
		t := n.topics[d]
		return t != nil && t.peers[peer.ID(remote)] != 0
	}
	if len(remote) == stockID || n.named[string(remote)] {
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
		if t.peers[p] != 0 {
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

// aroundLocked tells whether the peers of the LAN may be asked for a core. Cores of which nothing is missing make room.
func (n *Node) aroundLocked(d keys.DiscoveryKey) bool {
	if n.around[d] {
		return true
	}
	if len(n.around) >= maxAround {
		maps.DeleteFunc(n.around, func(d keys.DiscoveryKey, _ bool) bool { return n.topics[d] == nil || n.topics[d].live == 0 })
	}
	if len(n.around) < maxAround {
		n.around[d] = true
	}
	return n.around[d]
}

// adopt notes to which core another one belongs.
func (n *Node) adopt(d, parent keys.DiscoveryKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if parent == d {
		return
	}
	t := n.topicLocked(d)
	n.loose.drop(d, t)
	t.parent = parent
	n.loose.add(d, t)
}

// shared is told of a peer that has proven to know the key of a core: it counts as found for it, and is asked for what belongs
// to it.
func (n *Node) shared(remote []byte, d keys.DiscoveryKey) {
	p := peer.ID(remote)
	n.mu.Lock()
	t := n.topics[d]
	if t == nil || len(remote) == stockID {
		n.mu.Unlock()
		return
	}
	t.note(p, chosen)
	n.trustLocked(p)
	family := append(n.looseLocked(d), d)
	n.mu.Unlock()
	n.host.ConnManager().TagPeer(p, coreTag, coreWorth)
	for _, d := range family {
		n.set.Seek(remote, d)
	}
}

// looseLocked are the cores that were not joined by themselves and belong to another one, or to nobody knows which.
func (n *Node) looseLocked(d keys.DiscoveryKey) (list []keys.DiscoveryKey) {
	for _, parent := range []keys.DiscoveryKey{d, {}} {
		for child := range n.loose[parent] {
			if child != d {
				list = append(list, child)
			}
		}
	}
	return list
}

// loose is the cores that were not joined by themselves, by the core to which they belong, which is zero if that is not known.
type loose map[keys.DiscoveryKey]map[keys.DiscoveryKey]struct{}

func (l loose) add(d keys.DiscoveryKey, t *topic) {
	if t.holds > 0 {
		return
	}
	if l[t.parent] == nil {
		l[t.parent] = map[keys.DiscoveryKey]struct{}{}
	}
	l[t.parent][d] = struct{}{}
}

func (l loose) drop(d keys.DiscoveryKey, t *topic) {
	if t.holds > 0 {
		return
	}
	if delete(l[t.parent], d); len(l[t.parent]) == 0 {
		delete(l, t.parent)
	}
}
