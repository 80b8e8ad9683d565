package merkle

import (
	"fmt"
	"math/bits"

	"github.com/hypernode/hypernode/internal/compact"
)

// Node is one node of the tree. The zero Node stands for a node that is not stored.
type Node struct {
	Index uint64 // number in the tree; block i is 2i
	Size  uint64 // bytes of all blocks below
	Hash  Hash

	// Unsure tells that Hash is proven and Size is only claimed: a peer gave this node and its sibling, and their
	// parent covers nothing but the sum. It is not part of the wire form; stores keep it.
	Unsure bool
}

// IsZero reports whether n stands for a node that is not stored.
func (n *Node) IsZero() bool { return n.Hash == Hash{} }

// Leaf returns the leaf of a block.
func Leaf(block uint64, data []byte) Node {
	return Node{Index: 2 * block, Size: uint64(len(data)), Hash: LeafHash(data)}
}

// Parent returns the parent of two siblings, given in either order.
func Parent(a, b Node) Node {
	return Node{Index: ParentIndex(a.Index), Size: a.Size + b.Size, Hash: ParentHash(a, b)}
}

// Tree is what there is to know about a core's content at one moment: all that is signed, and what follows from it.
type Tree struct {
	Fork       uint64 // how often the writer truncated, at least
	Length     uint64 // blocks
	ByteLength uint64 // bytes of all blocks
	Roots      []Node // from left to right; their indexes follow from Length
}

// NewTree returns the tree that has these roots, which it keeps. It fails with ErrInvalidTree when they are not the roots
// of any length, or when their sizes add up to more than 2^53-1.
func NewTree(fork uint64, roots []Node) (Tree, error) {
	t := Tree{Fork: fork, Roots: roots}
	for i := range roots {
		t.Length += Leaves(roots[i].Index)
		t.ByteLength += roots[i].Size
		if t.Length > compact.MaxSafe || roots[i].Size > compact.MaxSafe || t.ByteLength > compact.MaxSafe {
			return Tree{}, fmt.Errorf("%w: too large", ErrInvalidTree)
		}
	}
	var scratch [64]uint64
	want := FullRoots(scratch[:0], t.Length)
	if len(want) != len(roots) {
		return Tree{}, fmt.Errorf("%w: %d roots for %d blocks", ErrInvalidTree, len(roots), t.Length)
	}
	for i := range roots {
		if roots[i].Index != want[i] {
			return Tree{}, fmt.Errorf("%w: root %d where %d is due", ErrInvalidTree, roots[i].Index, want[i])
		}
	}
	return t, nil
}

// Hash returns the tree hash, the part of a signed message that stands for the content. It covers the hash, index and
// size of each root, not the fork. The empty tree has one too.
func (t *Tree) Hash() Hash { return treeHash(t.Roots) }

// Clone returns a copy that shares nothing with t.
func (t *Tree) Clone() Tree {
	c := *t
	c.Roots = append([]Node(nil), t.Roots...)
	return c
}

// cloneFor is Clone with room for some more roots.
func (t *Tree) cloneFor(more int) Tree {
	c := *t
	c.Roots = append(make([]Node, 0, len(t.Roots)+more), t.Roots...)
	return c
}

// rootAbove returns the root that block is below. It fails with ErrOutOfRange when the tree has no such block.
func (t *Tree) rootAbove(block uint64) (Node, error) {
	if block < t.Length {
		for i := range t.Roots {
			if Contains(t.Roots[i].Index, 2*block) {
				return t.Roots[i], nil
			}
		}
	}
	return Node{}, fmt.Errorf("block %d of %d: %w", block, t.Length, ErrOutOfRange)
}

// root returns the root with that index.
func (t *Tree) root(index uint64) (Node, bool) {
	for i := range t.Roots {
		if t.Roots[i].Index == index {
			return t.Roots[i], true
		}
	}
	return Node{}, false
}

// rootIndex returns the number of the root of a tree of length blocks that leaf is below; leaf is below 2*length.
func rootIndex(leaf, length uint64) uint64 {
	block := leaf / 2
	for start := uint64(0); ; {
		d := uint(bits.Len64(length-start)) - 1
		if block-start < 1<<d {
			return Index(d, start>>d)
		}
		start += 1 << d
	}
}

// Grow returns the tree that t becomes by the blocks that follow it, up to t.Length+blocks, given the nodes that
// [GrowthIndexes] lists for these two lengths, in any order; others are ignored. It is the growth of a signer's own patch
// in a multi-signature. The sizes and hashes are trusted as far as the caller has them checked. A node that lacks is
// ErrMissingNode.
func (t *Tree) Grow(blocks uint64, nodes []Node) (Tree, error) {
	if blocks == 0 {
		return t.Clone(), nil
	}
	if blocks > compact.MaxSafe || t.Length+blocks > compact.MaxSafe {
		return Tree{}, fmt.Errorf("%w: %d blocks and %d more", ErrInvalidTree, t.Length, blocks)
	}
	var scratch [128]uint64
	g := newGrowth(*t, 0)
	for _, index := range GrowthIndexes(scratch[:0], t.Length, t.Length+blocks) {
		n, ok := find(nodes, index)
		if !ok {
			return Tree{}, fmt.Errorf("%w: %d of the growth from %d to %d", ErrMissingNode, index, t.Length, t.Length+blocks)
		}
		if err := g.add(n); err != nil {
			return Tree{}, err
		}
	}
	return g.tree, nil
}

func find(nodes []Node, index uint64) (Node, bool) {
	for i := range nodes {
		if nodes[i].Index == index {
			return nodes[i], true
		}
	}
	return Node{}, false
}
