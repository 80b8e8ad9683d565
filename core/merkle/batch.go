package merkle

import (
	"math/bits"
	"slices"
)

// Batch is a tree that grows by new blocks on its right. The embedded Tree is always up to date; Nodes holds every node
// that came to be, leaves and parents, for the store. The zero Batch is that of an empty tree.
type Batch struct {
	Tree
	Nodes []Node // in no useful order
}

// NewBatch returns a batch on top of t, which is left as it is.
func NewBatch(t Tree) *Batch { return &Batch{Tree: t.cloneFor(1)} }

// AppendBlocks appends blocks, whose bytes are hashed here and not kept.
func (b *Batch) AppendBlocks(blocks [][]byte) {
	first := b.grow(len(blocks))
	hashLeaves(b.Nodes[first:], b.Length, blocks)
	b.appendRow(first)
}

// AppendLeaves appends leaves that were hashed before. Their indexes must follow the tree's length.
func (b *Batch) AppendLeaves(leaves []Node) {
	first := b.grow(len(leaves))
	copy(b.Nodes[first:], leaves)
	b.appendRow(first)
}

// grow makes room for n leaves and all their new parents, and returns where in Nodes the leaves go.
func (b *Batch) grow(n int) (first int) {
	first = len(b.Nodes)
	length := b.Length
	parents := bits.OnesCount64(length) + n - bits.OnesCount64(length+uint64(n)) // each makes one root of two
	b.Nodes = slices.Grow(b.Nodes, n+parents)[:first+n]
	return first
}

// appendRow takes the leaves at Nodes[first:] into the tree. It goes up row by row, so that the parents of a row are
// hashed together: in each row the new nodes stand side by side; an old root may pair with the first of them, and the
// last may remain without a sibling, as a root.
func (b *Batch) appendRow(first int) {
	for _, leaf := range b.Nodes[first:] {
		b.ByteLength += leaf.Size
	}
	b.Length += uint64(len(b.Nodes) - first)
	var tail [64]Node
	tails := 0
	for first < len(b.Nodes) {
		row := b.Nodes[first:]
		first = len(b.Nodes)
		if Offset(row[0].Index)&1 == 1 {
			last := len(b.Roots) - 1
			b.Nodes = append(b.Nodes, Parent(b.Roots[last], row[0]))
			b.Roots, row = b.Roots[:last], row[1:]
		}
		if len(row)&1 == 1 {
			tail[tails] = row[len(row)-1]
			tails++
		}
		end := len(b.Nodes)
		b.Nodes = b.Nodes[:end+len(row)/2]
		hashParents(b.Nodes[end:], row)
	}
	for tails > 0 {
		tails--
		b.Roots = append(b.Roots, tail[tails])
	}
}
