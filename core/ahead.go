package core

import (
	"context"
	"sync"
)

// A walk over blocks that are missing asks for as many ahead of it: from the first on twice as many each time, up to the most, which
// is fewer where blocks are large.
const (
	aheadFirst = 8
	aheadMost  = 1024
	aheadBytes = 16 << 20
)

// ahead fetches what a walk comes to, so that a log that is read from peers does not cost a round trip for each block.
type ahead struct {
	core   *Core
	window uint64 // how many blocks were asked for last
	asked  uint64 // where what was asked for ends
	parts  []part // of what was asked for, those that the walk has not passed
	tasks  sync.WaitGroup
}

// part is a range that is being fetched until done is closed.
type part struct {
	Range
	done chan struct{}
}

// reach asks for what lies ahead of next, unless enough was asked for. It ends with ctx, for which the walk's end has to wait.
func (a *ahead) reach(ctx context.Context, next, end uint64) {
	if a.asked >= end || a.asked > next+a.window/2 || a.core.log.source() == nil {
		return
	}
	a.window = min(max(2*a.window, aheadFirst), a.most())
	p := part{Range{Start: max(a.asked, next), End: min(end, next+a.window)}, make(chan struct{})}
	if p.Start >= p.End {
		return
	}
	a.asked = p.End
	a.parts = append(a.parts, p)
	a.tasks.Go(func() {
		defer close(p.done)
		a.fetch(ctx, p.Range, 1)
	})
}

// most is how many blocks of the usual size may be asked for at once.
func (a *ahead) most() uint64 {
	h := a.core.Head()
	if h.ByteLength == 0 {
		return aheadMost
	}
	return min(max(aheadBytes/(h.ByteLength/h.Length+1), aheadFirst), aheadMost)
}

// arrives waits for block i, as long as it may still come with what was asked for.
func (a *ahead) arrives(ctx context.Context, i uint64) error {
	for len(a.parts) > 0 && a.parts[0].End <= i {
		a.parts = a.parts[1:]
	}
	if len(a.parts) == 0 || a.parts[0].Start > i {
		return nil
	}
	for {
		changed := a.core.log.waitChange()
		if here, err := a.core.Has(ctx, i, i+1); here || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-a.parts[0].done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follow asks for all that will be appended from start on.
func (a *ahead) follow(ctx context.Context, start uint64) {
	if a.core.log.source() != nil && !a.core.Writable() {
		a.tasks.Go(func() { a.fetch(ctx, Range{Start: start}, 0) })
	}
}

// fetch downloads a range. Who reads a block that cannot be had meets the error himself.
func (a *ahead) fetch(ctx context.Context, r Range, priority int) {
	_ = a.core.Download(ctx, Want{Ranges: []Range{r}, Linear: true, Priority: priority})
}
