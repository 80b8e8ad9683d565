package protocols

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
)

const (
	// hopeless is for how long a peer that was not reached directly in time is not waited for as long again, and shorter is how
	// much shorter.
	hopeless = 10 * time.Minute
	shorter  = 10

	// maxHopeless is how many such peers are remembered.
	maxHopeless = 1024
)

// direct waits for a peer that was met through a relay to be reached directly, which libp2p tries by itself. If it takes too
// long the relay has to do, which ends a connection after little has passed.
func (s *Service) direct(ctx context.Context, p peer.ID) error {
	patience := s.patience(p)
	late := time.NewTimer(patience)
	defer late.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ready := s.punches()
	for s.host.Network().Connectedness(p) != network.Connected {
		select {
		case <-tick.C:
			if !ready && s.punches() {
				ready = true
				s.meetAgain(ctx, p)
				late.Reset(patience)
			}
		case <-late.C:
			if s.o.Relayed < s.o.OpenTimeout {
				s.despair(p)
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrLimited, ctx.Err())
		}
	}
	return nil
}

// patience is how long a direct connection with a peer is waited for.
func (s *Service) patience(p peer.ID) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.relayed[p]; ok && time.Since(at) < hopeless && s.o.Relayed < s.o.OpenTimeout {
		return s.o.Relayed / shorter
	}
	return s.o.Relayed
}

// despair notes that a peer was not reached directly in time.
func (s *Service) despair(p peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.relayed) >= maxHopeless {
		clear(s.relayed)
	}
	s.relayed[p] = time.Now()
}

// punches tells whether this side can take part in a hole punch. A host that has just begun cannot before it has heard where
// others see it.
func (s *Service) punches() bool {
	return slices.Contains(s.host.Mux().Protocols(), holepunch.Protocol)
}

// meetAgain connects through the relay once more: it is at the beginning of such a connection that the other side tries to get
// through, once.
func (s *Service) meetAgain(ctx context.Context, p peer.ID) {
	for _, c := range s.host.Network().ConnsToPeer(p) {
		if c.Stat().Limited {
			c.Close()
		}
	}
	if _, err := s.host.Network().DialPeer(ctx, p); err != nil {
		s.o.Logger.Debug("the relay was left in vain", "peer", p, "reason", err)
	}
}

// leaveRelays gives up streams through relays when their peers are reached directly, until ctx ends. Who wants a stream opens
// another one, which takes the better way.
func (s *Service) leaveRelays(ctx context.Context) error {
	sub, err := s.host.EventBus().Subscribe(new(event.EvtPeerConnectednessChanged), eventbus.Name("hypernode relays"))
	if err != nil {
		return fmt.Errorf("watching connections: %w", err)
	}
	defer sub.Close()
	for {
		select {
		case e := <-sub.Out():
			if e, ok := e.(event.EvtPeerConnectednessChanged); ok && e.Connectedness == network.Connected {
				s.leaveRelay(e.Peer)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Service) leaveRelay(p peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.links[p]
	if entry == nil {
		return
	}
	for _, l := range []*link{entry.in, entry.out} {
		if l != nil && l.limited && l.conn != nil {
			s.set.Retire(l.conn)
		}
	}
}
