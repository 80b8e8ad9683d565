package pebble

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/hypernode/hypernode/datastore"
)

// A step of writing a segment anew is bounded, so that commits need not wait long.
const (
	stepBytes  = 4 << 20
	stepBlocks = 2048
)

// moved is a block on its way to a new place.
type moved struct {
	key, data []byte
	from      place
}

// rewrite moves the live blocks of a sealed segment into the active one, step by step through the ordinary commit.
// Then the segment has no live bytes and goes.
func (e *Engine) rewrite(n uint32) error {
	e.space.mu.Lock()
	stuck := e.space.stuck[n]
	e.space.mu.Unlock()
	for at := uint32(0); !stuck; {
		if e.isClosed() {
			return errAborted
		}
		step, next, err := e.nextStep(n, at)
		if err != nil {
			return err
		}
		if len(step) > 0 {
			if err := e.move(step); err != nil {
				return err
			}
		}
		if next == 0 {
			return e.emptied(n)
		}
		at = next
	}
	return nil
}

// nextStep reads the next blocks of a segment from offset at on, and returns where to go on, or 0 at the end.
func (e *Engine) nextStep(n, at uint32) (step []moved, next uint32, err error) {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: placeKey(nil, n, at), UpperBound: placesEnd(n)})
	if err != nil {
		return nil, 0, scanError(err)
	}
	size := 0
	for ok := it.First(); ok; ok = it.Next() {
		p, key, err := parsePlace(it.Key(), it.Value())
		if err != nil {
			return nil, 0, errors.Join(corrupt("%w", err), it.Close())
		}
		if size >= stepBytes || len(step) >= stepBlocks {
			next = p.offset
			break
		}
		data, err := e.readPlace(key, p)
		if err != nil {
			return nil, 0, errors.Join(err, it.Close())
		}
		if data != nil {
			step = append(step, moved{bytes.Clone(key), data, p})
			size += len(data)
		}
	}
	return step, next, errors.Join(it.Error(), it.Close())
}

// readPlace reads a block of a segment; nil means that it is gone meanwhile. A corrupt one stays where it is.
func (e *Engine) readPlace(key []byte, p place) ([]byte, error) {
	rec, err := e.lookup(key)
	if errors.Is(err, datastore.ErrNotFound) || err == nil && (rec.inline || rec.place != p) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, _, err := e.fetch(key, rec)
	if data == nil && err == nil {
		e.space.mu.Lock()
		if e.space.stuck == nil {
			e.space.stuck = map[uint32]bool{}
		}
		e.space.stuck[p.segment] = true
		e.space.mu.Unlock()
	}
	return data, err
}

// move commits new places for the blocks that are still in the old ones.
func (e *Engine) move(step []moved) error {
	total := uint64(0)
	for _, m := range step {
		total += uint64(len(m.data))
	}
	e.commits.Lock()
	defer e.commits.Unlock()
	if err := e.health.err(); err != nil {
		return err
	}
	return e.commit(total, lazy, func(p *plan) error {
		for _, m := range step {
			if _, err := p.move(m.key, m.data, m.from); err != nil {
				return err
			}
		}
		return nil
	})
}

// emptied removes a segment whose blocks have been moved, once that is on stable storage.
func (e *Engine) emptied(n uint32) error {
	e.commits.Lock()
	live := e.sealed[n].live
	e.commits.Unlock()
	if live > 0 {
		return nil
	}
	if err := e.mark(); err != nil {
		return err
	}
	return e.removeSegment(n)
}
