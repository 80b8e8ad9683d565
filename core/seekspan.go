package core

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
)

// SeekSpan returns the blocks among which the tree nodes that are stored place the byte at a position, of which padding bytes of
// each block are not counted: who asks a peer where the byte is asks together with any block of them. One block, or none, says
// that nothing is to be asked. It fails with ErrOutOfRange behind the end.
func (c *Core) SeekSpan(ctx context.Context, position, padding uint64) (span Range, err error) {
	err = c.withTree(ctx, func(r merkle.Reader, t *merkle.Tree) (err error) {
		span, err = seekSpan(r, t, position, padding)
		return err
	})
	return span, err
}

func seekSpan(r merkle.Reader, t *merkle.Tree, rest, padding uint64) (Range, error) {
	for _, root := range t.Roots {
		size := root.Size - min(root.Size, padding*merkle.Leaves(root.Index))
		if rest < size {
			return narrow(r, root.Index, rest, padding)
		}
		rest -= size
	}
	if rest == 0 {
		return Range{t.Length, t.Length}, nil
	}
	return Range{}, fmt.Errorf("%w: seek", ErrOutOfRange)
}

// narrow walks down from a node to the last stored one that has the position below it.
func narrow(r merkle.Reader, at, rest, padding uint64) (Range, error) {
	for {
		span := Range{merkle.LeftSpan(at) / 2, merkle.RightSpan(at)/2 + 1}
		left, right, ok := merkle.Children(at)
		if !ok {
			return span, nil
		}
		nodes, err := r.ReadNodes([]uint64{left})
		if err != nil || nodes[0].IsZero() {
			return span, err
		}
		size := nodes[0].Size - min(nodes[0].Size, padding*merkle.Leaves(left))
		if at = left; rest >= size {
			at, rest = right, rest-size
		}
	}
}
