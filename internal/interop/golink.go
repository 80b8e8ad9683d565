package interop

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// goLink is a connection of a Node, or its listener with the connections that it has accepted.
type goLink struct {
	port   int
	cancel context.CancelFunc
	loops  sync.WaitGroup
	listen net.Listener // nil for a connection
}

func (l *goLink) Port() int { return l.port }

func (l *goLink) Close(context.Context) error {
	l.cancel()
	if l.listen != nil {
		l.listen.Close()
	}
	l.loops.Wait()
	return nil
}

// Listen implements Side.
func (n *Node) Listen(_ context.Context, f Framing) (Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &goLink{port: listener.Addr().(*net.TCPAddr).Port, cancel: cancel, listen: listener}
	l.loops.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.loops.Go(func() { n.serve(ctx, f, conn, false) })
		}
	})
	return l, nil
}

// Dial implements Side.
func (n *Node) Dial(ctx context.Context, f Framing, port int) (Link, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &goLink{cancel: cancel}
	l.loops.Go(func() { n.serve(ctx, f, conn, true) })
	return l, nil
}

// serve replicates over a connection until it ends. A connection may break: whether all that should has come over, the
// test sees.
func (n *Node) serve(ctx context.Context, f Framing, conn net.Conn, dials bool) {
	if c, err := frame(ctx, f, conn, dials); err == nil {
		n.Set.Serve(ctx, c, n.Store.Find)
	}
}

// frame puts the framing over a connection, which is closed if that fails.
func frame(ctx context.Context, f Framing, conn net.Conn, dials bool) (mux.Conn, error) {
	switch {
	case f == Framed:
		local, remote := peerIDs(dials)
		return mux.NewFramed(ctx, conn, mux.FramedOptions{LocalPeer: local, RemotePeer: remote, Initiator: dials})
	case dials:
		return secretstream.Client(ctx, conn, secretstream.Options{})
	}
	return secretstream.Server(ctx, conn, secretstream.Options{})
}
