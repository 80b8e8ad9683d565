package merkle_test

import (
	"fmt"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 64 << 10} {
		for _, count := range []int{1, 64, 1000} {
			b.Run(fmt.Sprintf("%dx%d", count, size), func(b *testing.B) {
				if size*count > 8<<20 {
					b.Skip("more than a batch")
				}
				blocks := make([][]byte, count)
				for i := range blocks {
					blocks[i] = make([]byte, size)
				}
				var tree merkle.Tree
				b.SetBytes(int64(size * count))
				b.ReportAllocs()
				for b.Loop() {
					batch := merkle.NewBatch(tree)
					batch.AppendBlocks(blocks)
					tree = batch.Tree
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/block")
			})
		}
	}
}

// large returns a log of 2^20 blocks whose bytes are all the same.
func large() *log {
	const n = 1 << 20
	block := make([]byte, 1<<10)
	leaf := merkle.Leaf(0, block)
	leaves := make([]merkle.Node, n)
	for i := range leaves {
		leaves[i] = merkle.Node{Index: 2 * uint64(i), Size: leaf.Size, Hash: leaf.Hash}
	}
	b := merkle.NewBatch(merkle.Tree{})
	b.AppendLeaves(leaves)
	l := &log{memory: newMemory(), tree: b.Tree}
	l.put(b.Nodes)
	return l
}

// flat is a store in an array, as fast as a store can be.
type flat []merkle.Node

func (f flat) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	out := make([]merkle.Node, len(indexes))
	for i, index := range indexes {
		if index < uint64(len(f)) {
			out[i] = f[index]
		}
	}
	return out, nil
}

func BenchmarkBlock(b *testing.B) {
	l := large()
	store := make(flat, 2<<20)
	for index, n := range l.nodes {
		store[index] = n
	}
	l.nodes = nil
	roots := make(flat, 2<<20)
	roots[l.tree.Roots[0].Index] = l.tree.Roots[0]
	q := &merkle.Request{Block: &merkle.BlockRequest{Index: 12345, Nodes: 20}}
	b.Run("prove", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := merkle.Prove(store, &l.tree, nil, q); err != nil {
				b.Fatal(err)
			}
		}
	})
	p, err := merkle.Prove(store, &l.tree, nil, q)
	if err != nil {
		b.Fatal(err)
	}
	p.Block.Value = make([]byte, 1<<10)
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := merkle.Check(roots, &l.tree, nil, p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check hashes alone", func(b *testing.B) {
		for b.Loop() {
			top := merkle.Leaf(p.Block.Index, p.Block.Value)
			for _, n := range p.Block.Nodes {
				top = merkle.Parent(top, n)
			}
		}
	})
	data := merkle.AppendProof(nil, p)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := merkle.DecodeProof(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			data = merkle.AppendProof(data[:0], p)
		}
	})
}
