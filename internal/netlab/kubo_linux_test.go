package netlab

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/discovery"
)

// kubo is an IPFS node that runs.
type kubo struct {
	*machine
	tool string
	env  []string
	at   string // its address
}

// kuboTool returns the IPFS node's program: the one that was built before, else, with HYPERNODE_KUBO or in a continuous run, a
// new one. That takes minutes the first time.
func kuboTool(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("kubo")
	must(t, err)
	tool := filepath.Join(dir, "bin", "ipfs")
	if _, err := os.Stat(tool); err == nil {
		return tool
	}
	if os.Getenv("HYPERNODE_KUBO") == "" && os.Getenv("CI") == "" {
		t.Skip("kubo was not built; HYPERNODE_KUBO=1 builds it")
	}
	cmd := exec.Command("go", "build", "-o", tool, "github.com/ipfs/kubo/cmd/ipfs")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building kubo: %v\n%s", err, out)
	}
	return tool
}

// newKubo starts a stock IPFS node as a server of a DHT that is entered by other nodes, on the addresses of a machine.
func newKubo(m *machine, tool string, bootstrap ...string) *kubo {
	m.t.Helper()
	k := &kubo{machine: m, tool: tool, env: []string{"IPFS_PATH=" + filepath.Join(m.home, "ipfs"), "IPFS_TELEMETRY=off"}}
	k.do("init", "--empty-repo")
	k.do("bootstrap", "rm", "--all")
	for key, value := range map[string]any{
		"AutoConf.Enabled": false, "DNS.Resolvers": map[string]string{}, "Routing.DelegatedRouters": []string{},
		"Ipns.DelegatedPublishers": []string{}, "Bootstrap": append([]string{}, bootstrap...), "Routing.Type": "dhtserver",
		"Discovery.MDNS.Enabled": false, "Swarm.DisableNatPortMap": true, "AutoTLS.Enabled": false, "Addresses.Gateway": []string{},
		"Addresses.Swarm": []string{"/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/udp/4001/quic-v1"},
	} {
		b, err := json.Marshal(value)
		must(m.t, err)
		k.do("config", "--json", key, string(b))
	}
	daemon := m.start(k.env, tool, "daemon")
	for line := range daemon.lines {
		if strings.Contains(line, "Daemon is ready") {
			break
		}
	}
	if daemon.over() {
		m.t.Fatalf("kubo ended: %s", &daemon.said)
	}
	k.at = fmt.Sprintf("/ip4/%s/tcp/4001/p2p/%s", m.ip4, strings.TrimSpace(k.do("id", "-f", "<id>")))
	return k
}

// do carries out a command of kubo's, and returns what it prints.
func (k *kubo) do(args ...string) string {
	k.t.Helper()
	out, err := k.try(args...)
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func (k *kubo) try(args ...string) (string, error) {
	p := k.start(k.env, k.tool, args...)
	var out strings.Builder
	for line := range p.lines {
		fmt.Fprintln(&out, line)
	}
	if p.code() != 0 {
		return "", fmt.Errorf("ipfs %s: %s%s", strings.Join(args, " "), &p.said, &out)
	}
	return out.String(), nil
}

// TestKubo has two nodes that know nothing but stock IPFS nodes, each another one, share and fetch: they find each other by
// the IPFS nodes' DHT. These know us as a peer like others.
func TestKubo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not in a short run")
	}
	tool := kuboTool(t)
	l := newInternet(t)
	var all []*kubo
	for i := range 3 {
		var known []string
		if i > 0 {
			known = []string{all[0].at}
		}
		all = append(all, newKubo(l.machine(), tool, known...))
	}
	public := func(k *kubo) settings {
		return append(quiet(), "--profile", "public").with("discovery.mdns", "off").with("discovery.public_bootstrap", k.at)
	}
	folder := tree(t)
	a := l.machine().share(folder, public(all[1]))
	m := l.machine()
	began := time.Now()
	m.get(a.Key, public(all[2])).result()
	t.Logf("found by the DHT of kubo, and fetched, in %s", seconds(time.Since(began)))
	same(t, folder, m.copy())
	known(t, all[0], a)
}

// known checks that an IPFS node finds what is shared, and knows who shares it.
func known(t *testing.T, k *kubo, a *shared) {
	t.Helper()
	id := a.Addresses[0][strings.LastIndexByte(a.Addresses[0], '/')+1:]
	cid := discovery.Topic(discoveryKey(t, a.Key)).CID().String()
	if found := k.do("routing", "findprovs", cid); !strings.Contains(found, id) {
		t.Errorf("kubo finds %q for %s, want %s", found, cid, id)
	}
	if told := k.do("ping", "-n", "3", "/p2p/"+id); !strings.Contains(told, "Average latency") {
		t.Errorf("kubo's ping says %s", told)
	}
	var info struct {
		AgentVersion string
		Protocols    []string
	}
	must(t, json.Unmarshal([]byte(k.do("id", id)), &info))
	if !strings.HasPrefix(info.AgentVersion, "hypernode/") || !slices.Contains(info.Protocols, string(protocols.Replicate)) {
		t.Errorf("kubo takes us for %+v", info)
	}
}
