package pebble

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/internal/durable"
)

const (
	// reclaimAfter is how many bytes must be dead before space is given back in the background.
	reclaimAfter = 4 << 20
	// pageSize is the unit of holes in files.
	pageSize = 4096
	// maxWaste is how many bytes of a segment may be dead before it is worth the reading of its entries.
	maxWaste = 64 << 10
)

// space keeps track of what could be given back.
type space struct {
	running sync.Mutex // held by the reclaiming that runs

	mu    sync.Mutex       // guards the fields below
	dead  map[uint32]int64 // bytes that died in each segment since it was looked at
	total int64            // of dead
	awake bool             // one is running in the background
	stuck map[uint32]bool  // segments that cannot be written anew: a block in one is corrupt
}

// noteFreed counts dead bytes and starts a reclaiming in the background when there are many. The committer calls it.
func (e *Engine) noteFreed(freed []place) {
	if len(freed) == 0 {
		return
	}
	s := &e.space
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead == nil {
		s.dead = map[uint32]int64{}
	}
	for _, p := range freed {
		s.dead[p.segment] += int64(p.length)
		s.total += int64(p.length)
	}
	if s.awake || e.closed || s.total < min(reclaimAfter, e.options.SegmentSize/4) {
		return
	}
	s.awake = true
	e.background.Add(1)
	go e.reclaimBehind()
}

func (e *Engine) reclaimBehind() {
	defer e.background.Done()
	err := e.reclaim(e.space.take(maxWaste))
	e.space.mu.Lock()
	defer e.space.mu.Unlock()
	e.space.awake = false
	if err != nil && !errors.Is(err, errAborted) {
		e.options.Logger.Warn("giving back space", "error", err)
	}
}

// take returns the segments in which at least least bytes died since they were looked at.
func (s *space) take(least int64) map[uint32]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := map[uint32]bool{}
	for n, dead := range s.dead {
		if dead >= least {
			taken[n] = true
			delete(s.dead, n)
		}
	}
	s.total = 0 // what is left is little in each
	return taken
}

// survey is the state of the segments after some commit, which is on stable storage.
type survey struct {
	snap   *pebble.Snapshot
	sealed map[uint32]segmentInfo
	active uint32
	info   segmentInfo
}

// survey takes the state and puts it on stable storage: what is dead in it stays dead, whatever happens.
func (e *Engine) survey() (*survey, error) {
	e.commits.Lock()
	s := &survey{snap: e.db.NewSnapshot(), sealed: maps.Clone(e.sealed), active: e.meta.active, info: e.meta.info}
	e.commits.Unlock()
	if err := e.mark(); err != nil {
		return nil, errors.Join(err, s.snap.Close())
	}
	return s, nil
}

// mark puts all commits on stable storage, and after them the knowledge of that. Without it a recovery would take a
// commit whose blocks were removed by a later one, and whose bytes are gone, for one that is torn.
func (e *Engine) mark() error {
	if err := e.sync(true); err != nil {
		return err
	}
	e.commits.Lock()
	defer e.commits.Unlock()
	if err := e.health.err(); err != nil {
		return err
	}
	return e.commit(0, synced, func(*plan) error { return nil })
}

// reclaim gives back the space of blocks that are gone from some segments.
func (e *Engine) reclaim(segments map[uint32]bool) error {
	if len(segments) == 0 {
		return nil
	}
	e.space.running.Lock()
	defer e.space.running.Unlock()
	s, err := e.survey()
	if err != nil {
		return err
	}
	var sparse []uint32
	for _, n := range slices.Sorted(maps.Keys(segments)) {
		wasted, err := e.reclaimSegment(s, n)
		if err != nil {
			return errors.Join(err, s.snap.Close())
		}
		if n != s.active && wasted > s.sealed[n].live && wasted > maxWaste {
			sparse = append(sparse, n)
		}
	}
	if err := s.snap.Close(); err != nil {
		return err
	}
	for _, n := range sparse {
		if err := e.rewrite(n); err != nil {
			return err
		}
	}
	return nil
}

// reclaimSegment gives back what is dead in one segment, and returns how many dead bytes it still takes.
func (e *Engine) reclaimSegment(s *survey, n uint32) (wasted uint64, err error) {
	info, sealed := s.sealed[n]
	if n == s.active {
		info = s.info
	} else if !sealed {
		return 0, nil // removed meanwhile
	} else if info.live == 0 {
		return 0, e.removeSegment(n)
	}
	if wasted, err = e.wasted(n, info); err != nil || wasted == 0 {
		return 0, err
	}
	if err := e.punchGaps(s.snap, n, info.end); err != nil {
		return 0, err
	}
	return e.wasted(n, info)
}

// wasted returns how many bytes a segment takes on the disk beyond those of its blocks.
func (e *Engine) wasted(n uint32, info segmentInfo) (uint64, error) {
	stat, err := e.fs.Stat(e.segmentPath(n))
	if err != nil {
		return 0, fmt.Errorf("looking at a segment: %w", err)
	}
	// The active segment grows meanwhile; that is not waste.
	taken := min(allocated(stat), uint64(info.end))
	return taken - min(taken, info.live), nil
}

// removeSegment removes a segment without live bytes: first the file, then its entry. A crash between the two leaves an
// entry without a live byte and without a file.
func (e *Engine) removeSegment(n uint32) error {
	e.handles.drop(n)
	if err := durable.Remove(e.fs, e.segmentPath(n)); err != nil {
		return fmt.Errorf("removing a segment: %w", err)
	}
	e.commits.Lock()
	defer e.commits.Unlock()
	if err := e.health.err(); err != nil {
		return err
	}
	err := e.commit(0, lazy, func(p *plan) error { return p.batch.Delete(segmentKey(nil, n), nil) })
	if err == nil {
		delete(e.sealed, n)
	}
	return err
}

// punchGaps makes holes of what lies between the live blocks of a segment.
func (e *Engine) punchGaps(snap *pebble.Snapshot, n, end uint32) error {
	f, err := e.fs.OpenReadWrite(e.segmentPath(n), vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("opening a segment: %w", err)
	}
	err = e.eachGap(snap, n, end, func(from, to uint32) error {
		from, to = (from+pageSize-1)&^(pageSize-1), to&^(pageSize-1)
		if from >= to {
			return nil
		}
		return punch(f, int64(from), int64(to-from))
	})
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// eachGap calls fn for each run of dead bytes in a segment.
func (e *Engine) eachGap(snap *pebble.Snapshot, n, end uint32, fn func(from, to uint32) error) error {
	it, err := snap.NewIter(&pebble.IterOptions{LowerBound: placeKey(nil, n, 0), UpperBound: placesEnd(n)})
	if err != nil {
		return scanError(err)
	}
	from := uint32(0)
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var p place
		if p, _, err = parsePlace(it.Key(), it.Value()); err != nil {
			err = corrupt("%w", err)
			break
		}
		if p.offset > from {
			err = fn(from, p.offset)
		}
		from = max(from, p.end())
	}
	if err := errors.Join(err, it.Error(), it.Close()); err != nil {
		return err
	}
	if from < end {
		return fn(from, end)
	}
	return nil
}

// placesEnd is above all entries of a segment and below those of the next.
func placesEnd(n uint32) []byte { return append(placeKey(nil, n, 1<<32-1), 0) }
