package swarm

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/hypernode/hypernode/config"
)

func build(t testing.TB, c config.Config) (host.Host, error) {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if c.Discovery.Profile == "" {
		c.Discovery.Profile = config.Offline
	}
	h, err := New(t.Context(), Options{Config: c, Identity: key, Agent: "hypernode/test"})
	if err == nil {
		t.Cleanup(func() { h.Close() })
	}
	return h, err
}

func everywhere() []string {
	return []string{
		"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws", "/ip4/127.0.0.1/udp/0/quic-v1",
		"/ip4/127.0.0.1/udp/0/quic-v1/webtransport", "/ip4/127.0.0.1/udp/0/webrtc-direct",
	}
}

// TestPortsAreShared listens with all transports: one TCP port and one UDP port carry them.
func TestPortsAreShared(t *testing.T) {
	h, err := build(t, config.Config{Network: config.Network{Listen: everywhere()}})
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]map[string]bool{"tcp": {}, "udp": {}}
	for _, a := range h.Network().ListenAddresses() {
		for name, code := range map[string]int{"tcp": ma.P_TCP, "udp": ma.P_UDP} {
			if port, err := a.ValueForProtocol(code); err == nil {
				ports[name][port] = true
			}
		}
	}
	if len(h.Network().ListenAddresses()) != 5 || len(ports["tcp"]) != 1 || len(ports["udp"]) != 1 {
		t.Fatalf("%v at %v", ports, h.Network().ListenAddresses())
	}
}

// TestBusyDefaultPort takes the default port away: another one is taken, for all transports.
func TestBusyDefaultPort(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := l.Addr().(*net.TCPAddr).Port
	h, err := build(t, config.Config{Network: config.Network{Port: busy, Transports: []string{"tcp", "quic"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range h.Network().ListenAddresses() {
		if strings.Contains(a.String(), "/"+strconv.Itoa(busy)) {
			t.Fatalf("listens at %s", a)
		}
	}
}

func TestExplicitAddressMustBeBound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := "/ip4/127.0.0.1/tcp/" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	for name, list := range map[string][]string{
		"alone":         {busy},
		"beside a free": {busy, "/ip4/127.0.0.1/udp/0/quic-v1"},
	} {
		if _, err := build(t, config.Config{Network: config.Network{Listen: list}}); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := config.Network{Transports: []string{"quic"}, Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}}
	if _, err := build(t, config.Config{Network: c}); !errors.Is(err, ErrBusy) {
		t.Errorf("an address without its transport: %v", err)
	}
	if _, err := build(t, config.Config{Network: config.Network{Listen: []string{"/ip4/nowhere"}}}); !errors.Is(err, ErrAddress) {
		t.Errorf("no address: %v", err)
	}
}

func TestRank(t *testing.T) {
	addr := func(s string) ma.Multiaddr {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	tcp, ws := addr("/ip4/192.168.1.1/tcp/1"), addr("/ip4/192.168.1.1/tcp/1/ws")
	quic, rtc := addr("/ip4/192.168.1.1/udp/1/quic-v1"), addr("/ip4/192.168.1.1/udp/1/webrtc-direct")
	wt, public := addr("/ip4/192.168.1.1/udp/1/quic-v1/webtransport"), addr("/ip4/8.8.8.8/udp/1/quic-v1")
	var got []string
	for _, d := range Rank([]ma.Multiaddr{rtc, wt, quic, ws, tcp}) {
		got = append(got, d.Addr.String())
	}
	if want := []string{tcp.String(), quic.String(), ws.String(), wt.String(), rtc.String()}; !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	if r := Rank([]ma.Multiaddr{wt}); r[0].Delay != 0 {
		t.Fatalf("the only address waits %v", r[0].Delay)
	}
	if r := Rank([]ma.Multiaddr{quic, wt}); r[0].Delay != 0 || r[1].Delay != behindQUIC-behindTCP {
		t.Fatalf("%v", r)
	}
	if r := Rank([]ma.Multiaddr{public}); len(r) != 1 || r[0].Delay != 0 {
		t.Fatalf("%v", r)
	}
}

func connect(a, b host.Host) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return a.Connect(ctx, peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()})
}

func TestGater(t *testing.T) {
	listen := config.Network{Listen: []string{"/ip4/127.0.0.1/tcp/0"}}
	friend, err := build(t, config.Config{Network: listen})
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := build(t, config.Config{Network: listen})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		p               config.Peers
		friend, unknown bool
	}{
		"none":                 {config.Peers{}, true, true},
		"allowed by name":      {config.Peers{Allow: []string{friend.ID().String()}}, true, false},
		"allowed by network":   {config.Peers{Allow: []string{"127.0.0.0/8"}}, true, true},
		"other network":        {config.Peers{Allow: []string{"10.0.0.0/8"}}, false, false},
		"denied by name":       {config.Peers{Deny: []string{stranger.ID().String()}}, true, false},
		"denied by address":    {config.Peers{Deny: []string{"127.0.0.1"}}, false, false},
		"denied goes first":    {config.Peers{Deny: []string{"127.0.0.1"}, Allow: []string{friend.ID().String()}}, false, false},
		"both kinds in a list": {config.Peers{Allow: []string{"10.0.0.0/8", friend.ID().String()}}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := build(t, config.Config{Network: listen, Peers: test.p})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				from host.Host
				want bool
			}{{friend, test.friend}, {stranger, test.unknown}} {
				if got := lasts(c.from, h); got != c.want {
					t.Errorf("in: %v, want %v", got, c.want)
				}
				if got := lasts(h, c.from); got != c.want {
					t.Errorf("out: %v, want %v", got, c.want)
				}
			}
		})
	}
	if _, err := build(t, config.Config{Network: listen, Peers: config.Peers{Deny: []string{"nobody"}}}); !errors.Is(err, ErrAddress) {
		t.Errorf("no peer: %v", err)
	}
}

// lasts connects, and tells whether the other side keeps the connection: a stream comes through.
func lasts(a, b host.Host) bool {
	defer b.Network().ClosePeer(a.ID())
	defer a.Network().ClosePeer(b.ID())
	if connect(a, b) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := a.NewStream(ctx, b.ID(), "/ipfs/ping/1.0.0")
	if err != nil {
		return false
	}
	defer s.Reset()
	s.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := s.Write(make([]byte, 32)); err != nil {
		return false
	}
	_, err = s.Read(make([]byte, 32))
	return err == nil
}

func TestPeers(t *testing.T) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id := p.String()
	got, err := Peers("k", []string{"/ip4/1.2.3.4/tcp/1/p2p/" + id, "/ip4/1.2.3.4/udp/1/quic-v1/p2p/" + id})
	if err != nil || len(got) != 1 || len(got[0].Addrs) != 2 || got[0].ID != p {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := Peers("k", []string{"/ip4/1.2.3.4/tcp/1"}); !errors.Is(err, ErrAddress) {
		t.Fatal(err)
	}
}
