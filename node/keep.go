package node

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// The parts of a seed.
const (
	entries  = 0 // the core itself
	contents = 1 // of a drive
)

// resting is after how long without anything new no more blocks are asked for before they are announced. It costs one round
// trip at the first news, and saves some kilobytes a core.
const resting = time.Minute

// kept is a core that a seed keeps complete.
type kept struct {
	core    *core.Core
	wanted  core.Want             // what peers are asked for
	stop    func()                // ends that; nil when nothing is wanted
	search  func()                // ends the search for more peers; nil when there is none
	seen    core.Head             // at the last look
	moved   time.Time             // when it last was another one; zero since the core was opened
	fit     fit                   // how much of it may be kept
	limited atomic.Value          // a string: why it is not fetched whole
	failed  atomic.Pointer[error] // why no more will come
}

func (k *kept) d() keys.DiscoveryKey { return k.core.DiscoveryKey() }

// runSeeds keeps all seeds until ctx ends.
func (n *Node) runSeeds(ctx context.Context) error {
	n.seeder.begin()
	n.mu.Lock()
	for _, s := range n.seeds {
		n.seeder.touch(s)
	}
	n.mu.Unlock()
	for s := range n.seeder.run(ctx) {
		n.abandon(s)
	}
	return nil
}

// tend does what there is to do for a seed, and says when there will be more, 0 for not before something changes.
func (n *Node) tend(ctx context.Context, s *seed) (again time.Duration) {
	n.mu.Lock()
	o, left := s.SeedOptions, s.left
	n.mu.Unlock()
	if left {
		n.abandon(s)
		return 0
	}
	again, err := n.tendParts(ctx, s, o)
	if err != nil && ctx.Err() == nil {
		n.log.Warn("seeding failed, it is tried again", "reason", err)
		s.fails(err)
		n.abandon(s)
		s.pause = min(max(2*s.pause, time.Second), longPause)
		return s.pause
	}
	s.fails(s.contentsErr)
	return again
}

func (n *Node) tendParts(ctx context.Context, s *seed, o SeedOptions) (again time.Duration, err error) {
	if s.parts[entries] == nil {
		c, err := n.open(ctx, corestore.Key(s.Key), true)
		if err != nil {
			return 0, err
		}
		n.keep(s, entries, c)
	}
	if s.parts[contents] == nil && !s.plain {
		s.contentsErr = n.openContents(ctx, s)
		if err := s.contentsErr; err != nil && ctx.Err() == nil {
			n.log.Warn("the contents of a seed cannot be kept", "reason", err)
		}
	}
	for part, k := range s.parts {
		if k == nil {
			continue
		}
		next, err := n.pursue(ctx, s, k, o, part)
		if err != nil {
			return 0, err
		}
		if again == 0 || next > 0 && next < again {
			again = next
		}
	}
	return again, nil
}

// keep makes a core a part of a seed.
func (n *Node) keep(s *seed, part int, c *core.Core) {
	n.seeder.follow(s, c.DiscoveryKey())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[part] = &kept{core: c, seen: c.Head()}
}

// abandon closes the cores of a seed.
func (n *Node) abandon(s *seed) {
	s.mu.Lock()
	parts := s.parts
	s.parts, s.plain = [2]*kept{}, false
	s.mu.Unlock()
	for _, k := range parts {
		if k == nil {
			continue
		}
		k.rest()
		k.found()
		n.seeder.unfollow(s, k.d())
		if err := k.core.Close(); err != nil {
			n.log.Warn("a seed was not closed well", "reason", err)
		}
	}
}

// openContents opens the contents, when the core turns out to be that of a drive. That takes its first block, which is the
// header.
func (n *Node) openContents(ctx context.Context, s *seed) error {
	c := s.parts[entries].core
	if c.Head().Length == 0 {
		return nil
	}
	if here, err := c.Has(ctx, 0, 1); err != nil || !here {
		return err
	}
	content, err := n.contentsOf(ctx, c)
	if errors.Is(err, drive.ErrEmpty) {
		return nil
	}
	if err != nil {
		s.mu.Lock()
		s.plain = true
		s.mu.Unlock()
		if errors.Is(err, drive.ErrNoDrive) {
			return nil
		}
		return err
	}
	n.keep(s, contents, content)
	return nil
}

// contentsOf opens the core of the contents of a drive, and not the drive.
func (n *Node) contentsOf(ctx context.Context, c *core.Core) (*core.Core, error) {
	d, err := drive.Open(ctx, n.store, c.Key())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	b, err := d.Blobs(ctx)
	if err != nil {
		return nil, err
	}
	return n.store.Open(ctx, corestore.Key(b.Core().Key()))
}

// pursue has what is missing of a core come in, and what is added.
func (n *Node) pursue(ctx context.Context, s *seed, k *kept, o SeedOptions, part int) (again time.Duration, err error) {
	if k.core.Signs() || k.core.Conflict() != nil { // nothing comes from others, or nothing more
		k.rest()
		k.found()
		return 0, nil
	}
	if err := k.failed.Load(); err != nil {
		return 0, *err
	}
	if h := k.core.Head(); h != k.seen {
		k.seen, k.moved, s.pause = h, time.Now(), 0
	}
	switch {
	case o.MaxBytes == 0 && n.config.Limits.Store == 0:
		return n.pursueAll(ctx, s, k, o)
	}
	return n.pursueSome(ctx, s, k, o, part)
}

// pursueAll fetches all of a core. While it grows the next blocks are wanted before they are there, so that they come without
// being asked for twice.
func (n *Node) pursueAll(ctx context.Context, s *seed, k *kept, o SeedOptions) (again time.Duration, err error) {
	k.limited.Store("")
	everything := core.Want{Ranges: []core.Range{{}}, Priority: o.Priority}
	if k.seen.Length == 0 || k.core.Contiguous() < k.seen.Length {
		n.seek(k)
		return 0, n.ask(ctx, s, k, everything)
	}
	k.found()
	n.calm(k.d())
	left := resting - time.Since(k.moved)
	if k.stop == nil || left <= 0 {
		k.rest()
		return 0, nil
	}
	return left, n.ask(ctx, s, k, everything)
}

// ask asks for what a want names and is missing, unless that is wanted already.
func (n *Node) ask(ctx context.Context, s *seed, k *kept, w core.Want) error {
	if k.stop != nil && sameWant(k.wanted, w) {
		return nil
	}
	k.rest()
	r := n.set.Core(k.d())
	if r == nil {
		return core.ErrClosed
	}
	missing, err := k.core.Missing(ctx, w)
	if err != nil {
		return fmt.Errorf("looking what is held: %w", err)
	}
	k.wanted = w
	k.stop = r.Keep(missing, func(err error) {
		if err != nil {
			k.failed.Store(&err)
		}
		n.seeder.touch(s)
	})
	return nil
}

func sameWant(a, b core.Want) bool {
	if a.Priority != b.Priority || len(a.Blocks) != len(b.Blocks) || len(a.Ranges) != len(b.Ranges) {
		return false
	}
	for i, r := range a.Ranges {
		if r != b.Ranges[i] {
			return false
		}
	}
	return true
}

// rest ends what is wanted.
func (k *kept) rest() {
	if k.stop != nil {
		k.stop()
		k.stop = nil
	}
}

// seek has peers looked for while something is missing.
func (n *Node) seek(k *kept) {
	if k.search == nil {
		k.search = n.want(k.d(), true)
	}
}

// found ends the search.
func (k *kept) found() {
	if k.search != nil {
		k.search()
		k.search = nil
	}
}
