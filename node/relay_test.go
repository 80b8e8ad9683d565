package node_test

import (
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
)

// TestRelay has two nodes that share no transport exchange a core through a relay, of which both are clients. Addresses of
// relays on this machine are told nobody, so the address is written by hand.
func TestRelay(t *testing.T) {
	with := func(role string, transports ...string) config.Config {
		c := local()
		c.Discovery.Profile, c.Network.Relay = config.Offline, role
		c.Network.Transports, c.Network.Listen = transports, nil
		for _, name := range transports {
			c.Network.Listen = append(c.Network.Listen, map[string]string{
				"tcp": "/ip4/127.0.0.1/tcp/0", "quic": "/ip4/127.0.0.1/udp/0/quic-v1",
			}[name])
		}
		return c
	}
	cr := with("server", "tcp", "quic")
	cr.Network.Relays = nil
	cr.Discovery.Profile = config.LAN
	r := start(t, cr)
	client := func(transport string) *running {
		c := with("client", transport)
		for _, a := range r.Addresses() {
			if strings.Contains(a, map[string]string{"tcp": "/tcp/", "quic": "/udp/"}[transport]) {
				c.Network.Relays = append(c.Network.Relays, a)
				c.Peers.Static = append(c.Peers.Static, a)
			}
		}
		return start(t, c)
	}
	a, b := client("quic"), client("tcp")
	written := a.write(t, "core", 3)
	var tcp string
	for _, addr := range r.Addresses() {
		if strings.Contains(addr, "/tcp/") {
			tcp = addr
		}
	}
	info, err := peer.AddrInfoFromString(tcp + "/p2p-circuit/p2p/" + a.Host().ID().String())
	if err != nil {
		t.Fatal(err)
	}
	b.read(t, written, *info) // dialled again and again until the relay has a reservation
	conns := b.Host().Network().ConnsToPeer(a.Host().ID())
	if len(conns) == 0 {
		t.Error("the connection is gone")
	}
	for _, c := range conns {
		if !c.Stat().Limited {
			t.Errorf("reached directly at %s", c.RemoteMultiaddr())
		}
	}
}
