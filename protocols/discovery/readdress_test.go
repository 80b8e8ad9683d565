package discovery

import (
	"context"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

func TestMoved(t *testing.T) {
	d := new(DHT)
	home, relay, other := addrs(t, "/ip4/1.2.3.4/tcp/1"), addrs(t, "/ip4/5.6.7.8/tcp/1"), addrs(t, "/ip4/9.9.9.9/tcp/1")
	both := append(addrs(t, "/ip4/1.2.3.4/tcp/1"), relay...)
	for _, step := range []struct {
		what string
		now  []ma.Multiaddr
		want bool
	}{
		{"nothing was told", home, false},
		{"the same", home, false},
		{"one more", both, false},
		{"none left", nil, false},
		{"another one alone", other, true},
		{"that was told by now", other, false},
		{"back", home, true},
	} {
		if got := d.moved(step.now); got != step.want {
			t.Errorf("%s: %v", step.what, got)
		}
		if len(d.told) == 0 {
			d.tell(step.now)
		}
	}
}

func addrs(t *testing.T, list ...string) (out []ma.Multiaddr) {
	t.Helper()
	for _, text := range list {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// TestReaddress announces again for a node that has moved: one that came later, and knows of nothing yet, hears of it.
func TestReaddress(t *testing.T) {
	tables, hosts := newTables(t, 3)
	topic := Topic{8}
	if err := tables[1].Announce(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	late, err := NewDHT(h, DHTOptions{Prefix: LANPrefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { late.Close() })
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: hosts[1].ID(), Addrs: hosts[1].Addrs()}); err != nil {
		t.Fatal(err)
	}
	until(t, "an entry", func() bool { return late.Ready() && tables[1].Size() == 3 })
	holds := func() bool {
		list, err := late.table.ProviderStore().GetProviders(context.Background(), topic.Multihash())
		return err == nil && len(list) == 1 && list[0].ID == hosts[1].ID()
	}
	if err := tables[1].readdress(t.Context()); err != nil || holds() {
		t.Fatalf("announced again although nothing has moved, or %v", err)
	}
	tables[1].tell(addrs(t, "/ip4/127.0.0.1/tcp/1"))
	if err := tables[1].readdress(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "the announcement", holds)
}
