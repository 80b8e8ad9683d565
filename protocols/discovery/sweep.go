package discovery

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p-kad-dht/provider"
	"github.com/libp2p/go-libp2p/core/peer"
	mh "github.com/multiformats/go-multihash"
)

const (
	// unswept is for how long what was announced at once is left alone. From then on it is announced again in sweeps, before
	// others forget it after two days. To set those up takes as many queries as some announcements do, which is saved where
	// a node does not run for long.
	unswept = time.Hour

	// gathering is how long topics are gathered for a sweep, and how often is looked whether one can be made.
	gathering = 250 * time.Millisecond
)

// await has topics announced with the next sweep.
func (d *DHT) await(list ...Topic) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range list {
		d.waiting[t] = struct{}{}
	}
	select {
	case d.gather <- struct{}{}:
	default:
	}
}

// awaited tells whether topics wait for a sweep.
func (d *DHT) awaited() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.waiting) > 0
}

// list has a topic that was announced be announced again in the sweeps to come.
func (d *DHT) list(ctx context.Context, t Topic) error {
	if _, err := d.keys.Put(ctx, t.Multihash()); err != nil {
		return err
	}
	d.mu.Lock()
	sweep := d.sweep
	d.mu.Unlock()
	if sweep == nil {
		return nil // it is among those with which the sweeps begin
	}
	return sweep.AddToSchedule(t.Multihash())
}

// Withdraw implements Router. The records that others keep live on, up to two days.
func (d *DHT) Withdraw(t Topic) {
	d.mu.Lock()
	delete(d.waiting, t)
	sweep := d.sweep
	d.mu.Unlock()
	if sweep == nil {
		_ = d.keys.Delete(context.Background(), t.Multihash()) // fails only when it is closed
		return
	}
	_ = sweep.StopProviding(t.Multihash())
}

// flush has the topics that wait announced, and tells whether that was possible: not before it is known how large the network
// is. All of them go at once, and none that is listed goes with them, as a region that is swept at the same time for being
// listed would take away what waits.
func (d *DHT) flush(ctx context.Context) (done bool, err error) {
	sweep, err := d.sweeper()
	if err != nil {
		return false, err
	}
	st, err := sweep.Stats(ctx)
	if err != nil || st.Connectivity.Status != "online" || st.Schedule.AvgPrefixLength < 0 {
		return false, err
	}
	d.mu.Lock()
	var keys []mh.Multihash
	for t := range d.waiting {
		keys = append(keys, t.Multihash())
	}
	clear(d.waiting)
	d.mu.Unlock()
	if len(keys) == 0 {
		return true, nil
	}
	return true, sweep.StartProviding(true, keys...)
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
	sweep, err := provider.New(
		provider.WithHost(h), provider.WithRouter(d.table), provider.WithMessageSender(d.table.MessageSender()),
		provider.WithSelfAddrs(d.table.FilteredAddrs), provider.WithDatastore(d.records), provider.WithKeystore(d.keys),
		provider.WithAddLocalRecord(local), provider.WithSkipBootstrapReprovide(true),
		provider.WithConnectivityCheckOnlineInterval(time.Minute), provider.WithOfflineDelay(10*time.Minute),
	)
	if err != nil {
		return nil, fmt.Errorf("setting up announcements in %s: %w", d.name, err)
	}
	d.sweep = sweep
	return sweep, nil
}
