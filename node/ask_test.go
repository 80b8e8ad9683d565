package node

import (
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/keys"
)

func asking() *Node {
	return &Node{
		topics: map[keys.DiscoveryKey]*topic{}, trusted: map[string]bool{}, lan: map[string]bool{}, named: map[string]bool{},
		around: map[keys.DiscoveryKey]bool{}, loose: loose{}, wants: map[keys.DiscoveryKey]*topic{},
	}
}

// TestParentsPeersFirst has a drive that is mounted in another one: its contents are asked of peers of either, and only after
// a while of strangers that were found for something else.
func TestParentsPeersFirst(t *testing.T) {
	n := asking()
	parent, child, content := keys.DiscoveryKey{1}, keys.DiscoveryKey{2}, keys.DiscoveryKey{3}
	n.topicLocked(parent).holds = 1
	n.topics[parent].peers["friend"] = chosen
	n.trusted["friend"], n.trusted["other"] = true, true
	n.adopt(child, parent)
	n.adopt(content, child)
	n.adopt(content, content) // nobody's own parent
	expect := func(p string, d keys.DiscoveryKey, want bool) {
		t.Helper()
		if got := n.mayAsk([]byte(p), d, true); got != want {
			t.Errorf("%s may be asked for %d: %v", p, d[0], got)
		}
	}
	for _, d := range []keys.DiscoveryKey{parent, child, content} {
		expect("friend", d, true)
		expect("other", d, false)
		expect("stranger", d, false)
		expect("01234567890123456789012345678901", d, true) // a stock peer
	}
	n.topics[content].wide = true
	expect("other", content, true)
	expect("stranger", content, false)
	expect("other", child, false)
	expect("other", keys.DiscoveryKey{9}, true) // belongs to nobody knows which
	n.topics[child].holds = 1                   // joined by itself: it has peers of its own
	expect("friend", child, false)
	if list := n.candidatesLocked(n.topics[content]); len(list) != 1 || list[0] != peer.ID("friend") {
		t.Errorf("candidates are %v", list)
	}
}

// TestCircleOfParents has two cores that name each other.
func TestCircleOfParents(t *testing.T) {
	n := asking()
	n.adopt(keys.DiscoveryKey{1}, keys.DiscoveryKey{2})
	n.adopt(keys.DiscoveryKey{2}, keys.DiscoveryKey{1})
	if n.mayAsk([]byte("stranger"), keys.DiscoveryKey{1}, true) {
		t.Error("a stranger was asked")
	}
}

// TestLANIsAskedForSoMany asks the peers of the LAN for so many cores, those that are known by name for all.
func TestLANIsAskedForSoMany(t *testing.T) {
	n := asking()
	n.lan["neighbour"], n.lan["friend"], n.named["friend"] = true, true, true
	asked := 0
	for i := range 2 * maxAround {
		d := keys.DiscoveryKey{byte(i), byte(i >> 8)}
		n.topicLocked(d).live = 1
		if n.mayAsk([]byte("neighbour"), d, true) {
			asked++
		}
		if !n.mayAsk([]byte("friend"), d, true) {
			t.Fatal("who is known by name was not asked")
		}
	}
	if asked != maxAround {
		t.Errorf("asked for %d", asked)
	}
	done := keys.DiscoveryKey{0}
	n.unwant(done, n.topics[done])
	if !n.mayAsk([]byte("neighbour"), keys.DiscoveryKey{255, 255}, true) {
		t.Error("what is done leaves no room")
	}
	for i := range maxAround {
		n.topics[keys.DiscoveryKey{byte(i), byte(i >> 8)}].live = 0 // they stay open, complete
	}
	if !n.mayAsk([]byte("neighbour"), keys.DiscoveryKey{254, 255}, true) {
		t.Error("what rests leaves no room")
	}
}

// TestLooseCores keeps the list of cores that belong to others right while they are joined and left.
func TestLooseCores(t *testing.T) {
	n := asking()
	parent, content, stray := keys.DiscoveryKey{1}, keys.DiscoveryKey{2}, keys.DiscoveryKey{3}
	n.adopt(content, parent)
	n.topicLocked(stray)
	expect := func(when string, want ...keys.DiscoveryKey) {
		t.Helper()
		got := n.looseLocked(parent)
		slices.SortFunc(got, func(a, b keys.DiscoveryKey) int { return int(a[0]) - int(b[0]) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	expect("at first", content, stray)
	n.holdLocked(content, n.topics[content], 1)
	n.holdLocked(content, n.topics[content], 1)
	expect("joined", stray)
	n.holdLocked(content, n.topics[content], -1)
	expect("left once", stray)
	n.holdLocked(content, n.topics[content], -1)
	expect("left", content, stray)
	n.adopt(stray, keys.DiscoveryKey{9})
	expect("adopted by another", content)
	n.forget(content)
	expect("closed")
	n.forget(stray)
	if len(n.loose) != 0 {
		t.Errorf("left over: %v", n.loose)
	}
}

// TestOffered has a core that is written here, of which nothing is wanted: those are asked that were found for it, and else nobody
// whoever they are.
func TestOffered(t *testing.T) {
	n := asking()
	d := keys.DiscoveryKey{1}
	n.topicLocked(d).holds = 1
	n.topics[d].peers["seed"] = chosen
	n.trusted["other"], n.named["named"], n.lan["neighbour"] = true, true, true
	for _, p := range []string{"seed", "other", "named", "neighbour", "01234567890123456789012345678901"} {
		if got := n.mayAsk([]byte(p), d, false); got != (p == "seed") {
			t.Errorf("%s is asked: %v", p, got)
		}
	}
	if n.config.Replication.AnnounceToAll = config.On; !n.mayAsk([]byte("stranger"), d, false) {
		t.Error("not announced to all")
	}
}

// TestCrowded has more peers of a topic found than are connected: more for what somebody reads than for what is seeded.
func TestCrowded(t *testing.T) {
	for most, topic := range map[int]*topic{maxTopicPeers: {}, maxSeedPeers: {background: true}} {
		topic.peers = map[peer.ID]standing{}
		for i := range most {
			if !topic.choose(peer.ID([]byte{byte(i)})) {
				t.Fatalf("%d are a crowd", i)
			}
			topic.peers[peer.ID([]byte{byte(i), 0})] = failed
		}
		for i := range 2 * maxTopicKnown {
			if topic.choose(peer.ID([]byte{byte(i), byte(i >> 8), 1})) {
				t.Errorf("%d are none", most)
			}
		}
		counts := map[standing]int{}
		for _, s := range topic.peers {
			counts[s]++
		}
		if counts[chosen] != most || len(topic.peers) != maxTopicKnown {
			t.Errorf("%d are known, %d of them chosen", len(topic.peers), counts[chosen])
		}
		if late := peer.ID("late"); !topic.note(late, chosen) || topic.peers[late] != chosen {
			t.Error("no room for one that is connected")
		}
	}
}
