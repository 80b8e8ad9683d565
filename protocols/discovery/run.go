package discovery

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
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
	settled, later, next := time.NewTimer(settling), time.NewTimer(unswept), time.NewTimer(gathering)
	defer settled.Stop()
	defer later.Stop()
	defer next.Stop()
	for {
		select {
		case <-sub.Out():
			settled.Reset(settling)
		case <-settled.C:
			if err := d.readdress(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		case <-d.gather:
			next.Reset(gathering)
		case <-next.C:
			if !d.awaited() {
				continue
			}
			done, err := d.flush(ctx)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if !done {
				next.Reset(gathering)
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
