package bee

import (
	"bytes"
	"context"
	"fmt"
	"iter"
)

// Range says which keys, and in what order. The zero value is all of them, ascending.
type Range struct {
	// GT, GTE, LT and LTE bound the keys; nil is no bound, an empty key is one. GT counts before GTE, LT before LTE.
	GT, GTE, LT, LTE []byte
	// Reverse gives the keys in descending order.
	Reverse bool
	// Limit ends after so many entries; 0 means no limit.
	Limit int
}

func (r *Range) bounds() bounds {
	x := bounds{lo: r.GTE, hi: r.LTE}
	if r.GT != nil {
		x.lo, x.loOpen = r.GT, true
	}
	if r.LT != nil {
		x.hi, x.hiOpen = r.LT, true
	}
	return x
}

// bounds turns a range of a view into one of the bee.
func (b *Bee) bounds(r *Range) bounds {
	x := r.bounds()
	if b.prefix == nil {
		return x
	}
	if x.lo == nil {
		x.lo, x.loOpen = append(bytes.Clone(b.prefix), 0), true
	} else {
		x.lo = b.whole(x.lo)
	}
	if x.hi == nil {
		x.hi, x.hiOpen = after(b.prefix), true
	} else {
		x.hi = b.whole(x.hi)
	}
	return x
}

// after returns the first key that does not begin with a prefix that ends in a byte below 255.
func after(prefix []byte) []byte {
	k := bytes.Clone(prefix)
	k[len(k)-1]++
	return k
}

// Range yields the entries of a range, of the version that is shown when it begins. After an error it ends. Blocks that
// are missing are fetched in groups, ahead of the walk.
func (b *Bee) Range(ctx context.Context, r Range) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if r.Limit < 0 {
			yield(Entry{}, fmt.Errorf("%w: a limit of %d", ErrOptions, r.Limit))
			return
		}
		v, err := b.view(ctx)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer v.end()
		s := newScan(ctx, v, b.bounds(&r), r.Reverse, r.Limit)
		defer s.end()
		for {
			found, err := s.next(ctx)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if found == nil || !yield(b.part(found.entry()), nil) {
				return
			}
		}
	}
}

// Peek returns the first entry of a range, or ErrNotFound.
func (b *Bee) Peek(ctx context.Context, r Range) (Entry, error) {
	r.Limit = 1
	for e, err := range b.Range(ctx, r) {
		return e, err
	}
	return Entry{}, ErrNotFound
}
