package bee

import (
	"context"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core"
)

// ClearOptions say which blocks ClearUnlinked looks at: from GTE up to, not including, LT. An LT of 0 means all but the last
// block.
type ClearOptions struct{ GTE, LT uint64 }

// ClearUnlinked gives back the space of the blocks that the newest version does not need: older versions of entries,
// deletes, nodes of the tree that were replaced. The core stays as it is, and who has the blocks can be asked for them again;
// here older versions, differences with them and history are gone. It returns the first block that it did not look at.
//
// All of the tree is read, so what is missing of it is fetched. A sub clears in the whole bee.
func (b *Bee) ClearUnlinked(ctx context.Context, o ClearOptions) (uint64, error) {
	if b.pin != nil {
		return 0, ErrReadOnly
	}
	v, err := b.view(ctx)
	if err != nil {
		return 0, err
	}
	defer v.end()
	end := min(o.LT, v.version-1)
	if o.LT == 0 {
		end = v.version - 1
	}
	kept, err := v.linked(ctx)
	if err != nil {
		return 0, err
	}
	next := max(1, o.GTE)
	for _, seq := range append(kept, end) {
		stop := min(seq, end)
		if next < stop {
			if err := b.s.clear(ctx, v, next, stop); err != nil {
				return 0, err
			}
		}
		next = max(next, seq+1)
	}
	return end, nil
}

// clear drops blocks, if the core is still on the fork that was looked at.
func (s *shared) clear(ctx context.Context, v *view, start, end uint64) error {
	if fork := s.core.Head().Fork; fork != v.fork {
		return fmt.Errorf("%w: fork %d became %d", core.ErrTruncated, v.fork, fork)
	}
	held, err := s.core.Held(ctx, start, end)
	if err != nil {
		return err
	}
	for _, r := range held {
		if err := s.core.Clear(ctx, r.Start, r.End); err != nil {
			return fmt.Errorf("bee: clearing blocks %d to %d: %w", r.Start, r.End, err)
		}
	}
	return nil
}

// linked returns the blocks that the tree of a version is made of, in ascending order.
func (v *view) linked(ctx context.Context) ([]uint64, error) {
	var n node
	if ok, err := v.root(ctx, &n); !ok {
		return nil, err
	}
	kept := map[uint64]struct{}{v.version - 1: {}}
	budget := v.version
	for todo := []link{n.link}; len(todo) > 0; {
		if budget == 0 {
			return nil, fmt.Errorf("%w: version %d: its tree has no end", ErrCorrupt, v.version)
		}
		budget--
		if err := v.node(ctx, todo[len(todo)-1], &n); err != nil {
			return nil, err
		}
		todo = todo[:len(todo)-1]
		for _, seq := range n.keys() {
			kept[seq] = struct{}{}
		}
		for _, l := range n.kids() {
			kept[l.seq] = struct{}{}
			todo = append(todo, l)
		}
	}
	list := make([]uint64, 0, len(kept))
	for seq := range kept {
		list = append(list, seq)
	}
	slices.Sort(list)
	return list, nil
}
