package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Check tells whether all values can be. The error names the first one that cannot; whether an address can be bound, or a
// peer id is one, shows when the node starts.
func (c Config) Check() error { return c.Filled().check(Origin{}) }

func (c Config) check(origin Origin) error {
	for _, r := range c.rules() {
		if err := r.err; err != nil {
			source := origin[r.key]
			if source == "" {
				source = "configuration"
			}
			return &ValueError{Source: source, Key: r.key, Reason: err}
		}
	}
	return nil
}

// rule is what was found about one key.
type rule struct {
	key string
	err error
}

func (c Config) rules() []rule {
	n, d, l := c.Network, c.Discovery, c.Limits
	return []rule{
		{"store.engine", oneOf(c.Store.Engine, "pebble", "badger", "memory")},
		{"store.durability", oneOf(c.Store.Durability, "full", "process")},
		{"network.transports", eachOf(n.Transports, "tcp", "quic", "webtransport", "websocket", "webrtc-direct")},
		{"network.listen", eachAddress(n.Listen)},
		{"network.port", between(n.Port, FreePort, 65535)},
		{"network.announce", eachMultiaddr(n.Announce)},
		{"network.relay", oneOf(n.Relay, "client", "server", Off)},
		{"network.relays", eachPeer(n.Relays)},
		{"network.hole_punching", oneOf(n.HolePunching, On, Off)},
		{"network.autonat", oneOf(n.AutoNAT, On, Off)},
		{"network.port_mapping", oneOf(n.PortMapping, On, Off)},
		{"discovery.profile", oneOf(d.Profile, Own, LAN, Public, Offline)},
		{"discovery.bootstrap", eachPeer(d.Bootstrap)},
		{"discovery.public_bootstrap", eachPeer(d.PublicBootstrap)},
		{"discovery.announce", oneOf(d.Announce, On, Off)},
		{"discovery.mdns", oneOf(d.MDNS, On, Off)},
		{"discovery.local_ports", oneOf(d.LocalPorts, On, Off)},
		{"peers.static", eachStatic(c.Peers.Static)},
		{"peers.allow", eachNetwork(c.Peers.Allow)},
		{"peers.deny", eachNetwork(c.Peers.Deny)},
		{"replication.announce_to_all", oneOf(c.Replication.AnnounceToAll, On, Off)},
		{"replication.upload", oneOf(c.Replication.Upload, On, Off)},
		{"limits.connections_low", between(l.ConnectionsLow, 1, l.ConnectionsHigh)},
		{"limits.connections_high", between(l.ConnectionsHigh, 1, 1<<20)},
		{"limits.memory", between(int(l.Memory>>10), 0, 1<<40)},
		{"limits.upload_rate", notNegative(l.UploadRate)},
		{"limits.download_rate", notNegative(l.DownloadRate)},
		{"limits.store", notNegative(l.Store)},
		{"limits.peer_streams", between(l.PeerStreams, 1, 1<<20)},
		{"limits.peers_per_address", between(l.PeersPerAddress, 1, 1<<20)},
		{"limits.dials", between(l.Dials, 1, 1<<16)},
		{"api.listen", each(c.API.Listen, checkListen)},
		{"api.hosts", each(c.API.Hosts, checkHost)},
		{"log.level", c.Log.check()},
		{"log.format", oneOf(c.Log.Format, "text", "json")},
	}
}

func oneOf(s string, list ...string) error {
	if slices.Contains(list, s) {
		return nil
	}
	return fmt.Errorf("%q is none of %s", s, strings.Join(list, ", "))
}

func eachOf(values []string, list ...string) error {
	if len(values) == 0 {
		return fmt.Errorf("want at least one of %s", strings.Join(list, ", "))
	}
	return each(values, func(s string) error { return oneOf(s, list...) })
}

func between(n, low, high int) error {
	if n < low || n > high {
		return fmt.Errorf("%d is not between %d and %d", n, low, high)
	}
	return nil
}

func notNegative(b Bytes) error {
	if b < 0 {
		return fmt.Errorf("%d is below 0", int64(b))
	}
	return nil
}

func each(values []string, check func(string) error) error {
	for _, s := range values {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func eachAddress(values []string) error {
	return each(values, func(s string) error {
		if hostPort, ok := strings.CutPrefix(s, "tcp://"); ok {
			return checkHostPort(s, hostPort)
		}
		return checkMultiaddr(s)
	})
}

func eachStatic(values []string) error {
	return each(values, func(s string) error {
		if hostPort, ok := strings.CutPrefix(s, "tcp://"); ok {
			return checkHostPort(s, hostPort)
		}
		return checkPeer(s)
	})
}

func checkHostPort(s, hostPort string) error {
	if _, _, err := net.SplitHostPort(hostPort); err != nil {
		return fmt.Errorf("%q is no address: want tcp://HOST:PORT", s)
	}
	return nil
}

func checkListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return fmt.Errorf("%q is no address: want HOST:PORT, like 127.0.0.1:%d", s, DefaultPort+1)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: %q is no port", s, port)
	}
	return nil
}

func checkHost(s string) error {
	if s == "" || strings.ContainsAny(s, "/:@ ") {
		return fmt.Errorf("%q is no name of a host: want one like node.example.org, without a port", s)
	}
	return nil
}

func eachMultiaddr(values []string) error { return each(values, checkMultiaddr) }

func checkMultiaddr(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%q is no multiaddr: want one like /ip4/127.0.0.1/tcp/%d", s, DefaultPort)
	}
	return nil
}

func eachPeer(values []string) error { return each(values, checkPeer) }

func checkPeer(s string) error {
	if !strings.HasPrefix(s, "/") || !strings.Contains(s, "/p2p/") {
		return fmt.Errorf("%q names no peer: want a multiaddr that ends in /p2p/ID", s)
	}
	return nil
}

func eachNetwork(values []string) error {
	return each(values, func(s string) error {
		if !strings.ContainsAny(s, "/.:") {
			return nil // a peer id
		}
		if _, err := netip.ParsePrefix(s); err == nil {
			return nil
		}
		if _, err := netip.ParseAddr(s); err == nil {
			return nil
		}
		return fmt.Errorf("%q is no peer id and no network like 192.0.2.0/24", s)
	})
}
