package node_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/swarm"
	"github.com/hypernode/hypernode/protocols"
)

// TestBootstrap has two nodes that know only a third one find each other.
func TestBootstrap(t *testing.T) {
	boot := start(t, local())
	a, b := start(t, local(boot)), start(t, local(boot))
	b.read(t, a.write(t, "core", 10))
}

func TestHints(t *testing.T) {
	c := local()
	c.Discovery.Profile = config.Offline
	a, b := start(t, c), start(t, c)
	b.read(t, a.write(t, "core", 3), a.info())
}

func TestStaticPeers(t *testing.T) {
	a := start(t, local())
	c := local()
	c.Peers.Static = a.Addresses()[:1]
	b := start(t, c)
	b.read(t, a.write(t, "core", 3))
}

// TestStaticPeerReturns loses a peer that is known by name, and gets it back.
func TestStaticPeerReturns(t *testing.T) {
	ca := local()
	ca.Path = t.TempDir()
	a := start(t, ca)
	ca.Network.Listen = []string{a.Host().Addrs()[0].String()} // the same port again
	c := local()
	c.Peers.Static = a.Addresses()[:1]
	b := start(t, c)
	connected := func() bool { return len(b.Status().Peers) == 1 }
	until(t, "the connection", connected)
	a.stop()
	until(t, "the loss", func() bool { return !connected() })
	again := start(t, ca)
	if again.Host().ID() != a.Host().ID() {
		t.Fatal("the node has another identity")
	}
	until(t, "the return", connected)
	b.read(t, again.write(t, "core", 3))
}

// TestKnownPeers starts a node again that has met another one in a short run: it enters the network by that, with nothing else.
func TestKnownPeers(t *testing.T) {
	a := start(t, local())
	c := local(a)
	c.Path = t.TempDir()
	b := start(t, c)
	b.read(t, a.write(t, "core", 1))
	b.stop()
	c.Discovery.Bootstrap = nil
	b = start(t, c)
	until(t, "the network", func() bool { return b.Status().Networks[0].Nodes > 0 })
	b.read(t, a.write(t, "other", 2))
}

// TestOneTransportEach has nodes that share no transport exchange a core through one that has both.
func TestOneTransportEach(t *testing.T) {
	with := func(transport, listen string) config.Config {
		c := local()
		c.Network.Transports, c.Network.Listen = []string{transport}, []string{listen}
		return c
	}
	cm := local()
	cm.Network.Transports = []string{"tcp", "quic", "webtransport"}
	cm.Network.Listen = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/udp/0/quic-v1/webtransport"}
	m := start(t, cm)
	a := start(t, with("tcp", "/ip4/127.0.0.1/tcp/0"))
	written := a.write(t, "core", 5)
	if err := m.Seed(t.Context(), written.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	held, err := m.Core(t.Context(), written.Key(), a.info())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	until(t, "the copy in the middle", func() bool { return held.Contiguous() == 5 })
	for transport, listen := range map[string]string{
		"quic": "/ip4/127.0.0.1/udp/0/quic-v1", "webtransport": "/ip4/127.0.0.1/udp/0/quic-v1/webtransport",
	} {
		t.Run(transport, func(t *testing.T) {
			start(t, with(transport, listen)).read(t, written, m.info())
		})
	}
}

func TestLiveUpdates(t *testing.T) {
	boot := start(t, local())
	a, b := start(t, local(boot)), start(t, local(boot))
	written := a.write(t, "core", 1)
	if err := b.Seed(t.Context(), written.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	complete := func() bool {
		s, _ := seeded(b, written.Key())
		return s.Length == written.Head().Length && s.Contiguous == s.Length
	}
	until(t, "the copy", complete)
	if _, err := written.Append(t.Context(), []byte("more")); err != nil {
		t.Fatal(err)
	}
	until(t, "the new block", complete)
}

// TestSeedsAreKept seeds, restarts, reads from the seed alone, and unseeds.
func TestSeedsAreKept(t *testing.T) {
	boot := start(t, local())
	a := start(t, local(boot))
	written := a.write(t, "core", 5)
	c := local(boot)
	c.Path = t.TempDir()
	b := start(t, c)
	if err := b.Seed(t.Context(), written.Key(), node.SeedOptions{Label: "first"}); err != nil {
		t.Fatal(err)
	}
	until(t, "the copy", func() bool { s, _ := seeded(b, written.Key()); return s.Contiguous == 5 })
	b.stop()
	b = start(t, c)
	if s, ok := seeded(b, written.Key()); !ok || s.Label != "first" || s.Since.IsZero() {
		t.Fatalf("the seed after a restart: %+v, %v", s, ok)
	}
	until(t, "the copy after a restart", func() bool { s, _ := seeded(b, written.Key()); return s.Contiguous == 5 })
	start(t, local(boot)).read(t, written, b.info())
	if err := b.Unseed(t.Context(), written.Key()); err != nil {
		t.Fatal(err)
	}
	if err := b.Unseed(t.Context(), written.Key()); !errors.Is(err, node.ErrNotSeeded) {
		t.Fatalf("unseeding twice: %v", err)
	}
	b.stop()
	if b = start(t, c); len(b.Seeds()) != 0 {
		t.Fatal("the seed is back")
	}
}

// TestSeedFails seeds a core whose writer signs two histories: the list of seeds says why no more of it comes.
func TestSeedFails(t *testing.T) {
	c := local()
	c.Store.Path = t.TempDir()
	b := start(t, c)
	pair, err := keys.NewPair()
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string, n int) *core.Core {
		a := start(t, local(b))
		c, err := a.Open(t.Context(), corestore.Pair(pair))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		for range n {
			if _, err := c.Append(t.Context(), []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	key := write("one", 3).Key()
	if err := b.Seed(t.Context(), key, node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the copy", func() bool { s, _ := seeded(b, key); return s.Contiguous == 3 && s.Failed == "" })
	write("another", 4)
	frozen := func(s node.Seed) bool { return strings.Contains(s.Failed, "histories") && s.Contiguous == 3 }
	until(t, "the reason", func() bool { s, _ := seeded(b, key); return frozen(s) })
	b.stop()
	b = start(t, c)
	until(t, "the reason after a restart", func() bool { s, _ := seeded(b, key); return frozen(s) })
}

// TestCompleteSeedFollows starts a node whose seed is complete: what is added afterwards comes.
func TestCompleteSeedFollows(t *testing.T) {
	boot := start(t, local())
	a := start(t, local(boot))
	written := a.write(t, "core", 2)
	c := local(boot)
	c.Path = t.TempDir()
	b := start(t, c)
	if err := b.Seed(t.Context(), written.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the copy", func() bool { s, _ := seeded(b, written.Key()); return s.Contiguous == 2 })
	b.stop()
	b = start(t, c)
	until(t, "the peer", func() bool { s, _ := seeded(b, written.Key()); return s.Peers > 0 })
	for n := uint64(3); n < 6; n++ {
		if _, err := written.Append(t.Context(), []byte("more")); err != nil {
			t.Fatal(err)
		}
		until(t, "what was added", func() bool { s, _ := seeded(b, written.Key()); return s.Contiguous == n })
	}
}

// TestSeedIsRead reads a core that is seeded, and so is looked for in the background: from then on it is not.
func TestSeedIsRead(t *testing.T) {
	boot := start(t, local())
	a, b := start(t, local(boot)), start(t, local(boot))
	written := a.write(t, "core", 3)
	if err := b.Seed(t.Context(), written.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	b.read(t, written)
	if err := b.Unseed(t.Context(), written.Key()); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the seed", func() bool { return len(b.Seeds()) == 0 && b.Status().Topics == 0 })
}

// TestDrive reads a drive whose contents are a core of their own, and keeps it.
func TestDrive(t *testing.T) {
	boot := start(t, local())
	a, b, s := start(t, local(boot)), start(t, local(boot)), start(t, local(boot))
	d, err := drive.Create(t.Context(), a.Store(), drive.Name("photos"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	want := bytes.Repeat([]byte("cat"), 100_000)
	if err := d.WriteFile(t.Context(), "/2026/cat.jpg", want, drive.Meta{}); err != nil {
		t.Fatal(err)
	}
	shared, err := a.Drive(t.Context(), d.Key())
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if err := s.Seed(t.Context(), d.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	copied, err := b.Drive(ctx, d.Key())
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	for copied.Version() < d.Version() && ctx.Err() == nil { // the seed may have been quicker, and not have all
		if err := copied.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	got, err := copied.ReadFile(ctx, "/2026/cat.jpg")
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	until(t, "the seed's contents", func() bool {
		s, _ := seeded(s, d.Key())
		return s.Content != nil && s.Content.Length > 0 && s.Content.Contiguous == s.Content.Length
	})
}

func TestMeeting(t *testing.T) {
	boot := start(t, local())
	a, b := start(t, local(boot)), start(t, local(boot))
	topic := [32]byte{7}
	heard := make(chan string, 2)
	talk := func(word string) func(context.Context, *protocols.Stream) {
		return func(_ context.Context, s *protocols.Stream) {
			io.WriteString(s, word)
			s.CloseWrite()
			got, err := io.ReadAll(s)
			if err != nil {
				t.Error(err)
			}
			heard <- string(got)
		}
	}
	for _, side := range []struct {
		n    *running
		word string
	}{{a, "ping"}, {b, "pong"}} {
		m, err := side.n.Join(t.Context(), topic, "/talk/1", talk(side.word))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Leave()
	}
	if one, two := <-heard, <-heard; one+two != "pingpong" && one+two != "pongping" {
		t.Fatalf("heard %q and %q", one, two)
	}
}

// TestMeetingOneWay has one side announce a topic and wait, and the other look for it and tell nobody: they meet. Two that hide
// do not.
func TestMeetingOneWay(t *testing.T) {
	boot := start(t, local())
	topic := [32]byte{8}
	met := make(chan string, 4)
	join := func(name string, o node.JoinOptions) (*running, *node.Meeting) {
		r := start(t, local(boot))
		m, err := r.JoinWith(t.Context(), topic, "/talk/1", o, func(ctx context.Context, s *protocols.Stream) {
			met <- name
			<-ctx.Done()
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Leave)
		return r, m
	}
	one, _ := join("hidden", node.JoinOptions{Hidden: true})
	two, other := join("also hidden", node.JoinOptions{Hidden: true})
	until(t, "the network", func() bool { return one.Status().Networks[0].Nodes > 1 && two.Status().Networks[0].Nodes > 1 })
	if err := other.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(met) > 0 || len(other.Peers()) > 0 {
		t.Fatal("two that hide have met")
	}
	_, waiting := join("waiting", node.JoinOptions{Passive: true})
	if err := waiting.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "both", func() bool { return len(waiting.Peers()) == 2 })
}

func TestBusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	for _, listen := range []string{"/ip4/127.0.0.1/tcp/" + port, "tcp://127.0.0.1:" + port} {
		c := local()
		c.Network.Listen = append(c.Network.Listen, listen)
		if n, err := node.New(t.Context(), c); !errors.Is(err, swarm.ErrBusy) {
			t.Errorf("%s: %v", listen, err)
			n.Close()
		}
	}
}

func TestSecondNodeOnOneStore(t *testing.T) {
	c := local()
	c.Path = t.TempDir()
	start(t, c)
	if _, err := node.New(t.Context(), c); !errors.Is(err, datastore.ErrLocked) {
		t.Fatal(err)
	}
}

// TestOfflineIsSilent makes an offline node open a core: it dials nobody.
func TestOfflineIsSilent(t *testing.T) {
	boot := start(t, local())
	c := local(boot)
	c.Discovery.Profile = config.Offline
	n := start(t, c)
	written := n.write(t, "core", 1)
	other, err := n.Core(t.Context(), boot.write(t, "other", 1).Key())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if other.Head() != (core.Head{}) || written.Head().Length != 1 {
		t.Fatal("something came from nowhere")
	}
	if s := n.Status(); s.Connections != 0 || len(s.Networks) != 0 {
		t.Fatalf("an offline node has connections: %+v", s)
	}
}

func TestAttach(t *testing.T) {
	boot := start(t, local())
	carrier := start(t, local(boot)) // a program that has a host
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	c := local()
	n, err := node.Attach(t.Context(), c, newHost(t), nil, node.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, n)
	r.read(t, carrier.write(t, "core", 3), carrier.info())
	r.stop()
	if err := db.View(t.Context(), func(*datastore.Tx) error { return nil }); err != nil {
		t.Fatalf("the caller's store was closed: %v", err)
	}
}

// TestStrangersGetNothing connects a peer that does not know the key.
func TestStrangersGetNothing(t *testing.T) {
	a, b := start(t, local()), start(t, local())
	written := a.write(t, "core", 3)
	other, err := b.Open(t.Context(), corestore.Name("other"), a.info())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	until(t, "the connection", func() bool { return len(b.Status().Peers) == 1 })
	if _, err := b.Store().Lookup(t.Context(), written.DiscoveryKey()); !errors.Is(err, core.ErrNotFound) {
		t.Fatal(err)
	}
	if s := a.Transfer(written.DiscoveryKey()).Stats(); s.Peers != 0 {
		t.Fatalf("a stranger has joined: %+v", s)
	}
}

func TestStatus(t *testing.T) {
	a, b := start(t, local()), start(t, local())
	b.read(t, a.write(t, "core", 1), a.info())
	s := b.Status()
	if s.Peer != b.Host().ID().String() || len(s.Peers) != 1 || s.Peers[0].Peer != a.Host().ID().String() {
		t.Fatalf("%+v", s)
	}
	if _, err := peer.AddrInfoFromString(s.Addresses[0]); err != nil {
		t.Fatal(err)
	}
}
