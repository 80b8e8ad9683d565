package swarm

import (
	"fmt"
	"net"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// families are the wildcard addresses of the IP families that this machine has.
func families() []string {
	list := []string{"/ip4/0.0.0.0"}
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err == nil {
		c.Close()
		list = append(list, "/ip6/::")
	}
	return list
}

// free tells whether a port can be bound on all interfaces, for TCP, for UDP, or both.
func free(port int, tcp, udp bool) bool {
	address := fmt.Sprintf(":%d", port)
	if tcp {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return false
		}
		defer l.Close()
	}
	if udp {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return false
		}
		defer c.Close()
	}
	return true
}

// freePort returns a port that could be bound just now. Another program may be quicker.
func freePort(tcp, udp bool) (int, error) {
	for range attempts {
		port, err := anyPort(tcp)
		if err != nil {
			return 0, fmt.Errorf("looking for a free port: %w", err)
		}
		if free(port, tcp, udp) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("looking for a free port: %w", ErrBusy)
}

// anyPort has the system choose a port.
func anyPort(tcp bool) (int, error) {
	if tcp {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			return 0, err
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port, nil
	}
	c, err := net.ListenPacket("udp", ":0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// probe tries to bind an address. A host that cannot be built says why in its own log, and that it could bind some of many
// addresses is no error to it.
func probe(text string) error {
	addr, err := ma.NewMultiaddr(text)
	if err != nil || len(addr) < 2 {
		return err
	}
	network, address, err := manet.DialArgs(addr[:2])
	if err != nil {
		return nil // no IP address: libp2p is to say
	}
	if network[:3] == "udp" {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	return l.Close()
}
