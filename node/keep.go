package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/drive"
)

// describe says how complete a seed is.
func (n *Node) describe(s *seed) Seed {
	n.mu.Lock()
	out := s.Seed
	n.mu.Unlock()
	s.mu.Lock()
	c, content := s.core, s.content
	out.Limited = s.limited
	s.mu.Unlock()
	if c != nil {
		p := part(c)
		out.Length, out.Contiguous, out.Bytes = p.Length, p.Contiguous, p.Bytes
		if r := n.set.Core(c.DiscoveryKey()); r != nil {
			out.Peers = r.Stats().Peers
		}
	}
	if content != nil {
		p := part(content)
		out.Content = &p
	}
	return out
}

func part(c *core.Core) Part {
	h := c.Head()
	return Part{h.Length, c.Contiguous(), h.ByteLength}
}

// runSeeds keeps all seeds until ctx ends.
func (n *Node) runSeeds(ctx context.Context) error {
	var all sync.WaitGroup
	slots := make(chan struct{}, seedsAtOne)
	n.mu.Lock()
	n.seeding = func(s *seed) {
		all.Go(func() { n.keep(ctx, s, slots) })
	}
	for _, s := range n.seeds {
		n.seeding(s)
	}
	n.mu.Unlock()
	<-ctx.Done()
	n.mu.Lock()
	n.seeding = nil
	n.mu.Unlock()
	all.Wait()
	return nil
}

// keep keeps one seed until it is struck out or ctx ends.
func (n *Node) keep(ctx context.Context, s *seed, slots chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watch sync.WaitGroup
	defer watch.Wait()
	watch.Go(func() {
		select {
		case <-s.left:
		case <-ctx.Done():
		}
		cancel()
	})
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, longPause) {
		if err := n.keepOnce(ctx, s, slots); err != nil && ctx.Err() == nil {
			n.log.Warn("seeding failed, it is tried again", "reason", err)
		}
		sleep(ctx, wait)
	}
	cancel()
}

// keepOnce opens a seed and fetches all of it, and what is added, until ctx ends or that fails.
func (n *Node) keepOnce(ctx context.Context, s *seed, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	c, err := n.Core(ctx, s.Key)
	<-slots
	if err != nil {
		return err
	}
	defer c.Close()
	s.set(c, nil)
	defer s.set(nil, nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() {
		if err := n.keepContent(ctx, s, c); err != nil && ctx.Err() == nil {
			n.log.Warn("the contents of a seed cannot be kept", "reason", err)
		}
	})
	if c.Signs() {
		<-ctx.Done()
		return nil
	}
	err = n.download(ctx, s, c, entries)
	cancel()
	return err
}

// everything is a want that is never fulfilled: all blocks, and those that follow.
func everything(priority int) core.Want {
	return core.Want{Ranges: []core.Range{{}}, Priority: priority}
}

// keepContent keeps the contents, when the core turns out to be that of a drive.
func (n *Node) keepContent(ctx context.Context, s *seed, c *core.Core) error {
	if _, err := c.Wait(ctx, core.Head{}); err != nil {
		return err
	}
	d, err := drive.Open(ctx, n.store, c.Key())
	if err != nil {
		if errors.Is(err, drive.ErrNoDrive) {
			return nil
		}
		return err
	}
	defer d.Close()
	b, err := d.Blobs(ctx)
	if err != nil {
		return err
	}
	content, err := n.store.Open(ctx, corestore.Key(b.Core().Key()))
	if err != nil {
		return err
	}
	defer content.Close()
	s.set(c, content)
	defer s.set(c, nil)
	if content.Signs() {
		<-ctx.Done()
		return nil
	}
	return n.download(ctx, s, content, contents)
}

func (s *seed) set(c, content *core.Core) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.core, s.content = c, content
}
