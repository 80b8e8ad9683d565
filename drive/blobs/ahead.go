package blobs

import (
	"context"
	"sync"

	"github.com/hypernode/hypernode/core"
)

// How far ahead of the reader blocks are fetched, in bytes: nothing after a read elsewhere, then twice as much as was read since
// then, within these bounds.
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
	begin   uint64     // the offset from which all was read, in order, up to next
	next    uint64     // the offset behind the last read
	asked   uint64     // the place up to which blocks were asked for
	flying  int
	stop    func() // of what was begun last for reads to come
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

// request has the blocks come in that a read of n bytes from an offset on needs. It waits for none of them: the reader goes on with
// the first while the others are under way.
func (a *ahead) request(l layout, off, n uint64) {
	place := l.guess(off)
	end := min(place+places(l, min(n, maxNeed)), l.count())
	a.mu.Lock()
	defer a.mu.Unlock()
	if off != a.next {
		a.jumpLocked(off)
	}
	if end-place < 2 {
		return // the reader asks for it
	}
	a.startLocked(l, place, end, core.Want{Priority: 1}, false)
}

// after notes that the bytes from start to end were read, the last of them in the block at a place, and fetches ahead.
func (a *ahead) after(l layout, start, end, place uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	goesOn := start == a.next && start > 0
	if a.next = end; !goesOn {
		a.jumpLocked(start)
		return
	}
	if a.flying > 1 || place+1 >= l.count() {
		return
	}
	window := places(l, min(max(2*(end-a.begin), minAhead), maxAhead))
	from, to := max(place+1, a.asked), min(place+1+window, l.count())
	if from >= to || a.asked > place+1+window/2 {
		return
	}
	a.asked = to
	a.stop = a.startLocked(l, from, to, core.Want{}, false)
}

// jumpLocked gives up what was fetched ahead of where the reader is no more: it stands in the way of what is needed now.
func (a *ahead) jumpLocked(to uint64) {
	a.begin, a.asked = to, 0
	if a.stop != nil {
		a.stop()
		a.stop = nil
	}
}

// all fetches the blocks of the places from start up to, not including, end, in order, until stop is called.
func (a *ahead) all(l layout, start, end uint64) (stop func()) {
	if start >= end {
		return func() {}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.startLocked(l, start, end, core.Want{}, true)
}

// startLocked fetches in the background, unless nothing is missing.
func (a *ahead) startLocked(l layout, start, end uint64, w core.Want, wait bool) (stop func()) {
	w.Ranges, w.Linear = l.ranges(start, end), true
	if a.done || a.here(w.Ranges) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(a.ctx)
	ended := make(chan struct{})
	a.flying++
	a.running.Go(func() {
		defer close(ended)
		defer cancel()
		// An error is left to the reader, who will ask for the block itself.
		_ = a.blobs.core.Download(ctx, w)
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
