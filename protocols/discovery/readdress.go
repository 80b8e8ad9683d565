package discovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	ma "github.com/multiformats/go-multiaddr"
)

// settling is how long addresses must have stayed before all is announced again for them, which is how often that is done at
// most.
const settling = time.Minute

// Run enters the network and keeps its table of nodes fresh, and announces everything again when none of the addresses that
// others were told leads here any more, until ctx ends. Who finds a record is given the addresses that came with it.
func (d *DHT) Run(ctx context.Context) error {
	sub, err := d.table.Host().EventBus().Subscribe(new(event.EvtLocalAddressesUpdated), eventbus.Name("hypernode announcements"))
	if err != nil {
		return fmt.Errorf("watching addresses: %w", err)
	}
	defer sub.Close()
	if err := d.table.Bootstrap(ctx); err != nil {
		return err
	}
	settled, later := time.NewTimer(settling), time.NewTimer(unswept)
	defer settled.Stop()
	defer later.Stop()
	for {
		select {
		case <-sub.Out():
			settled.Reset(settling)
		case <-settled.C:
			if err := d.readdress(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		case <-later.C:
			if _, err := d.sweeper(); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// readdress announces everything again, if need be.
func (d *DHT) readdress(ctx context.Context) error {
	if !d.moved(d.table.FilteredAddrs()) {
		return nil
	}
	keys, err := d.keys.Get(ctx, "")
	if err != nil {
		return fmt.Errorf("listing what is announced: %w", err)
	}
	if len(keys) == 0 {
		return nil
	}
	sweep, err := d.sweeper()
	if err != nil {
		return err
	}
	return sweep.ProvideOnce(keys...)
}

// tell notes the addresses that others are told.
func (d *DHT) tell(addrs []ma.Multiaddr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = addrs
}

// moved tells whether none of the addresses that others were told is among those that there are now, of which they are told next.
func (d *DHT) moved(now []ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	stays := func(a ma.Multiaddr) bool { return slices.ContainsFunc(now, a.Equal) }
	if len(now) == 0 || len(d.told) == 0 || slices.ContainsFunc(d.told, stays) {
		return false
	}
	d.told = now
	return true
}
