package netlab

import (
	"testing"
	"time"
)

// transports are what a node can be limited to.
func transports() []string {
	return []string{"tcp", "quic", "webtransport", "websocket", "webrtc-direct"}
}

// TestShare has a folder shared on one machine and fetched on another; both know only a third, which neither has nor wants
// the folder.
func TestShare(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	passOn(t, l, onLAN)
}

// TestShareByEachTransport is the same with each transport alone, on all three machines.
func TestShareByEachTransport(t *testing.T) {
	t.Parallel()
	for _, name := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "quic" {
				t.Skip("not in a short run")
			}
			passOn(t, newLAN(t), func(bootstrap ...string) settings { return onLAN(bootstrap...).speaking(name) })
		})
	}
}

// TestShareAcrossTheInternet is the same between public addresses, each in a network of its own.
func TestShareAcrossTheInternet(t *testing.T) {
	t.Parallel()
	passOn(t, newInternet(t), wide)
}

// passOn shares a tree on one machine and fetches it on another.
func passOn(t *testing.T, l *lan, with func(bootstrap ...string) settings) {
	t.Helper()
	boot, folder := l.machine().run(with()), tree(t)
	a := l.machine().share(folder, with(boot.at()))
	m := l.machine()
	began := time.Now()
	res := m.get(a.Key, with(boot.at())).result()
	t.Logf("%d files, %d bytes fetched in %s", res.Files, res.Fetched, seconds(time.Since(began)))
	same(t, folder, m.copy())
}

// TestShareOnLAN has two machines find each other by multicast, on a network without a route to anywhere, and without a
// node that either knows.
func TestShareOnLAN(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	s := append(quiet(), "--profile", "lan")
	folder := tree(t)
	a := l.machine().share(folder, s)
	m := l.machine()
	began := time.Now()
	m.get(a.Key, s).result()
	t.Logf("found and fetched in %s", seconds(time.Since(began)))
	same(t, folder, m.copy())
}

// TestManyTransports has a node that speaks all transports between others that speak one each, none the same: what the first
// one shares reaches the others through it.
func TestManyTransports(t *testing.T) {
	t.Parallel()
	l, folder := newLAN(t), tree(t)
	middle := l.machine()
	m := middle.run(onLAN())
	a := l.machine().share(folder, onLAN(m.reachedBy("/tcp/")).speaking("tcp"))
	seed := append(settings{"seed", a.Key}, onLAN()...)
	middle.hypernode("node", seed...).ok()
	until(t, "the drive in the middle", func() bool { // else it has nothing to tell yet
		return middle.hypernode("node", "drive", "ls", a.Key, "--json").code() == 0
	})
	for _, one := range []struct{ transport, part string }{{"quic", "/quic-v1/p2p"}, {"webtransport", "/webtransport"}} {
		to := l.machine()
		to.get(a.Key, onLAN(m.reachedBy(one.part)).speaking(one.transport)).result()
		same(t, folder, to.copy())
		t.Logf("from tcp to %s", one.transport)
	}
}

// TestSecondSeeder takes the first of two seeders away when a part of the folder is fetched. The second has come later, and
// has all by then.
func TestSecondSeeder(t *testing.T) {
	t.Parallel()
	const mib = 24
	l, folder := newLAN(t), bulk(t, mib)
	boot := l.machine().run(onLAN())
	a := l.machine().share(folder, onLAN(boot.at()))
	second := l.machine()
	second.run(onLAN(boot.at()))
	second.hypernode("node", append(settings{"seed", a.Key}, onLAN()...)...).ok()
	until(t, "the second copy", func() bool { return second.received() > mib<<20 })
	m := l.machine()
	m.slow(16)
	g := m.get(a.Key, onLAN(boot.at()))
	until(t, "half of it", func() bool { return m.received() > mib<<20/2 || g.over() })
	if g.over() {
		t.Fatalf("it was fetched too fast for this test: %s", &g.said)
	}
	a.kill()
	g.result()
	same(t, folder, m.copy())
}
