package protocols_test

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peerstore"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/node/swarm"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// side is a host with a store and a service that runs.
type side struct {
	host    host.Host
	set     *replicate.Set
	store   *corestore.Store
	service *protocols.Service
	stop    func()
}

func newSide(t testing.TB, transports ...string) *side {
	t.Helper()
	return newSideOn(t, newHost(t, transports...))
}

func newSideOn(t testing.TB, h host.Host) *side {
	t.Helper()
	s := &side{host: h, set: replicate.New(replicate.Options{})}
	db := datastore.NewMemory(datastore.Options{})
	t.Cleanup(func() { db.Close() })
	var err error
	if s.store, err = corestore.Open(t.Context(), db, corestore.Options{Source: s.set}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	s.service = protocols.New(s.host, s.set, protocols.Options{Find: s.store.Find})
	s.run(t)
	return s
}

func (s *side) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.service.Run(ctx) }()
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(s.stop)
	until(t, "the service to run", func() bool { return slices.Contains(s.host.Mux().Protocols(), protocols.Replicate) })
}

// newHost returns a host on loopback with the given transports, all of them by default.
func newHost(t testing.TB, transports ...string) host.Host {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(transports) == 0 {
		transports = []string{"tcp"}
	}
	c := config.Config{Discovery: config.Discovery{Profile: config.Offline}}
	c.Network.Transports = transports
	for _, name := range transports {
		c.Network.Listen = append(c.Network.Listen, map[string]string{
			"tcp": "/ip4/127.0.0.1/tcp/0", "websocket": "/ip4/127.0.0.1/tcp/0/ws", "quic": "/ip4/127.0.0.1/udp/0/quic-v1",
			"webtransport": "/ip4/127.0.0.1/udp/0/quic-v1/webtransport", "webrtc-direct": "/ip4/127.0.0.1/udp/0/webrtc-direct",
		}[name])
	}
	h, err := swarm.New(t.Context(), swarm.Options{Config: c, Identity: key, Agent: "hypernode/test", Services: []swarm.Service{
		{Name: protocols.ServiceName, PerPeer: protocols.MaxPeerStreams, Total: 1024, Memory: protocols.StreamMemory},
		{Name: protocols.TopicService, PerPeer: 64, Total: 1024, Memory: protocols.TopicMemory},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// knows makes the addresses of another side known to s.
func (s *side) knows(o *side) {
	s.host.Peerstore().AddAddrs(o.host.ID(), o.host.Addrs(), peerstore.PermanentAddrTTL)
}

// write makes a core of n blocks.
func (s *side) write(t testing.TB, n, size int) *core.Core {
	t.Helper()
	c, err := s.store.Open(t.Context(), corestore.Name("test"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := make([][]byte, n)
	for i := range blocks {
		blocks[i] = make([]byte, size)
		blocks[i][0] = byte(i)
	}
	if _, err := c.Append(t.Context(), blocks...); err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *side) open(t testing.TB, k keys.Key) *core.Core {
	t.Helper()
	c, err := s.store.Open(t.Context(), corestore.Key(k))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fetch downloads a core that a peer has and compares it.
func (s *side) fetch(t testing.TB, from *core.Core) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := s.open(t, from.Key())
	defer c.Close()
	if err := s.set.Core(c.DiscoveryKey()).Joined(ctx); err != nil {
		t.Fatalf("no peer joined: %v", err)
	}
	if err := c.Update(ctx); err != nil {
		t.Fatal(err)
	}
	if c.Head() != from.Head() {
		t.Fatalf("head is %v, want %v", c.Head(), from.Head())
	}
	if err := c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: from.Head().Length}}}); err != nil {
		t.Fatal(err)
	}
	if c.TreeHash() != from.TreeHash() || c.Contiguous() != from.Head().Length {
		t.Fatal("the copy differs")
	}
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
