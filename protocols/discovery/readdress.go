package discovery

import (
	"context"
	"fmt"
	"slices"

	ma "github.com/multiformats/go-multiaddr"
)

// readdress announces everything again, if need be.
func (d *DHT) readdress(ctx context.Context) error {
	if !d.moved(d.table.FilteredAddrs()) {
		return nil
	}
	keys, err := d.keys.Get(ctx, "")
	if err != nil {
		return fmt.Errorf("listing what is announced: %w", err)
	}
	var list []Topic
	for _, k := range keys {
		if t, ok := topicOf(k); ok {
			list = append(list, t)
		}
	}
	d.await(list...)
	return nil
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
