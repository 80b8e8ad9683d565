package node_test

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/protocols/secretstream"
)

// plainAddress is where a node serves stock Hypercore peers.
func plainAddress(t *testing.T, r *running) string {
	t.Helper()
	all := r.Addresses()
	i := slices.IndexFunc(all, func(a string) bool { return strings.HasPrefix(a, "tcp://") })
	if i < 0 {
		t.Fatalf("no plain address among %q", all)
	}
	return all[i]
}

// TestPlainTCP exchanges a core over the transport of stock Hypercore peers, and from there on over libp2p.
func TestPlainTCP(t *testing.T) {
	c := local()
	c.Network.Listen = append(c.Network.Listen, "tcp://127.0.0.1:0")
	a := start(t, c)
	written := a.write(t, "core", 5)
	cb := local()
	cb.Peers.Static = []string{plainAddress(t, a)}
	b := start(t, cb)
	b.read(t, written)
	held, err := b.Core(t.Context(), written.Key())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	start(t, local()).read(t, written, b.info())
}

// TestPlainNewest asks for the newest head at once after the start: the question waits for a stock peer that is dialled.
func TestPlainNewest(t *testing.T) {
	c := local()
	c.Network.Listen = append(c.Network.Listen, "tcp://127.0.0.1:0")
	a := start(t, c)
	written := a.write(t, "core", 3)
	cb := local()
	cb.Peers.Static, cb.Store.Path = []string{plainAddress(t, a)}, t.TempDir()
	for range 2 {
		b := start(t, cb)
		held, err := b.Core(t.Context(), written.Key())
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Update(t.Context()); err != nil {
			t.Fatal(err)
		}
		if held.Head() != written.Head() {
			t.Errorf("the head is %v, want %v", held.Head(), written.Head())
		}
		held.Close()
		b.stop()
		if _, err := written.Append(t.Context(), []byte("more")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPlainReturns has a stock peer go away and come back at the same address: it is dialled again.
func TestPlainReturns(t *testing.T) {
	c := local()
	c.Network.Listen, c.Store.Path = append(c.Network.Listen, "tcp://127.0.0.1:0"), t.TempDir()
	a := start(t, c)
	address := plainAddress(t, a)
	key := a.write(t, "core", 3).Key()
	cb := local()
	cb.Peers.Static = []string{address}
	b := start(t, cb)
	held, err := b.Core(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	until(t, "the first blocks", func() bool { return held.Update(t.Context()) == nil && held.Head().Length == 3 })
	a.stop()
	c.Network.Listen[len(c.Network.Listen)-1] = address
	a = start(t, c)
	again := a.write(t, "core", 2)
	until(t, "what was added", func() bool { return held.Update(t.Context()) == nil && held.Head() == again.Head() })
}

// TestPlainNoise sends noise where stock peers are served: the connection ends, the node lives on.
func TestPlainNoise(t *testing.T) {
	c := local()
	c.Network.Listen = append(c.Network.Listen, "tcp://127.0.0.1:0")
	a := start(t, c)
	for _, noise := range []string{"", "GET / HTTP/1.1\r\n\r\n", strings.Repeat("\xff", 100)} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(plainAddress(t, a), "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(noise))
		conn.(*net.TCPConn).CloseWrite()
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		for err == nil {
			_, err = conn.Read(make([]byte, 100))
		}
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Fatalf("%q keeps a connection", noise)
		}
		conn.Close()
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(plainAddress(t, a), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := secretstream.Client(t.Context(), conn, secretstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
