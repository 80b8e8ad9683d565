package pebble

import (
	"bytes"
	"context"
	"slices"
	"sync"
)

const (
	maxTombs = 256
	// worthCompacting is how many bytes of tables in removed ranges are left alone, since they are less than what a
	// compaction may leave.
	worthCompacting = 64 << 10
)

// keyRange is a range of keys of Pebble, lo <= key < hi.
type keyRange struct{ lo, hi []byte }

// tombs remembers the ranges that were removed lately, so that their space can be given back before the store closes.
// When there are too many the oldest are forgotten: Pebble gives their space back in its own time.
type tombs struct {
	mu     sync.Mutex
	ranges []keyRange
}

func (t *tombs) add(rs []keyRange) {
	if len(rs) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range rs {
		if n := len(t.ranges); n > 0 && bytes.Compare(r.lo, t.ranges[n-1].hi) <= 0 && bytes.Compare(t.ranges[n-1].lo, r.lo) <= 0 {
			if bytes.Compare(t.ranges[n-1].hi, r.hi) < 0 {
				t.ranges[n-1].hi = r.hi // a removal in steps
			}
			continue
		}
		t.ranges = append(t.ranges, r)
	}
	if n := len(t.ranges) - maxTombs; n > 0 {
		t.ranges = slices.Delete(t.ranges, 0, n)
	}
}

func (t *tombs) take() []keyRange {
	t.mu.Lock()
	defer t.mu.Unlock()
	rs := t.ranges
	t.ranges = nil
	return rs
}

// compactTombs lets Pebble drop what was removed. Pebble must have been flushed.
func (e *Engine) compactTombs() {
	for _, r := range e.tombs.take() {
		if n, err := e.db.EstimateDiskUsage(r.lo, r.hi); err != nil || n < worthCompacting {
			continue
		}
		if err := e.compact(r.lo, r.hi); err != nil {
			e.options.Logger.Warn("compacting removed records", "error", err)
			return
		}
	}
}

// compact lets Pebble compact a range, and gives up when there is no space for that.
func (e *Engine) compact(lo, hi []byte) error {
	ctx, cancel := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() {
		defer cancel()
		for {
			news, err := e.health.trouble()
			if err != nil {
				return
			}
			select {
			case <-news:
			case <-ctx.Done():
				return
			}
		}
	})
	err := e.db.Compact(ctx, lo, hi, false)
	cancel()
	watch.Wait()
	if _, trouble := e.health.trouble(); err != nil && trouble != nil {
		return trouble
	}
	return err
}

// Compact implements datastore.Compacter.
func (e *Engine) Compact(lo, hi []byte) error {
	if e.isClosed() || e.readOnly || bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	if err := e.flush(); err != nil {
		return err
	}
	for _, space := range []byte{spaceRecord, spaceBlock} {
		if err := e.compact(inSpace(nil, space, lo), inSpace(nil, space, hi)); err != nil {
			return scanError(err)
		}
	}
	e.compactTombs()
	return e.reclaim(e.segments())
}

// segments returns all segments.
func (e *Engine) segments() map[uint32]bool {
	e.commits.Lock()
	defer e.commits.Unlock()
	all := map[uint32]bool{}
	for n := range e.sealed {
		all[n] = true
	}
	if e.meta.active != 0 {
		all[e.meta.active] = true
	}
	return all
}
