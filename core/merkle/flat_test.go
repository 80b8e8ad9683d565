package merkle_test

import (
	"math"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// The arithmetic agrees with a tree that is written out.
func TestFlatTree(t *testing.T) {
	type place struct {
		depth  uint
		offset uint64
	}
	for depth := uint(0); depth < 8; depth++ {
		for offset := uint64(0); offset < 256>>depth; offset++ {
			index := merkle.Index(depth, offset)
			at := place{merkle.Depth(index), merkle.Offset(index)}
			if at != (place{depth, offset}) {
				t.Fatalf("node %d is at %v, want %d, %d", index, at, depth, offset)
			}
			left, right := offset<<depth*2, (offset+1)<<depth*2-2
			if merkle.LeftSpan(index) != left || merkle.RightSpan(index) != right || merkle.Leaves(index) != (right-left)/2+1 {
				t.Fatalf("node %d spans %d..%d", index, merkle.LeftSpan(index), merkle.RightSpan(index))
			}
			parent := merkle.ParentIndex(index)
			if parent != merkle.Index(depth+1, offset/2) || parent != merkle.ParentIndex(merkle.Sibling(index)) {
				t.Fatalf("node %d has parent %d, sibling %d", index, parent, merkle.Sibling(index))
			}
			if l, r, ok := merkle.Children(parent); !ok || min(index, merkle.Sibling(index)) != l || max(index, merkle.Sibling(index)) != r {
				t.Fatalf("children of %d: %d, %d, %v", parent, l, r, ok)
			}
		}
	}
}

// No number makes the arithmetic panic or loop, sensible or not.
func TestFlatTreeExtremes(t *testing.T) {
	for _, index := range []uint64{0, 1<<53 - 1, 1 << 53, math.MaxInt64, math.MaxUint64 - 1, math.MaxUint64} {
		merkle.ParentIndex(index)
		merkle.Sibling(index)
		merkle.Children(index)
		merkle.LeftSpan(index)
		merkle.RightSpan(index)
		merkle.Leaves(index)
		merkle.Offset(index)
	}
	const most = 1<<53 - 1
	if n := len(merkle.FullRoots(nil, most)); n != 53 {
		t.Errorf("%d roots of 2^53-1 blocks", n)
	}
	if n := len(merkle.GrowthIndexes(nil, 1, most)); n > merkle.MaxPath {
		t.Errorf("%d nodes to grow from 1 to 2^53-1 blocks, more than MaxPath", n)
	}
	if n := merkle.MaxMissingNodes(0, most); n != 52 {
		t.Errorf("%d nodes missing at most", n)
	}
}

// Growing by the listed nodes leads to the roots, and a tree cut by the listed rule has exactly the complete nodes.
func TestGrowthAndTruncation(t *testing.T) {
	l := newLog(nil, 3, testBlocks(seeded(t), 40))
	for from := uint64(0); from <= 40; from++ {
		start, err := merkle.TreeAt(l, &l.tree, from)
		if err != nil {
			t.Fatal(err)
		}
		cut := l.clone()
		for _, index := range merkle.StaleBelow(nil, from, 40) {
			delete(cut.nodes, index)
		}
		for index := range cut.nodes {
			if index >= 2*from {
				delete(cut.nodes, index)
			}
		}
		if fresh := newLog(nil, 3, l.blocks[:from]); !slices.Equal(cut.indexes(), fresh.indexes()) {
			t.Fatalf("cut to %d: %v, want %v", from, cut.indexes(), fresh.indexes())
		}
		for to := from; to <= 40; to++ {
			var nodes []merkle.Node
			for _, index := range merkle.GrowthIndexes(nil, from, to) {
				nodes = append(nodes, l.nodes[index])
			}
			slices.Reverse(nodes)
			got, err := start.Grow(to-from, nodes)
			want, _ := merkle.TreeAt(l, &l.tree, to)
			if err != nil || got.Hash() != want.Hash() || got.Length != to || got.ByteLength != want.ByteLength || got.Fork != 3 {
				t.Fatalf("grow %d to %d: %+v, %v", from, to, got, err)
			}
		}
	}
}

// A batch makes the same tree whatever the portions in which blocks come.
func TestBatchPortions(t *testing.T) {
	rng := seeded(t)
	blocks := testBlocks(rng, 300)
	whole := newLog(nil, 0, blocks)
	for range 30 {
		parts := newLog(nil, 0, nil)
		b := merkle.NewBatch(merkle.Tree{})
		for len(parts.blocks) < len(blocks) {
			n := min(rng.IntN(70), len(blocks)-len(parts.blocks))
			start := len(parts.blocks)
			var leaves []merkle.Node
			for i, block := range blocks[start : start+n] {
				leaves = append(leaves, merkle.Leaf(uint64(start+i), block))
			}
			parts.append(blocks[start : start+n])
			b.AppendLeaves(leaves)
		}
		if parts.tree.Hash() != whole.tree.Hash() || b.Hash() != whole.tree.Hash() || b.ByteLength != whole.tree.ByteLength {
			t.Fatal("another tree")
		}
		if len(b.Nodes) != len(whole.nodes) || len(parts.nodes) != len(whole.nodes) {
			t.Fatalf("%d and %d nodes, want %d", len(b.Nodes), len(parts.nodes), len(whole.nodes))
		}
	}
}
