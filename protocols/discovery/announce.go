package discovery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p-kad-dht/provider"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	mh "github.com/multiformats/go-multihash"
)

const (
	// Announcements that are made at once, rather than in a sweep: so many in a burst, then so many a second.
	promptBurst = 64
	promptRate  = 4

	// unswept is for how long what was announced at once is left alone. From then on it is announced again in sweeps, before
	// others forget it after two days. To set those up takes as many queries as some announcements do, which is saved where
	// a node does not run for long.
	unswept = time.Hour

	// telling is how long the search for the nodes to be told of a topic may take; then those that were found are told.
	telling = 30 * time.Second

	// nearest is how many of the known nodes are told at once, without a search.
	nearest = 20
)

// Announce implements Router. Nodes that are known and connected are told at once, so that a topic is found although the
// search for those that are nearest to it is held up by nodes that are gone.
func (d *DHT) Announce(ctx context.Context, t Topic) error {
	d.tell(d.table.FilteredAddrs())
	if !d.prompt.Allow() {
		sweep, err := d.sweeper()
		if err != nil {
			return err
		}
		return sweep.StartProviding(false, t.Multihash())
	}
	ctx, cancel := context.WithTimeout(ctx, telling)
	defer cancel()
	var told sync.WaitGroup
	defer told.Wait()
	told.Go(func() { d.tellNear(ctx, t.Multihash()) })
	if err := d.table.Provide(ctx, t.CID(), true); err != nil {
		return err
	}
	if _, err := d.keys.Put(ctx, t.Multihash()); err != nil {
		return err
	}
	d.mu.Lock()
	sweep := d.sweep
	d.mu.Unlock()
	if sweep == nil {
		return nil // it is in the list of which the sweeps will be made
	}
	return sweep.AddToSchedule(t.Multihash())
}

// Withdraw implements Router. The records that others keep live on, up to two days.
func (d *DHT) Withdraw(t Topic) {
	d.mu.Lock()
	sweep := d.sweep
	d.mu.Unlock()
	if sweep == nil {
		_ = d.keys.Delete(context.Background(), t.Multihash()) // fails only when it is closed
		return
	}
	_ = sweep.StopProviding(t.Multihash())
}

// sweeper returns what sweeps, setting it up the first time.
func (d *DHT) sweeper() (*provider.SweepingProvider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sweep != nil {
		return d.sweep, nil
	}
	h := d.table.Host()
	local := func(m mh.Multihash) error {
		return d.table.ProviderStore().AddProvider(context.Background(), m, peer.AddrInfo{ID: h.ID()})
	}
	// It begins with all that is listed by then.
	sweep, err := provider.New(
		provider.WithHost(h), provider.WithRouter(d.table), provider.WithMessageSender(d.table.MessageSender()),
		provider.WithSelfAddrs(d.table.FilteredAddrs), provider.WithDatastore(d.records), provider.WithKeystore(d.keys),
		provider.WithAddLocalRecord(local), provider.WithSkipBootstrapReprovide(false),
		provider.WithConnectivityCheckOnlineInterval(time.Minute), provider.WithOfflineDelay(10*time.Minute),
	)
	if err != nil {
		return nil, fmt.Errorf("setting up announcements in %s: %w", d.name, err)
	}
	d.sweep = sweep
	return sweep, nil
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
