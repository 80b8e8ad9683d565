package core

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/bitfield"
)

// Clear removes the blocks from start up to, not including, end from this store and gives their space back. The log stays as it
// is: the blocks count as missing, and can be fetched again from those who have them. Tree nodes stay where a block that is
// held needs them for its proof or its byte offset; where whole pages of them serve no block that is held, they go too.
//
// An end behind the log means its end. Clearing need not be on stable storage when Clear returns.
func (c *Core) Clear(ctx context.Context, start, end uint64) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.readOnly || c.pin != nil {
		return ErrNotWritable
	}
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	st := l.current.Load()
	end = min(end, st.length)
	if start >= end {
		return nil
	}
	if err := l.clear(ctx, st, Range{start, end}); err != nil {
		return fmt.Errorf("core: clearing %s: %w", l.key, err)
	}
	return nil
}

// clear drops blocks, and the tree nodes that nobody needs then.
func (l *log) clear(ctx context.Context, st *state, r Range) error {
	bare, err := l.bare(ctx, st, r)
	if err != nil {
		return err
	}
	return l.drop(ctx, st, r, bare)
}

// bare returns the greatest range around r in which no block is held once r is cleared.
func (l *log) bare(ctx context.Context, st *state, r Range) (Range, error) {
	out := r
	err := l.withBits(ctx, func(b *bitfield.Bitfield) {
		// To the left only the contiguous prefix is known without a search; a hole that begins there is not widened.
		for out.Start > st.contiguous && !b.Has(out.Start-1) && r.Start-out.Start < bitfield.PageBits {
			out.Start--
		}
		if r.End < st.contiguous {
			return
		}
		out.End = st.length
		if next, ok := b.NextSet(r.End); ok {
			out.End = min(out.End, next)
		}
	})
	return out, err
}

// clearNodes removes the pages of nodes whose whole span is bare and complete: every node in them has a parent below which nothing is
// held. The roots stay, and so does the path to the last block, which the next append and upgrade build on.
func clearNodes(tx *datastore.Tx, core uint64, bare Range, length uint64) {
	for level := uint64(0); level < pageLevels; level++ {
		shift := pageDepths * (level + 1)
		if shift >= 64 {
			return
		}
		first := (bare.Start + 1<<shift - 1) >> shift
		end := bare.End >> shift
		if last := (length - 1) >> shift; end > last {
			end = last // the page on the right edge has roots
		}
		if first >= end {
			return
		}
		tx.DeleteRange(pageKey(core, pageID{level, first}), pageKey(core, pageID{level, end}))
	}
}
