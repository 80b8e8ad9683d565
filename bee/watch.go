package bee

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/hypernode/hypernode/core"
)

// Change tells that something in a range is not as it was.
type Change struct {
	// Now and Before are the versions on both sides of it.
	Now, Before *Bee
}

// Watch yields a change whenever entries within a range were written, until ctx ends: then its error comes last. Writes
// that follow each other fast come as one. When the core moves to another fork, that is a change, and Before fails with
// core.ErrTruncated where it was cut.
func (b *Bee) Watch(ctx context.Context, r Range) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		if b.pin != nil {
			yield(Change{}, fmt.Errorf("%w: a version does not change", ErrOptions))
			return
		}
		head := b.s.core.Head()
		before := b.Snapshot()
		for {
			next, err := b.s.core.Wait(ctx, head)
			if err != nil {
				yield(Change{}, err)
				return
			}
			now := b.Snapshot()
			changed := next.Fork != head.Fork
			if !changed {
				changed, err = now.differs(ctx, before, r)
			}
			if errors.Is(err, core.ErrTruncated) {
				continue // the next head tells
			}
			if err != nil {
				yield(Change{}, err)
				return
			}
			if changed && !yield(Change{Now: now, Before: before}, nil) {
				return
			}
			head, before = next, now
		}
	}
}

// differs tells whether two versions have different entries within a range.
func (b *Bee) differs(ctx context.Context, old *Bee, r Range) (bool, error) {
	r.Limit = 1
	for _, err := range b.Diff(ctx, old, r) {
		return err == nil, err
	}
	return false, nil
}

// WatchKey yields the entry of a key, nil while there is none, at once and then whenever it was put or deleted, until ctx
// ends: then its error comes last. Writes that follow each other fast come as one. When the core moves to another fork, that
// is a change if the key has another entry there.
func (b *Bee) WatchKey(ctx context.Context, key []byte) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		if b.pin != nil {
			yield(nil, fmt.Errorf("%w: a version does not change", ErrOptions))
			return
		}
		first, seen := true, Entry{}
		for head := b.s.core.Head(); ; first = false {
			var now *Entry
			e, err := b.Get(ctx, key)
			if err == nil {
				now = &e
			} else if !errors.Is(err, ErrNotFound) {
				yield(nil, err)
				return
			}
			// On another fork the same block may hold another value.
			if (first || e.Seq != seen.Seq || !sameValue(e.Value, seen.Value)) && !yield(now, nil) {
				return
			}
			seen = e
			if head, err = b.s.core.Wait(ctx, head); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
