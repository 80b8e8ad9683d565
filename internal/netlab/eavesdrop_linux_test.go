package netlab

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// hear opens a stream of each protocol, says no more than the protocol asks for, and tells how many messages come within
// a second.
func hear(ctx context.Context, p part) error {
	victim, err := hint(p.Peer)
	if err != nil {
		return err
	}
	var told overheard
	for _, open := range []func(context.Context, host.Host, peer.ID) (mux.Conn, error){plainly, secretly} {
		h, err := newHost()
		if err != nil {
			return err
		}
		defer h.Close()
		if err := h.Connect(ctx, victim); err != nil {
			return err
		}
		conn, err := open(ctx, h, victim.ID)
		if err != nil {
			return fmt.Errorf("opening a stream: %w", err)
		}
		told.Streams++
		time.AfterFunc(time.Second, func() { conn.Close() })
		for {
			if _, err := conn.ReadMessage(); err != nil {
				break
			}
			told.Messages++
		}
	}
	tell(told)
	return nil
}

func plainly(ctx context.Context, h host.Host, to peer.ID) (mux.Conn, error) {
	return framed(ctx, h, to)
}

func secretly(ctx context.Context, h host.Host, to peer.ID) (mux.Conn, error) {
	s, err := h.NewStream(ctx, to, protocols.SecretStream)
	if err != nil {
		return nil, err
	}
	return secretstream.Client(ctx, carrier{s}, secretstream.Options{})
}

// overheard is what a stranger hears who asks for nothing.
type overheard struct{ Streams, Messages int }

// carrier makes a stream of libp2p a connection.
type carrier struct{ network.Stream }

// LocalAddr implements net.Conn.
func (carrier) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn.
func (carrier) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// TestEavesdropper has a stranger connect with a node that looks for a drive. It must not learn which.
func TestEavesdropper(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	m := l.machine()
	wanted := keys.Key(stray())
	m.hypernode("node", append(settings{"seed", "hyper://" + wanted.String()}, onLAN()...)...).ok()
	n := m.run(onLAN())
	p := l.machine().role("eavesdropper", part{Peer: n.at()}, false)
	var told overheard
	p.line(&told)
	p.ok()
	if told != (overheard{Streams: 2}) {
		t.Errorf("a stranger heard %d messages on %d streams", told.Messages, told.Streams)
	}
}
