package node_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
)

// local is a configuration that sends nothing beyond this machine: loopback, TCP, no multicast.
func local(bootstrap ...*running) config.Config {
	c := config.Config{
		Network: config.Network{
			Transports: []string{"tcp"}, Listen: []string{"/ip4/127.0.0.1/tcp/0"},
			PortMapping: config.Off, AutoNAT: config.Off, Relay: config.Off,
		},
		Discovery: config.Discovery{Profile: config.LAN, MDNS: config.Off, LocalPorts: config.Off},
	}
	for _, b := range bootstrap {
		c.Discovery.Bootstrap = append(c.Discovery.Bootstrap, b.Addresses()[0])
	}
	return c
}

// running is a node that runs until the test ends, or stop.
type running struct {
	*node.Node
	stop func()
}

func start(t testing.TB, c config.Config) *running {
	t.Helper()
	o := node.Options{}
	if os.Getenv("HYPERNODE_TEST_LOG") != "" {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	n, err := node.NewWith(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, n)
}

func run(t testing.TB, n *node.Node) *running {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	r := &running{Node: n}
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

func (r *running) info() peer.AddrInfo {
	return peer.AddrInfo{ID: r.Host().ID(), Addrs: r.Host().Addrs()}
}

// write makes a core of n blocks under a name and announces it.
func (r *running) write(t testing.TB, name string, n int) *core.Core {
	t.Helper()
	c, err := r.Open(t.Context(), corestore.Name(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for i := range n {
		if _, err := c.Append(t.Context(), []byte(strings.Repeat(name, i+1))); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// read fetches a core by key and compares it.
func (r *running) read(t testing.TB, from *core.Core, hints ...peer.AddrInfo) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience())
	defer cancel()
	c, err := r.Core(ctx, from.Key(), hints...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := r.Joined(ctx, c.DiscoveryKey()); err != nil {
		t.Fatalf("no peer was found: %v", err)
	}
	until(t, "the newest head", func() bool { // who answers first may not have it
		if err := c.Update(ctx); err != nil {
			t.Fatal(err)
		}
		return c.Head() == from.Head()
	})
	for i := range from.Head().Length {
		want, err := from.Get(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("block %d differs", i)
		}
	}
}

// patience bounds each wait; the long forms of some tests have very much run in one process.
func patience() time.Duration {
	if os.Getenv("HYPERNODE_CHURN")+os.Getenv("HYPERNODE_SEEDS") != "" {
		return 5 * time.Minute
	}
	return time.Minute
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience())
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// seeder is a node that enters by another one and seeds a core.
func seeder(t testing.TB, boot *running, k keys.Key) *running {
	t.Helper()
	r := start(t, local(boot))
	if err := r.Seed(t.Context(), k, node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	return r
}

func seeded(r *running, k keys.Key) (s node.Seed, ok bool) {
	for _, s := range r.Seeds() {
		if s.Key == k {
			return s, true
		}
	}
	return s, false
}
