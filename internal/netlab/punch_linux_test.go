package netlab

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// report is what a node tells of itself.
type report struct {
	Addresses []string
	Reachable []string
	Networks  []netStatus
}

// status asks a node that runs on a machine, with the store in a folder.
func (m *machine) status(store string) (r report) {
	m.t.Helper()
	p := m.hypernode(store, append([]string{"node", "status"}, quiet()...)...)
	p.ok()
	p.line(&r)
	return r
}

// network is what it tells of a network.
func (r report) network(name string) netStatus {
	i := slices.IndexFunc(r.Networks, func(n netStatus) bool { return n.Name == name })
	if i < 0 {
		return netStatus{}
	}
	return r.Networks[i]
}

// relayed tells that it can be reached through a relay.
func (r report) relayed() bool {
	return slices.ContainsFunc(r.Addresses, func(a string) bool { return strings.Contains(a, "/p2p-circuit") })
}

// peersOf are the addresses at which a running node is connected to a peer.
func (m *machine) peersOf(store, peer string) (list []string) {
	m.t.Helper()
	p := m.hypernode(store, append([]string{"peers"}, quiet()...)...)
	p.ok()
	for range len(p.lines) {
		var one struct {
			Peer      string
			Addresses []string
		}
		if p.line(&one); one.Peer == peer {
			list = one.Addresses
		}
	}
	return list
}

// crossing is two machines behind routers, which both know a relay, and a folder that the first of them shares.
type crossing struct {
	relay, from, to *machine
	sharer          *server
	folder, key     string
	s               settings
}

// newCrossing makes one, with a bulk of so many MiB, in which only some transports are spoken.
func newCrossing(t *testing.T, ports uint32, mib int, transports ...string) *crossing {
	t.Helper()
	l := newInternet(t)
	c := &crossing{relay: l.machine(), from: l.behindNAT(ports).machine(), to: l.behindNAT(ports).machine(), folder: bulk(t, mib)}
	common := wide()
	if transports != nil {
		common = common.speaking(transports...)
	}
	boot := c.relay.run(common.with("network.relay", "server"))
	c.s = common.entering(boot.at())
	l.machine().run(c.s) // another one that can be reached, of whom the others learn where they are seen
	c.sharer = c.from.run(c.s)
	var told shared
	p := c.from.hypernode("node", append(settings{"share", c.folder}, quiet()...)...)
	p.line(&told)
	c.key = told.Key
	began := time.Now()
	until(t, "a relay", func() bool { return c.from.status("node").relayed() })
	t.Logf("who is behind a router has a relay after %s", seconds(time.Since(began)))
	c.to.run(c.s)
	return c
}

// fetch fetches the folder, and tells how many bytes the relay got meanwhile.
func (c *crossing) fetch(t *testing.T) (relayed int64) {
	t.Helper()
	before, began := c.relay.received(), time.Now()
	p := c.to.hypernode("node", append(settings{"get", c.key, c.to.copy(), "--timeout", "50s"}, quiet()...)...)
	p.result()
	t.Logf("fetched in %s", seconds(time.Since(began)))
	same(t, c.folder, c.to.copy())
	return c.relay.received() - before
}

// TestHolePunching has two machines, each behind a router that lets in nothing but answers, share and fetch. They meet at a
// relay, and are through to each other before the first block: the relay carries next to nothing.
func TestHolePunching(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not in a short run")
	}
	for _, transport := range []string{"tcp", "quic"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			const mib = 8
			c := newCrossing(t, samePort, mib, transport)
			if got := c.fetch(t); got > mib<<20/4 {
				t.Errorf("the relay got %d bytes", got)
			}
			direct := func(a string) bool { return !strings.Contains(a, "/p2p-circuit") }
			if list := c.to.peersOf("node", c.sharer.Peer); !slices.ContainsFunc(list, direct) {
				t.Errorf("connected at %v", list)
			}
		})
	}
}

// TestRelayed is the same with routers through which no hole can be punched. All goes through the relay, and more than one
// connection may carry.
func TestRelayed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not in a short run")
	}
	const mib = 20
	c := newCrossing(t, randomPort, mib)
	if got := c.fetch(t); got < mib<<20 {
		t.Errorf("the relay got %d bytes", got)
	}
}

// TestReachability has nodes learn from others whether they can be reached: one that can serves the DHT, and one behind a router
// does not, and shows the address of a relay.
func TestReachability(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not in a short run")
	}
	l := newInternet(t)
	boot := l.machine().run(wide().with("network.relay", "server"))
	open, hidden := l.machine(), l.behindNAT(samePort).machine()
	for range 3 {
		l.machine().run(wide(boot.at()))
	}
	open.run(wide(boot.at()))
	hidden.run(wide(boot.at()))
	began := time.Now()
	until(t, "word that it can be reached", func() bool {
		r := open.status("node")
		return len(r.Reachable) > 0 && r.network("/hypernode").Serves && strings.Contains(r.Reachable[0], open.ip4)
	})
	t.Logf("known to be reachable after %s", seconds(time.Since(began)))
	until(t, "a relay", func() bool { return hidden.status("node").relayed() })
	if r := hidden.status("node"); len(r.Reachable) > 0 || r.network("/hypernode").Serves {
		t.Errorf("behind a router: %+v", r)
	}
}
