package bee

import (
	"context"
	"errors"
	"slices"

	"github.com/hypernode/hypernode/core"
)

// scout goes ahead of a scan through the blocks that are here.
type scout struct {
	*cursor
	a     *ahead
	limit int // entries to go; -1 without a limit
	seen  int64
	used  int // blocks since the last hint
	asked bool
}

// scout sends out a scout from where the scan stands, if there is none.
func (a *ahead) scout() {
	if a.scouting.Swap(true) {
		return
	}
	s := &scout{cursor: a.scan.branch(), a: a, limit: a.scan.limit, seen: a.read.Load()}
	s.v.touched = func(uint64) { s.used++ }
	s.entered = a.node
	ctx := a.ctx()
	a.wg.Go(func() {
		s.run(ctx)
		s.v.end()
		a.scouting.Store(false)
	})
}

// branch returns a cursor at the same place, which does not wait for blocks.
func (c *cursor) branch() *cursor {
	v := &view{s: c.v.s, fork: c.v.fork, version: c.v.version, local: true}
	b := &cursor{v: v, r: c.r, reverse: c.reverse, budget: c.budget, opened: c.opened}
	if c.opened {
		b.stack = slices.Clone(c.stack)
	}
	return b
}

// run goes on until the range ends, or nothing more can be had: then the scan finds out why.
func (s *scout) run(ctx context.Context) {
	for s.limit != 0 && s.near(ctx) {
		b, err := s.next(ctx)
		switch {
		case errors.Is(err, errMissing):
			if s.tell(); s.await(ctx) != nil {
				return
			}
			if !s.opened {
				s.stack, s.budget = s.stack[:0], s.v.version
			}
		case b == nil || err != nil:
			return
		default:
			s.seen++
			s.limit = max(s.limit-1, -1)
		}
	}
}

// near waits until the scan has come close enough.
func (s *scout) near(ctx context.Context) bool {
	for {
		read := s.a.read.Load()
		if s.seen-read < min(max(scoutLeast, 2*read), scoutMost) {
			return ctx.Err() == nil
		}
		select {
		case <-s.a.moved:
		case <-ctx.Done():
			return false
		}
	}
}

// passed tells the scout that the scan has come past an entry.
func (a *ahead) passed() {
	if !a.scouting.Load() {
		return
	}
	a.read.Add(1)
	select {
	case a.moved <- struct{}{}:
	default:
	}
}

// tell tells peers what the scan is after and where the scout stands, unless they were told lately.
func (s *scout) tell() {
	h := s.v.s.hints
	if h == nil || s.asked && s.used < hintEvery {
		return
	}
	if m := s.position(s.limit); m != nil {
		s.asked, s.used = true, 0
		h.askIterator(m)
	}
}

// await waits for what lacks where the scout stands.
func (s *scout) await(ctx context.Context) error {
	var list []uint64
	if len(s.stack) > 0 {
		var err error
		if list, err = s.a.missing(ctx, &s.stack[len(s.stack)-1].n); err != nil {
			return err
		}
	}
	if !slices.Contains(list, s.v.lacking) {
		list = append(list, s.v.lacking)
	}
	return s.v.s.core.Download(ctx, core.Want{Blocks: list, Priority: 1})
}
