package blobs

import (
	"context"
	"sync"

	"github.com/hypernode/hypernode/core"
)

// How far ahead of the reader blocks are fetched, in bytes: nothing after a read elsewhere, then twice as much after each read that
// goes on where the last one ended.
const (
	minAhead = 256 << 10
	maxAhead = 16 << 20
)

// maxNeed bounds what one read fetches together, in bytes.
const maxNeed = 64 << 20

// ahead fetches blocks before they are read.
type ahead struct {
	ctx    context.Context
	cancel context.CancelFunc
	blobs  *Blobs

	running sync.WaitGroup
	mu      sync.Mutex // guards the fields below
	next    uint64     // the offset behind the last read
	window  uint64     // in bytes
	asked   uint64     // the place up to which blocks were asked for
	flying  int
	done    bool
}

func newAhead(ctx context.Context, b *Blobs) *ahead {
	a := &ahead{blobs: b}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

func (a *ahead) close() {
	a.mu.Lock()
	a.done = true
	a.mu.Unlock()
	a.cancel()
	a.running.Wait()
}

func (a *ahead) closed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.done
}

// places is how many blocks n bytes are, about.
func places(l layout, n uint64) uint64 {
	return n/max(l.size()/max(l.count(), 1), 1) + 1
}

// need has the blocks come in together that a read of n bytes from a place on needs.
func (a *ahead) need(ctx context.Context, l layout, place, n uint64) error {
	end := min(place+places(l, min(n, maxNeed)), l.count())
	for _, r := range l.ranges(place, end) {
		if err := a.blobs.fetch(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// after notes that the bytes from start to end were read, the last of them in the block at a place, and fetches ahead.
func (a *ahead) after(l layout, start, end, place uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if start == a.next && start > 0 {
		a.window = min(max(2*a.window, minAhead), maxAhead)
	} else if start != a.next {
		a.window, a.asked = 0, 0
	}
	a.next = end
	if a.window == 0 || a.flying > 1 || place+1 >= l.count() {
		return
	}
	window := places(l, a.window)
	from, to := max(place+1, a.asked), min(place+1+window, l.count())
	if from >= to || a.asked > place+1+window/2 {
		return
	}
	a.asked = to
	a.startLocked(l, from, to, false)
}

// all fetches the blocks of the places from start up to, not including, end, in order, until stop is called.
func (a *ahead) all(l layout, start, end uint64) (stop func()) {
	if start >= end {
		return func() {}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.startLocked(l, start, end, true)
}

// startLocked fetches in the background, unless nothing is missing.
func (a *ahead) startLocked(l layout, start, end uint64, wait bool) (stop func()) {
	list := l.ranges(start, end)
	if a.done || a.here(list) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(a.ctx)
	ended := make(chan struct{})
	a.flying++
	a.running.Go(func() {
		defer close(ended)
		defer cancel()
		// An error is left to the reader, who will ask for the block itself.
		_ = a.blobs.core.Download(ctx, core.Want{Ranges: list, Linear: true})
		a.mu.Lock()
		a.flying--
		a.mu.Unlock()
	})
	return func() {
		cancel()
		if wait {
			<-ended
		}
	}
}

// here tells whether all blocks of the ranges are stored.
func (a *ahead) here(list []core.Range) bool {
	for _, r := range list {
		if ok, err := a.blobs.core.Has(a.ctx, r.Start, r.End); err != nil || !ok {
			return false
		}
	}
	return true
}
