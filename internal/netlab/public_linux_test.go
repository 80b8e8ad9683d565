package netlab

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// netStatus is what a node tells of a network that it takes part in.
type netStatus struct {
	Name   string
	Nodes  int
	Serves bool
}

// TestPublicProfile has nodes with the default profile between two networks that know nothing of each other: stock IPFS nodes,
// and nodes of the own network. They announce and look up in both; in that of IPFS they are clients, and nothing more.
func TestPublicProfile(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not in a short run")
	}
	tool := kuboTool(t)
	l := newInternet(t)
	first := newKubo(l.machine(), tool)
	second := newKubo(l.machine(), tool, first.at)
	boot := l.machine().run(wide())
	both := append(quiet(), "--profile", "public").with("discovery.mdns", "off").
		with("discovery.public_bootstrap", first.at).entering(boot.at())
	ipfs := append(quiet(), "--profile", "public").with("discovery.mdns", "off").with("discovery.public_bootstrap", second.at)
	own := wide(boot.at())

	folder := tree(t)
	for _, way := range []struct {
		name      string
		from, via settings
	}{
		{"announced in both, found in the own network", both, own},
		{"announced in both, found in that of IPFS", both, ipfs},
		{"announced in the own network, looked for in both", own, both},
		{"announced in that of IPFS, looked for in both", ipfs, both},
	} {
		t.Run(way.name, func(t *testing.T) {
			a, m := l.machine().share(folder, way.from), l.machine()
			m.get(a.Key, way.via).result()
			same(t, folder, m.copy())
			a.kill()
		})
	}

	m := l.machine()
	n := m.run(both)
	until(t, "both networks", func() bool {
		r := m.status("node")
		return r.network("/hypernode").Nodes > 0 && r.network("/hypernode").Serves && r.network("/ipfs").Nodes > 0
	})
	if m.status("node").network("/ipfs").Serves {
		t.Error("it serves the network of IPFS")
	}
	var info struct{ Protocols []string }
	must(t, json.Unmarshal([]byte(first.do("id", n.Peer)), &info))
	has := func(part string) bool {
		return slices.ContainsFunc(info.Protocols, func(p string) bool { return strings.HasPrefix(p, part) })
	}
	if !has("/hypernode/kad/") || has("/ipfs/kad/") {
		t.Errorf("an IPFS node sees %v", info.Protocols)
	}
	if table := first.do("stats", "dht", "wan"); strings.Contains(table, n.Peer) || !strings.Contains(table, "Bucket") {
		t.Errorf("the table of an IPFS node is\n%s", table)
	}
}
