package netlab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// lan is machines on one bridge. Nothing leads out of it.
type lan struct {
	t    testing.TB
	hub  *space
	size int
	// wide gives the machines addresses as they have on the internet, each in a network far from the others', and a route
	// to all addresses, which ends at the bridge.
	wide bool
	// gateway is the address of the router that leads to another network, and outside the one that it has there; "" for none.
	gateway, outside string
}

// machine is a namespace with a network card.
type machine struct {
	*space
	t    testing.TB
	ip4  string
	port string // of the bridge, at the other end of its cable
	hub  *space
	home string
}

// newLAN makes a network of private addresses.
func newLAN(t testing.TB) *lan { return newNetwork(t, false) }

// newInternet makes one of public addresses.
func newInternet(t testing.TB) *lan { return newNetwork(t, true) }

func newNetwork(t testing.TB, wide bool) *lan {
	t.Helper()
	needSpaces(t)
	l := &lan{t: t, hub: mustSpace(t), wide: wide}
	must(t, l.hub.ip("link set lo up", "link add br0 type bridge", "link set br0 up"))
	return l
}

func mustSpace(t testing.TB) *space {
	t.Helper()
	s, err := newSpace()
	must(t, err)
	t.Cleanup(s.end)
	return s
}

// machine adds a machine.
func (l *lan) machine() *machine {
	l.t.Helper()
	l.size++
	m := &machine{space: mustSpace(l.t), t: l.t, hub: l.hub, port: fmt.Sprintf("port%d", l.size), home: l.t.TempDir()}
	m.ip4 = fmt.Sprintf("10.77.0.%d", l.size)
	mask, routes := "/24", []string(nil)
	if l.gateway != "" {
		m.ip4 = fmt.Sprintf("192.168.1.%d", 1+l.size)
		routes = []string{"route add default via " + l.gateway}
	}
	if l.wide {
		m.ip4 = fmt.Sprintf("%d.%d.7.%d", 40+l.size, 10*l.size, l.size)
		mask, routes = "/32", []string{"route add default dev eth0"}
	}
	must(l.t, l.hub.ip(
		fmt.Sprintf("link add name %s type veth peer name eth0 netns %s", m.port, m.path),
		fmt.Sprintf("link set %s master br0 up", m.port)))
	must(l.t, m.ip(append([]string{"link set lo up", "link set eth0 up", "addr add " + m.ip4 + mask + " dev eth0"}, routes...)...))
	return m
}

// slow limits what reaches the machine to so many MiB a second.
func (m *machine) slow(mib int) {
	m.t.Helper()
	must(m.t, m.hub.tool("", "tc", "qdisc", "add", "dev", m.port, "root", "tbf", "rate", fmt.Sprintf("%dmibps", mib),
		"burst", "256kb", "latency", "40ms"))
}

// received is how many bytes have reached the machine, with all headers.
func (m *machine) received() (n int64) {
	m.t.Helper()
	must(m.t, m.do(func() error {
		// The file shows the namespace of the thread that opens it.
		b, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(b)) {
			if name, rest, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && name == "eth0" {
				n, err = strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			}
		}
		return err
	}))
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
