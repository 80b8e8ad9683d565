package protocols

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multistream"

	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/replicate"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// serveOut opens a stream to a peer and serves it until it ends.
func (s *Service) serveOut(ctx context.Context, l *link) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	l.cancel = cancel
	yielded := l.err
	s.mu.Unlock()
	if yielded != nil {
		s.remove(l, yielded)
		return
	}
	st, err := s.open(ctx, l.peer, Replicate, ServiceName, StreamMemory)
	if err == nil {
		err = s.serve(ctx, l, st)
	}
	s.remove(l, err)
}

// acceptFramed serves a stream that a peer has opened.
func (s *Service) acceptFramed(ctx context.Context, raw network.Stream) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	st, err := take(raw, ServiceName, StreamMemory)
	if err != nil {
		return
	}
	l := &link{peer: raw.Conn().RemotePeer(), since: time.Now(), cancel: cancel, end: make(chan struct{})}
	if !s.settle(ctx, l) {
		st.Close()
		return
	}
	s.remove(l, s.serve(ctx, l, st))
}

// serve replicates over a stream until it ends, and returns why.
func (s *Service) serve(ctx context.Context, l *link, st *conduit) error {
	conn, err := mux.NewFramed(ctx, st, mux.FramedOptions{
		LocalPeer: []byte(s.host.ID()), RemotePeer: []byte(l.peer), Initiator: l.opened,
		Handshake: s.o.OpenTimeout, Limits: secretstream.Limits{Idle: s.o.Idle},
	})
	if err != nil {
		st.finish(network.StreamProtocolViolation)
		return fmt.Errorf("opening a stream to %s: %w", l.peer, errors.Join(err, context.Cause(ctx)))
	}
	if !s.stands(l, conn, st.Conn().Stat().Limited) {
		conn.Close()
		return ErrYielded
	}
	err = s.set.Serve(ctx, conn, s.o.Find)
	st.finish(code(err))
	s.o.Logger.Debug("replication stream ended", "peer", l.peer, "reason", err)
	if err == nil {
		err = errors.New("the peer closed the stream")
	}
	return err
}

// code says to the peer why a stream is reset.
func code(err error) network.StreamErrorCode {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return network.StreamNoError
	case errors.Is(err, mux.ErrProtocol), errors.Is(err, replicate.ErrBadPeer), errors.Is(err, replicate.ErrCapability):
		return network.StreamProtocolViolation
	case errors.Is(err, replicate.ErrInvalidRequests):
		return network.StreamRateLimited
	}
	return network.StreamNoError
}

// open opens a stream. It waits for the connection, not for what the peer says of itself, nor for its consent to the
// protocol: a peer that does not speak it shows at the first read.
func (s *Service) open(ctx context.Context, p peer.ID, id protocol.ID, service string, memory int) (*conduit, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.OpenTimeout)
	defer cancel()
	if err := s.dial(ctx, p); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", p, err)
	}
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, "dialled already"), "a relay is better than nothing")
	st, err := s.host.Network().NewStream(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("opening a stream to %s: %w", p, err)
	}
	if err := st.SetProtocol(id); err != nil {
		st.ResetWithError(network.StreamResourceLimitExceeded)
		return nil, fmt.Errorf("opening a stream to %s: %w", p, err)
	}
	c, err := take(st, service, memory)
	if err != nil {
		return nil, err
	}
	c.rw = multistream.NewMSSelect(st, id)
	return c, nil
}

// dial makes sure of a direct connection. Hosts that find addresses by themselves are asked when none is known.
func (s *Service) dial(ctx context.Context, p peer.ID) error {
	switch s.host.Network().Connectedness(p) {
	case network.Connected:
		return nil
	case network.Limited:
		return s.direct(ctx, p)
	}
	if len(s.host.Peerstore().Addrs(p)) == 0 {
		return s.host.Connect(ctx, peer.AddrInfo{ID: p})
	}
	c, err := s.host.Network().DialPeer(ctx, p)
	if err != nil {
		c, err = s.dialAgain(ctx, p, err)
	}
	if err == nil && c.Stat().Limited {
		return s.direct(ctx, p)
	}
	return err
}

// dialAgain tries once more after a moment. Two hosts that dial each other from the ports at which they listen, at the same
// instant, may meet in one TCP connection of which both take themselves for the client: then both attempts fail.
func (s *Service) dialAgain(ctx context.Context, p peer.ID, cause error) (network.Conn, error) {
	w, ok := s.host.Network().(*swarm.Swarm)
	if !ok || ctx.Err() != nil || !strings.Contains(cause.Error(), "failed to negotiate security protocol") {
		return nil, cause
	}
	select {
	case <-time.After(rand.N(maxApart)):
	case <-ctx.Done():
		return nil, cause
	}
	w.Backoff().Clear(p)
	return w.DialPeer(ctx, p)
}

// maxApart is how long a host waits at most that met another one in the midst of its own attempt.
const maxApart = 200 * time.Millisecond
