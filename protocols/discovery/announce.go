package discovery

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	mh "github.com/multiformats/go-multihash"
)

const (
	// Announcements that are made at once, rather than in a sweep: so many in a burst, then so many a second.
	promptBurst = 64
	promptRate  = 4

	// telling is how long the search for the nodes to be told of a topic may take; then those that were found are told.
	telling = 30 * time.Second

	// nearest is how many of the known nodes are told at once, without a search.
	nearest = 20
)

// Announce implements Router. Nodes that are known and connected are told at once, so that a topic is found although the
// search for those that are nearest to it is held up by nodes that are gone. Of many topics most wait for Run to sweep.
func (d *DHT) Announce(ctx context.Context, t Topic) error {
	d.tell(d.table.FilteredAddrs())
	if !d.prompt.Allow() {
		d.await(t)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, telling)
	defer cancel()
	var told sync.WaitGroup
	defer told.Wait()
	told.Go(func() { d.tellNear(ctx, t.Multihash()) })
	if err := d.table.Provide(ctx, t.CID(), true); err != nil {
		return err
	}
	return d.list(ctx, t)
}

// tellNear tells of a topic the nearest of the nodes that are connected. Whether it comes through is not looked at.
func (d *DHT) tellNear(ctx context.Context, key mh.Multihash) {
	self := peer.AddrInfo{ID: d.table.PeerID(), Addrs: d.table.FilteredAddrs()}
	messenger, err := pb.NewProtocolMessenger(d.table.MessageSender())
	if err != nil || len(self.Addrs) == 0 {
		return
	}
	place := sha256.Sum256(key)
	var told sync.WaitGroup
	defer told.Wait()
	for _, p := range d.table.RoutingTable().NearestPeers(place[:], nearest) {
		if d.table.Host().Network().Connectedness(p) == network.Connected {
			told.Go(func() { _ = messenger.PutProviderAddrs(ctx, p, key, self) })
		}
	}
}
