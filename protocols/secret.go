package protocols

import (
	"context"
	"net"

	"github.com/libp2p/go-libp2p/core/network"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/hypernode/hypernode/protocols/secretstream"
)

// acceptSecret serves a stream within which the peer speaks Hypercore's own transport.
func (s *Service) acceptSecret(ctx context.Context, raw network.Stream) {
	st, err := take(raw, ServiceName, StreamMemory)
	if err != nil {
		return
	}
	err = s.serveSecret(ctx, &streamConn{st}, false, []byte(raw.Conn().RemotePeer()))
	st.finish(code(err))
	s.o.Logger.Debug("raw replication stream ended", "peer", raw.Conn().RemotePeer(), "reason", err)
}

// ServeConn replicates with a stock Hypercore peer over any connection, which it takes over, until that ends: nil when the
// peer ended it. dialled tells that this side made the connection.
func (s *Service) ServeConn(ctx context.Context, conn net.Conn, dialled bool) error {
	return s.serveSecret(ctx, conn, dialled, nil)
}

// serveSecret is ServeConn for a peer that is known by another name than the key of its secret stream, unless that is nil.
func (s *Service) serveSecret(ctx context.Context, conn net.Conn, dialled bool, name []byte) error {
	o := secretstream.Options{
		Static: s.o.Static, Handshake: s.o.OpenTimeout, Limits: secretstream.Limits{Idle: s.o.Idle},
	}
	handshake := secretstream.Server
	if dialled {
		handshake = secretstream.Client
	}
	c, err := handshake(ctx, conn, o)
	if err != nil {
		return err
	}
	if name != nil {
		return s.set.Serve(ctx, &named{c, name}, s.o.Find)
	}
	return s.set.Serve(ctx, c, s.o.Find)
}

// named is a secret stream with a peer that libp2p has authenticated.
type named struct {
	*secretstream.Conn
	peer []byte
}

// RemoteKey implements mux.Conn: it is the peer's id.
func (n *named) RemoteKey() []byte { return n.peer }

// streamConn makes a net.Conn of a stream.
type streamConn struct{ *conduit }

// LocalAddr implements net.Conn.
func (c *streamConn) LocalAddr() net.Addr {
	return address{c.Stream.Conn().LocalMultiaddr().String(), c}
}

// RemoteAddr implements net.Conn.
func (c *streamConn) RemoteAddr() net.Addr {
	if a, err := manet.ToNetAddr(c.Stream.Conn().RemoteMultiaddr()); err == nil {
		return a
	}
	return address{c.Stream.Conn().RemoteMultiaddr().String(), c}
}

// address is the address of a stream that has none of the IP kind.
type address struct {
	text string
	conn *streamConn
}

// Network implements net.Addr.
func (a address) Network() string { return "libp2p" }

// String implements net.Addr.
func (a address) String() string { return a.text }
