package netlab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settings are flags of the command.
type settings []string

// quiet is what every node of these tests has: none asks a router for ports.
func quiet() settings { return settings{"--json", "--set", "network.port_mapping=off"} }

// onLAN is nodes that find each other by Kademlia on private addresses alone.
func onLAN(bootstrap ...string) settings {
	return append(quiet(), "--profile", "lan", "--set", "discovery.mdns=off").entering(bootstrap...)
}

// wide is nodes that find each other by Kademlia on public addresses.
func wide(bootstrap ...string) settings {
	return append(quiet(), "--profile", "own", "--set", "discovery.mdns=off").entering(bootstrap...)
}

// entering names nodes by which the network is entered.
func (s settings) entering(bootstrap ...string) settings {
	for _, b := range bootstrap {
		s = append(s, "--bootstrap", b)
	}
	return s
}

// speaking limits the transports.
func (s settings) speaking(transports ...string) settings {
	return s.with("network.transports", strings.Join(transports, ","))
}

// with sets a key of the configuration.
func (s settings) with(key, value string) settings {
	return append(slices.Clone(s), "--set", key+"="+value)
}

// hypernode starts the command on a machine, with the store that lies in a folder of the machine's home.
func (m *machine) hypernode(store string, args ...string) *process {
	m.t.Helper()
	env := []string{"HYPERNODE_PATH=" + filepath.Join(m.home, store)}
	return m.start(env, os.Getenv(binaryEnv), args...)
}

// server is a node that runs.
type server struct {
	*process
	Peer      string   `json:"peer"`
	Addresses []string `json:"addresses"`
}

// run runs a node, and returns when it is ready.
func (m *machine) run(s settings) *server {
	m.t.Helper()
	n := &server{process: m.hypernode("node", append([]string{"node", "run"}, s...)...)}
	n.line(n)
	return n
}

// at is the address of a node that others use.
func (n *server) at() string { return n.Addresses[0] }

// reachedBy is the address of a node by a transport, told by a part of the address.
func (n *server) reachedBy(part string) string {
	n.t.Helper()
	i := slices.IndexFunc(n.Addresses, func(a string) bool { return strings.Contains(a, part) && !strings.Contains(a, "/ip6/") })
	if i < 0 {
		n.t.Fatalf("no address of %v has %s", n.Addresses, part)
	}
	return n.Addresses[i]
}

// shared is a folder that is shared.
type shared struct {
	*process
	Key       string   `json:"key"`
	Link      string   `json:"link"`
	Files     int      `json:"files"`
	Addresses []string `json:"addresses"`
}

// share shares a folder, and returns once it is served.
func (m *machine) share(folder string, s settings) *shared {
	m.t.Helper()
	p := &shared{process: m.hypernode("share", append([]string{"share", folder}, s...)...)}
	p.line(p)
	return p
}

// got is what a fetch tells in the end.
type got struct {
	Files   int   `json:"files"`
	Bytes   int64 `json:"bytes"`
	Fetched int64 `json:"fetched"`
}

// get begins to fetch an address into the folder "got" of the machine.
func (m *machine) get(address string, s settings) *process {
	m.t.Helper()
	return m.hypernode("get", append([]string{"get", address, m.copy(), "--timeout", "40s"}, s...)...)
}

// copy is the folder into which a machine fetches.
func (m *machine) copy() string { return filepath.Join(m.home, "got") }

// result waits for the end of a fetch.
func (p *process) result() (g got) {
	p.t.Helper()
	p.ok()
	p.line(&g)
	return g
}
