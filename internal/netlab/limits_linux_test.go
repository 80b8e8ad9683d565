package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	"github.com/hypernode/hypernode/protocols"
)

// counted is how much a crowd has got: peers that are connected, and for the first of them, streams that stand.
type counted struct{ Connected, Replicating, Streams int }

// crowd is many peers of one machine, each of which connects; one opens many streams besides. It tells what it could keep.
func crowd(ctx context.Context, p part) error {
	victim, err := hint(p.Peer)
	if err != nil {
		return err
	}
	var hosts []host.Host
	for range p.Peers {
		h, err := newHost()
		if err != nil {
			return err
		}
		defer h.Close()
		hosts = append(hosts, h)
	}
	var all sync.WaitGroup
	for _, h := range hosts {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			h.Connect(ctx, victim)
		})
	}
	all.Wait()
	rest(ctx, 500*time.Millisecond) // for the victim to close what is too much
	var n counted
	var first host.Host
	for _, h := range hosts {
		if h.Network().Connectedness(victim.ID) == network.Connected {
			first = h
			n.Connected++
		}
	}
	if first != nil {
		n.Replicating = standing(p.Rate, func() (network.Stream, error) {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			s, err := first.NewStream(ctx, victim.ID, protocols.Replicate)
			if err == nil {
				s.Write(make([]byte, 32))
			}
			return s, err
		})
		n.Streams = standing(p.Rate, func() (network.Stream, error) {
			return first.Network().ConnsToPeer(victim.ID)[0].NewStream(ctx)
		})
	}
	tell(n)
	<-ctx.Done()
	return nil
}

// standing opens so many streams, and returns how many of them the victim has left open.
func standing(n int, open func() (network.Stream, error)) (count int) {
	var list []network.Stream
	for range n {
		s, err := open()
		if err != nil {
			continue
		}
		defer s.Reset()
		list = append(list, s)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, s := range list {
		all.Go(func() {
			s.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
			_, err := io.Copy(io.Discard, s)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				mu.Lock()
				defer mu.Unlock()
				count++
			}
		})
	}
	all.Wait()
	return count
}

// TestLimits has 40 peers come from one address, and one of them open 400 streams of each kind. The node takes no more than
// it says that it does, and serves a peer from elsewhere as if nothing were.
func TestLimits(t *testing.T) {
	t.Parallel()
	const peers, streams, perAddress, perPeer = 40, 400, 20, 100
	l, folder := newLAN(t), tree(t)
	limited := onLAN().with("limits.peers_per_address", fmt.Sprint(perAddress)).with("limits.peer_streams", fmt.Sprint(perPeer))
	a := l.machine().share(folder, limited)
	p := l.machine().role("crowd", part{Peer: a.Addresses[0], Peers: peers, Rate: streams}, false)
	var n counted
	p.line(&n)
	t.Logf("%d of %d peers of one address were connected; one of them had %d replication streams and %d others", n.Connected, peers,
		n.Replicating, n.Streams)
	if n.Connected == 0 || n.Connected > perAddress {
		t.Errorf("%d peers are connected from one address, of at most %d", n.Connected, perAddress)
	}
	if n.Replicating > protocols.MaxPeerStreams || n.Streams > perPeer {
		t.Errorf("a peer has %d replication streams and %d others, of at most %d and %d", n.Replicating, n.Streams,
			protocols.MaxPeerStreams, perPeer)
	}
	m := l.machine()
	m.get(a.Link, onLAN()).result()
	same(t, folder, m.copy())
}
