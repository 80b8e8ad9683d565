package protocols_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/hypernode/hypernode/protocols"
)

func TestReplicatesOverEachTransport(t *testing.T) {
	for _, transport := range []string{"tcp", "quic", "webtransport", "websocket", "webrtc-direct"} {
		t.Run(transport, func(t *testing.T) {
			a, b := newSide(t, transport), newSide(t, transport)
			written := a.write(t, 20, 4096)
			b.knows(a)
			if err := b.service.Connect(t.Context(), a.host.ID()); err != nil {
				t.Fatal(err)
			}
			b.fetch(t, written)
		})
	}
}

func TestConnectTwiceOpensOneStream(t *testing.T) {
	a, b := newSide(t), newSide(t)
	b.knows(a)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := b.service.Connect(t.Context(), a.host.ID()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := b.streams(a); n != 1 {
		t.Fatalf("%d streams, want 1", n)
	}
}

// streams counts the replication streams with another side.
func (s *side) streams(o *side) (n int) {
	for _, c := range s.host.Network().ConnsToPeer(o.host.ID()) {
		for _, st := range c.GetStreams() {
			if st.Protocol() == protocols.Replicate {
				n++
			}
		}
	}
	return n
}

// gated is a host that hands on streams of peers once the gate is open.
type gated struct {
	host.Host
	arrived chan struct{}
	gate    chan struct{}
}

// SetStreamHandler implements host.Host.
func (g *gated) SetStreamHandler(id protocol.ID, handler network.StreamHandler) {
	g.Host.SetStreamHandler(id, func(s network.Stream) {
		g.arrived <- struct{}{}
		<-g.gate
		handler(s)
	})
}

// TestBothOpen has both sides open a stream before either sees the other's: the one that the side with the smaller id has
// opened survives, and it works.
func TestBothOpen(t *testing.T) {
	runs := 10
	if testing.Short() {
		runs = 3
	}
	for range runs {
		arrived, gate := make(chan struct{}, 16), make(chan struct{})
		a := newSideOn(t, &gated{newHost(t), arrived, gate})
		b := newSideOn(t, &gated{newHost(t), arrived, gate})
		written := a.write(t, 3, 10)
		a.knows(b)
		b.knows(a)
		if _, err := a.host.Network().DialPeer(t.Context(), b.host.ID()); err != nil { // two that dial may meet in one connection
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for _, s := range [][2]*side{{a, b}, {b, a}} {
			both.Go(func() {
				if err := s[0].service.Connect(t.Context(), s[1].host.ID()); err != nil {
					t.Error(err)
				}
			})
		}
		<-arrived
		<-arrived
		close(gate)
		both.Wait()
		b.fetch(t, written)
		until(t, "one stream", func() bool { return a.streams(b) == 1 && b.streams(a) == 1 })
		smaller := a
		if string(b.host.ID()) < string(a.host.ID()) {
			smaller = b
		}
		if st := smaller.stream(); st == nil || st.Stat().Direction != network.DirOutbound {
			t.Error("the stream of the side with the greater id has survived")
		}
		a.stop()
		b.stop()
	}
}

func (s *side) stream() network.Stream {
	for _, c := range s.host.Network().Conns() {
		for _, st := range c.GetStreams() {
			if st.Protocol() == protocols.Replicate {
				return st
			}
		}
	}
	return nil
}

func TestConnectToOtherPrograms(t *testing.T) {
	a := newSide(t)
	stranger := newHost(t)
	a.host.Peerstore().AddAddrs(stranger.ID(), stranger.Addrs(), time.Hour)
	if err := a.service.Connect(t.Context(), stranger.ID()); err == nil {
		t.Fatal("connected to a host without the protocol")
	}
	if a.service.Connected(stranger.ID()) || len(a.service.Peers()) != 0 {
		t.Fatal("there is a stream")
	}
}

func TestEndOfRunEndsStreams(t *testing.T) {
	a, b := newSide(t), newSide(t)
	b.knows(a)
	if err := b.service.Connect(t.Context(), a.host.ID()); err != nil {
		t.Fatal(err)
	}
	a.stop()
	until(t, "the stream's end", func() bool { return !b.service.Connected(a.host.ID()) })
	if err := a.service.Connect(t.Context(), b.host.ID()); !errors.Is(err, protocols.ErrClosed) {
		t.Fatalf("connecting after the end: %v", err)
	}
}

func TestUpAndDownAreTold(t *testing.T) {
	a := newSide(t)
	events := make(chan string, 8)
	b := &side{host: newHost(t), set: a.set}
	b.service = protocols.New(b.host, b.set, protocols.Options{
		Up:   func(peer.ID) { events <- "up" },
		Down: func(peer.ID) { events <- "down" },
	})
	b.run(t)
	b.knows(a)
	if err := b.service.Connect(t.Context(), a.host.ID()); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e != "up" {
		t.Fatal(e)
	}
	a.stop()
	if e := <-events; e != "down" {
		t.Fatal(e)
	}
}

// TestGarbage sends what is no protocol: the stream ends, the service lives on.
func TestGarbage(t *testing.T) {
	a, b := newSide(t), newSide(t)
	b.knows(a)
	if err := b.host.Connect(t.Context(), peer.AddrInfo{ID: a.host.ID(), Addrs: a.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		st, err := b.host.NewStream(t.Context(), a.host.ID(), protocols.Replicate)
		if err != nil {
			t.Fatal(err)
		}
		st.Write(make([]byte, 32))
		st.Write([]byte{3, 0, 0, 0xff, 0xff, 0xff})
		st.SetReadDeadline(time.Now().Add(10 * time.Second))
		for buf := make([]byte, 1024); err == nil; {
			_, err = st.Read(buf)
		}
		if nerr, ok := err.(net.Error); ok && nerr.Timeout() {
			t.Fatal("the stream goes on")
		}
		st.Reset()
	}
	until(t, "the streams' end", func() bool { return !a.service.Connected(b.host.ID()) })
	written := a.write(t, 3, 10)
	if err := b.service.Connect(t.Context(), a.host.ID()); err != nil {
		t.Fatal(err)
	}
	b.fetch(t, written)
}

func TestSecretStreamOverTCP(t *testing.T) {
	a, b := newSide(t), newSide(t)
	written := a.write(t, 10, 1000)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		a.service.ServeConn(ctx, conn, false)
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	all.Go(func() { b.service.ServeConn(ctx, conn, true) })
	b.fetch(t, written)
}
