package node

import (
	"context"
	"errors"
	"time"

	"github.com/hypernode/hypernode/core"
)

const (
	quotaEvery = 10 * time.Second       // what grows within a quota is asked for so often
	storeEvery = 500 * time.Millisecond // whether the store is full is looked at so often while something is fetched
)

// The parts of a seed.
const (
	entries  = 0 // the core itself
	contents = 1 // of a drive
)

// download fetches a part of a seed, and what is added, until ctx ends: all of it, or what fits into the seed's quota and into the
// store. It begins anew when the seed's options change.
func (n *Node) download(ctx context.Context, s *seed, c *core.Core, part int) error {
	for {
		round, cancel := context.WithCancel(ctx)
		o := n.begin(s, part, cancel)
		err := n.downloadRound(round, s, c, o, part)
		if round.Err() != nil && ctx.Err() == nil {
			err = nil
		}
		cancel()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// begin notes how a round of downloads can be ended, and returns the options for it.
func (n *Node) begin(s *seed, part int, cancel context.CancelFunc) SeedOptions {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.rounds[part] = cancel
	return s.SeedOptions
}

// downloadRound downloads until it is time to look again whether there is more.
func (n *Node) downloadRound(ctx context.Context, s *seed, c *core.Core, o SeedOptions, part int) error {
	if o.MaxBytes == 0 && n.config.Limits.Store == 0 {
		s.limit("")
		return c.Download(ctx, everything(o.Priority))
	}
	before := uint64(0)
	if part == contents {
		before = s.used()
	}
	if err := n.downloadSome(ctx, s, c, o, before); err != nil {
		return err
	}
	sleep(ctx, quotaEvery)
	return nil
}

// used is how many bytes the entries of a drive take.
func (s *seed) used() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.core == nil {
		return 0
	}
	return s.core.Head().ByteLength
}

// downloadSome fetches what fits of what there is now.
func (n *Node) downloadSome(ctx context.Context, s *seed, c *core.Core, o SeedOptions, before uint64) error {
	if c.Head().Length == 0 {
		if err := n.Joined(ctx, c.DiscoveryKey()); err != nil {
			return err
		}
	}
	if err := c.Update(ctx); err != nil {
		return err
	}
	end, limited, err := fitting(ctx, c, o.MaxBytes, before)
	if err != nil {
		return err
	}
	if c.Contiguous() < end {
		if full, err := n.downloadUntilFull(ctx, c, end, o.Priority); err != nil {
			return err
		} else if full {
			limited = LimitedByStore
		}
	}
	s.limit(limited)
	return nil
}

// fitting returns how many of the first blocks fit into a quota, 0 for none, and what limits them.
func fitting(ctx context.Context, c *core.Core, quota int64, before uint64) (end uint64, limited string, err error) {
	h := c.Head()
	left := uint64(max(quota, 0)) - min(before, uint64(max(quota, 0)))
	if quota == 0 || h.ByteLength <= left {
		return h.Length, "", nil
	}
	if left > 0 {
		end, _, err = c.Seek(ctx, left)
	}
	return end, LimitedByQuota, err
}

var errFull = errors.New("node: the store is full")

// downloadUntilFull fetches the first blocks, and tells whether it ended before since the store is full.
func (n *Node) downloadUntilFull(ctx context.Context, c *core.Core, end uint64, priority int) (full bool, err error) {
	if n.Full() {
		return true, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for ctx.Err() == nil {
			sleep(ctx, storeEvery)
			if n.Full() {
				cancel(errFull)
			}
		}
	}()
	err = c.Download(ctx, core.Want{Ranges: []core.Range{{End: end}}, Priority: priority})
	full = errors.Is(context.Cause(ctx), errFull)
	cancel(nil)
	<-watched
	if full {
		return true, nil
	}
	return false, err
}

// limit notes why the seed is not fetched whole.
func (s *seed) limit(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limited = why
}
