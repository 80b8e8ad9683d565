package netlab

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// assault is attackers of one kind, with what they do.
type assault struct {
	role        string
	peers, rate int
	what        string
}

// assaults are what goes on at the same time, at nice 19.
func assaults() []assault {
	return []assault{
		{"silent", 16, 1, "16 peers that open a stream and say nothing"},
		{"slow", 16, 10, "16 peers that send a frame at 10 bytes a second"},
		{"flood", 2, 500, "2 peers that open 500 channels a second each, for cores that nobody has"},
		{"reconnect", 4, 8, "new peers, of which 8 a second try"},
	}
}

// TestAttackedTransfer measures how fast an honest peer fetches from a node while others attack that, and while they attack
// a sink that takes the same load; in turns, on the same machine.
func TestAttackedTransfer(t *testing.T) {
	mib, rounds, most, least := 32, 1, 5, 0.5 // a short transfer on a busy machine varies much: it is measured again before it fails
	if long() {
		mib, rounds, most, least = 256, 7, 7, 0.9
	}
	if testing.Short() {
		t.Skip("not in a short run")
	}
	l := newLAN(t)
	a := l.machine().share(bulk(t, mib), onLAN())
	other := l.machine()
	var self heardFrom
	other.role("sink", part{}, false).line(&self)
	aside := fmt.Sprintf("/ip4/%s/tcp/4977/p2p/%s", other.ip4, self.Peer)
	for _, x := range assaults() {
		t.Log(x.what)
	}
	from := make([]*machine, len(assaults()))
	for i := range from {
		from[i] = l.machine()
	}
	var calm, attacked []float64
	reader := l.machine()
	ratio := 0.0
	for round := 1; round <= rounds || round <= most && ratio < least; round++ {
		calm = append(calm, underAttack(reader, from, aside, a))
		attacked = append(attacked, underAttack(reader, from, a.Addresses[0], a))
		ratio = median(attacked) / median(calm)
	}
	t.Logf("%.0f MiB/s while a sink was attacked, %.0f while the node was: %.2f of it (%.0f, %.0f)", median(calm), median(attacked), ratio,
		calm, attacked)
	if ratio < least {
		t.Errorf("the attacked node is %.2f as fast, want at least %.2f", ratio, least)
	}
}

// underAttack returns how many MiB a second a reader gets of a folder while others attack.
func underAttack(reader *machine, from []*machine, victim string, a *shared) float64 {
	var all []*process
	for i, x := range assaults() {
		p := from[i].role(x.role, part{Peer: victim, Peers: x.peers, Rate: x.rate}, true)
		p.line(&ready{})
		all = append(all, p)
	}
	time.Sleep(time.Second) // the attack is under way
	p := reader.role("reader", part{Key: a.Key, Peer: a.Addresses[0]}, false)
	p.ok()
	var v verified
	p.last(&v)
	for _, p := range all {
		p.kill()
	}
	return float64(v.Blocks) * block / (1 << 20) / v.Took
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
