package blobs

import (
	"fmt"

	"github.com/hypernode/hypernode/core"
)

// walk gives n bytes from an offset on to emit, block after block. Blocks that are missing are fetched meanwhile, in order.
func (r *Reader) walk(off, n uint64, emit func([]byte) error) error {
	if n == 0 {
		return r.usable()
	}
	if err := r.usable(); err != nil {
		return err
	}
	r.ahead.request(r.layout, off, min(n, minAhead))
	place, start, err := r.layout.find(r.ctx, off)
	if err != nil {
		return err
	}
	stop := r.ahead.all(r.layout, place, min(r.layout.count(), r.layout.guess(off+n-1)+1))
	defer stop()
	for place < r.layout.count() {
		run := r.run(place)
		for data, err := range r.blobs.core.Blocks(r.ctx, run.Start, run.End) {
			if err != nil {
				return fmt.Errorf("blobs: block %d of %s: %w", run.Start, r.id, beyond(r.blobs.core, err))
			}
			if _, size, known := r.layout.block(place); known && uint64(len(data)) != size {
				return fmt.Errorf("%w: a block has %d bytes, not %d", ErrInvalidMap, len(data), size)
			}
			skip := min(off-min(start, off), uint64(len(data)))
			part := data[skip:]
			part = part[:min(uint64(len(part)), n)]
			if len(part) > 0 {
				if err := emit(part); err != nil {
					return err
				}
			}
			if n -= uint64(len(part)); n == 0 {
				return r.whole(off, place, start+uint64(len(data)))
			}
			place, start = place+1, start+uint64(len(data))
		}
	}
	return fmt.Errorf("%w: %s: its blocks have fewer bytes", ErrInvalidID, r.id)
}

// whole makes sure, when a blob was read from the beginning to the end of its last block, that its blocks have no more bytes than
// its id says.
func (r *Reader) whole(off, place, end uint64) error {
	if off == 0 && place+1 == r.layout.count() && end != r.layout.size() {
		return fmt.Errorf("%w: %s: its blocks have %d bytes", ErrInvalidID, r.id, end)
	}
	return nil
}

// run returns the blocks from a place on that follow each other in the core.
func (r *Reader) run(place uint64) core.Range {
	first, _, _ := r.layout.block(place)
	if _, ok := r.layout.(*runLayout); ok {
		return core.Range{Start: first, End: first + r.layout.count() - place}
	}
	run := core.Range{Start: first, End: first + 1}
	for place++; place < r.layout.count(); place++ {
		if next, _, _ := r.layout.block(place); next != run.End {
			break
		}
		run.End++
	}
	return run
}
