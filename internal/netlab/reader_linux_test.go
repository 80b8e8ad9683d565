package netlab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
)

// read fetches a drive into the store, and tells all the time how much of its files is verified.
func read(ctx context.Context, p part) error {
	from, err := hint(p.Peer)
	if err != nil {
		return err
	}
	key, err := keys.Parse(strings.TrimPrefix(p.Key, "hyper://"))
	if err != nil {
		return err
	}
	return withNode(ctx, p, func(ctx context.Context, n *node.Node) error {
		d, err := n.Drive(ctx, key, from)
		if err != nil {
			return err
		}
		defer d.Close()
		if err := d.Refresh(ctx); err != nil {
			return err
		}
		b, err := d.Blobs(ctx)
		if err != nil {
			return fmt.Errorf("opening the files: %w", err)
		}
		done := make(chan error, 1)
		go func() { done <- d.Download(ctx, "/", drive.DownloadOptions{}) }()
		began := time.Now()
		now := func() verified {
			return verified{n.Transfer(b.Core().DiscoveryKey()).Stats().BlocksIn, time.Since(began).Seconds()}
		}
		for tick := time.Tick(5 * time.Millisecond); ; {
			select {
			case err := <-done:
				tell(now())
				return err
			case <-tick:
				tell(now())
			}
		}
	})
}

// verified is how many blocks a reader has got, and found to be right, in so many seconds.
type verified struct {
	Blocks uint64
	Took   float64
}
