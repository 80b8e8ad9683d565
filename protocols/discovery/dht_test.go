package discovery

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	mh "github.com/multiformats/go-multihash"
)

func newHost(t testing.TB) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.DisableMetrics(),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// newTables makes n nodes of a network, all of which know the first.
func newTables(t testing.TB, n int) (tables []*DHT, hosts []host.Host) {
	t.Helper()
	for i := range n {
		h := newHost(t)
		d, err := NewDHT(h, DHTOptions{Prefix: LANPrefix, Timeout: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { ended <- d.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := errors.Join(<-ended, d.Close()); err != nil {
				t.Error(err)
			}
		})
		if i > 0 {
			if err := h.Connect(t.Context(), peer.AddrInfo{ID: hosts[0].ID(), Addrs: hosts[0].Addrs()}); err != nil {
				t.Fatal(err)
			}
			until(t, "an entry", d.Ready)
			if err := d.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		tables, hosts = append(tables, d), append(hosts, h)
	}
	return tables, hosts
}

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

func find(t testing.TB, d *DHT, topic Topic) (list []peer.AddrInfo) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for p := range d.Find(ctx, topic) {
		list = append(list, p)
	}
	return list
}

func TestDHT(t *testing.T) {
	tables, hosts := newTables(t, 8)
	topic := Topic{1, 2, 3}
	if got := find(t, tables[5], topic); len(got) != 0 {
		t.Fatalf("found %v before anything was announced", got)
	}
	if err := tables[3].Announce(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	got := find(t, tables[5], topic)
	if len(got) != 1 || got[0].ID != hosts[3].ID() || len(got[0].Addrs) == 0 {
		t.Fatalf("found %v", got)
	}
	if got := find(t, tables[3], topic); len(got) != 0 {
		t.Fatalf("found itself: %v", got)
	}
}

// TestManyTopics announces more topics than are announced at once: the others come with a sweep.
func TestManyTopics(t *testing.T) {
	tables, hosts := newTables(t, 4)
	const n = promptBurst + 40
	for i := range n {
		if err := tables[1].Announce(t.Context(), Topic{byte(i), byte(i >> 8), 9}); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{0, promptBurst - 1, promptBurst + 1, n - 1} {
		until(t, "a topic", func() bool {
			got := find(t, tables[2], Topic{byte(i), byte(i >> 8), 9})
			return len(got) == 1 && got[0].ID == hosts[1].ID()
		})
	}
}

// TestToldAtOnce announces to the nodes that are known, without a search.
func TestToldAtOnce(t *testing.T) {
	tables, hosts := newTables(t, 4)
	topic := Topic{4}
	tables[2].tellNear(t.Context(), topic.Multihash())
	until(t, "the announcement", func() bool {
		got := find(t, tables[1], topic)
		return len(got) == 1 && got[0].ID == hosts[2].ID()
	})
}

// TestSilentNode asks a node that accepts a connection and says nothing: it is given up soon.
func TestSilentNode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr, err := manet.FromNetAddr(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	h := &hasty{newHost(t), 50 * time.Millisecond}
	began := time.Now()
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: newHost(t).ID(), Addrs: []ma.Multiaddr{addr}}); err == nil {
		t.Fatal("connected with somebody who says nothing")
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestServes(t *testing.T) {
	h := newHost(t)
	for _, o := range []struct {
		DHTOptions
		want bool
	}{
		{DHTOptions{Prefix: LANPrefix}, true}, {DHTOptions{Prefix: LANPrefix + "/client", Client: true}, false},
		{DHTOptions{Prefix: OwnPrefix}, false}, {DHTOptions{Prefix: PublicPrefix}, false},
	} {
		d, err := NewDHT(h, o.DHTOptions)
		if err != nil {
			t.Fatal(err)
		}
		if d.Serves() != o.want {
			t.Errorf("%s: %v", o.Prefix, d.Serves())
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestGoneNodes closes a third of the nodes: what was announced is found all the same.
func TestGoneNodes(t *testing.T) {
	tables, hosts := newTables(t, 9)
	topic := Topic{7}
	if err := tables[1].Announce(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	for i := 2; i < 5; i++ {
		hosts[i].Close()
	}
	if got := find(t, tables[8], topic); len(got) != 1 || got[0].ID != hosts[1].ID() {
		t.Fatalf("found %v", got)
	}
}

func TestCID(t *testing.T) {
	topic := Topic(bytes.Repeat([]byte{0xab}, 32))
	want, err := mh.Encode(topic[:], mh.BLAKE2B_MIN+31)
	if err != nil {
		t.Fatal(err)
	}
	c := topic.CID()
	if !bytes.Equal(c.Hash(), want) || c.Prefix().Codec != cid.Raw || c.Version() != 1 || c.Prefix().MhType != 0xb220 {
		t.Fatalf("%v", c)
	}
	if got, ok := topicOf(c.Hash()); !ok || got != topic {
		t.Fatalf("%x, %v", got, ok)
	}
	for _, other := range []mh.Multihash{nil, want[:35], append([]byte{0x12, 0x20, 0, 0}, topic[:]...)} {
		if _, ok := topicOf(other); ok {
			t.Errorf("%x wraps a topic", other)
		}
	}
	if got := c.String()[:10]; got != "bafk2bzace" {
		t.Fatalf("%s", got)
	}
}

func TestLocal(t *testing.T) {
	h := newHost(t)
	var port int
	for _, a := range h.Addrs() {
		if text, err := a.ValueForProtocol(6); err == nil {
			for _, c := range text {
				port = 10*port + int(c-'0')
			}
		}
	}
	got, err := Local(t.Context(), port)
	if err != nil || got.ID != h.ID() {
		t.Fatalf("%v, %v", got, err)
	}
	other := newHost(t)
	if err := other.Connect(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	h.Close()
	if _, err := Local(t.Context(), port); err == nil {
		t.Fatal("somebody answers at a closed port")
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{2, 8, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(_ *testing.T, data []byte) { decodeForTest(data) })
}
