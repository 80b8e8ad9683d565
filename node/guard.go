package node

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// guardEvery is how often is looked with whom something is under way, and guardFor is how long after it ended a connection
	// is still protected.
	guardEvery = 2 * time.Second
	guardFor   = 30 * time.Second
)

// The tags of peers with the connection manager: the more a peer is worth, the later its connection is closed when there are too
// many. One that is protected is not closed at all.
const (
	guardTag  = "hypernode transfer"
	streamTag = "hypernode stream"
	coreTag   = "hypernode core"

	streamWorth = 5  // there is a replication stream
	coreWorth   = 20 // it has proven to know a core's key
)

// guard protects the connections over which something is transferred, so many at most.
type guard struct {
	manager connmgr.ConnManager
	busy    func() []peer.ID
	most    int
	last    map[peer.ID]time.Time // when something was under way, of those that are protected
}

// run goes on until ctx ends; then nobody is protected any more.
func (g *guard) run(ctx context.Context) {
	g.last = map[peer.ID]time.Time{}
	for ctx.Err() == nil {
		for _, p := range g.busy() {
			if _, ok := g.last[p]; ok || len(g.last) < g.most {
				g.last[p] = time.Now()
				g.manager.Protect(p, guardTag)
			}
		}
		for p, at := range g.last {
			if time.Since(at) > guardFor {
				g.release(p)
			}
		}
		sleep(ctx, guardEvery)
	}
	for p := range g.last {
		g.release(p)
	}
}

func (g *guard) release(p peer.ID) {
	delete(g.last, p)
	g.manager.Unprotect(p, guardTag)
}

// runGuard guards the transfers of the node.
func (n *Node) runGuard(ctx context.Context) error {
	g := &guard{manager: n.host.ConnManager(), most: max(n.config.Limits.ConnectionsLow/2, 1), busy: n.busy}
	g.run(ctx)
	return nil
}

// busy are the peers of libp2p with whom something is under way.
func (n *Node) busy() (list []peer.ID) {
	for _, b := range n.set.Busy() {
		if len(b) != stockID {
			list = append(list, peer.ID(b))
		}
	}
	return list
}

// stockID is the length of what names a stock Hypercore peer that was met over plain TCP: the key of its secret stream, where
// others have a peer id.
const stockID = 32
