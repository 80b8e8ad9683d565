package core

import (
	"bytes"
	"context"
	"slices"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/bitfield"
)

// heldChange is a change of what is held, prepared before its commit. Of dropped there is at most one range; have comes
// after it.
type heldChange struct {
	contiguous uint64   // after it
	pages      []uint64 // pages of the bitmap to write
	gone       []uint64 // and to delete
	have       []Range
	dropped    []Range
}

// changeHeld computes what is held after blocks came in and went, and enters it in next. The caller holds write.
func (l *log) changeHeld(ctx context.Context, st, next *state, have, dropped []Range) (*heldChange, error) {
	c := &heldChange{contiguous: st.contiguous, have: have}
	if st.contiguous == st.length && len(dropped) == 0 && len(have) == 1 && have[0].Start == st.length {
		c.contiguous = have[0].End // an append to a log that holds all: no bitmap is involved
		next.setHeld(c.contiguous, c.contiguous)
		return c, nil
	}
	for _, r := range dropped {
		if r.Start < c.contiguous {
			// The prefix ends here; what it held behind the hole becomes bits.
			if r.End < st.contiguous {
				c.have = append([]Range{{r.End, st.contiguous}}, c.have...)
			}
			c.contiguous = r.Start
		}
		c.dropped = append(c.dropped, r)
	}
	c.contiguous = min(c.contiguous, next.length)
	err := l.withBits(ctx, func(b *bitfield.Bitfield) {
		c.contiguous = c.missing(b, c.contiguous)
		next.setHeld(c.contiguous, c.missing(b, max(next.since, c.contiguous)))
		c.listPages(st, b)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// missing returns the first block from an index on, which does not lie in the contiguous prefix, that is not held after the
// change.
func (c *heldChange) missing(b *bitfield.Bitfield, from uint64) uint64 {
	for moved := true; moved; {
		moved = false
		if next := c.nextUnset(b, from); next > from {
			from, moved = next, true
		}
		for _, r := range c.have {
			if r.Start <= from && from < r.End {
				from, moved = r.End, true
			}
		}
	}
	return from
}

// nextUnset is the first index from one on that the bitmap lacks or that this change drops.
func (c *heldChange) nextUnset(b *bitfield.Bitfield, from uint64) uint64 {
	next := from
	if b.Has(next) {
		next = b.NextUnset(next)
	}
	for _, r := range c.dropped {
		if r.End > from && r.Start < next {
			next = max(r.Start, from)
		}
	}
	return next
}

// listPages lists the pages that change: those of the blocks that came in, and those where dropped ones were held. A
// length may be huge; what is held is not. Stored pages have no bits of the contiguous prefix.
func (c *heldChange) listPages(st *state, b *bitfield.Bitfield) {
	add := func(from, to uint64) {
		if from = max(from, c.contiguous); from >= to {
			return
		}
		for p := from / bitfield.PageBits; p <= (to-1)/bitfield.PageBits; p++ {
			if !slices.Contains(c.pages, p) {
				c.pages = append(c.pages, p)
			}
		}
	}
	for _, r := range c.have {
		add(r.Start, r.End)
	}
	for _, r := range c.dropped {
		for from, to := range b.Runs(max(r.Start, c.contiguous), r.End) {
			add(from, to)
		}
	}
	edge := c.contiguous / bitfield.PageBits
	for p := st.contiguous / bitfield.PageBits; p < edge; p++ {
		c.gone = append(c.gone, p)
	}
	// Bits that the prefix has reached are taken out of the page it ends in: a shorter prefix must not find them.
	from := max(st.contiguous, edge*bitfield.PageBits)
	if next, ok := b.NextSet(from); ok && next < c.contiguous {
		add(c.contiguous, c.contiguous+1)
	}
}

// write puts the changed pages. The caller holds write, and has called changeHeld.
func (c *heldChange) write(tx *datastore.Tx, l *log) {
	for _, p := range c.gone {
		tx.Delete(bitmapKey(l.id, p))
	}
	if len(c.pages) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range c.pages {
		if b := c.page(&l.held.bits, p); len(b) > 0 {
			tx.Set(bitmapKey(l.id, p), b)
		} else {
			tx.Delete(bitmapKey(l.id, p))
		}
	}
}

// page returns a page as it is after the change, and is stored.
func (c *heldChange) page(b *bitfield.Bitfield, p uint64) []byte {
	start := p * bitfield.PageBits
	var page [bitfield.PageBytes]byte
	b.ReadPage(p, &page)
	set := func(list []Range, on bool) {
		for _, r := range list {
			from, to := max(r.Start, start), min(r.End, start+bitfield.PageBits)
			if from < to {
				bitfield.SetBits(&page, from-start, to-start, on)
			}
		}
	}
	set(c.dropped, false)
	set(c.have, true)
	set([]Range{{0, c.contiguous}}, false)
	return bytes.Clone(encodeBits(page[:]))
}
