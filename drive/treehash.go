package drive

import (
	"context"
	"math/bits"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// treeHash returns the tree hash of the first length blocks of a core. Nodes that are missing are fetched.
func treeHash(ctx context.Context, c *core.Core, length uint64) (merkle.Hash, error) {
	head := c.Head()
	if head.Length == length {
		if hash := c.TreeHash(); c.Head() == head {
			return hash, nil
		}
	}
	if _, err := c.Offset(ctx, length); err != nil { // which is made of the roots
		return merkle.Hash{}, err
	}
	var nodes []merkle.Node
	for _, index := range roots(length) {
		p, err := c.Prove(ctx, &merkle.Request{Fork: head.Fork, Hash: &merkle.HashRequest{Index: index}})
		if err != nil {
			return merkle.Hash{}, err
		}
		nodes = append(nodes, p.Hash.Nodes[0])
	}
	t, err := merkle.NewTree(head.Fork, nodes)
	if err != nil {
		return merkle.Hash{}, err
	}
	return t.Hash(), nil
}

// roots returns the tree indexes of the roots of a log, from left to right: one for each power of two in its length.
func roots(length uint64) (list []uint64) {
	var start uint64
	for length > 0 {
		span := uint64(1) << (bits.Len64(length) - 1)
		list = append(list, 2*start+span-1)
		start, length = start+span, length-span
	}
	return list
}
