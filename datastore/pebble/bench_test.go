package pebble

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// benchKey is a key such as a core's block index gives.
func benchKey(kind byte, n uint64) []byte {
	return datastore.Group(kind).Uint(7).Item().Uint(n)
}

// coreLike is one commit of n blocks of size bytes, each with a small record or two, as a core makes them.
func coreLike(b *datastore.Batch, at uint64, n int, block []byte) {
	b.Ops, b.Bytes = b.Ops[:0], 0
	for i := range n {
		k := benchKey('b', at+uint64(i))
		b.Ops = append(b.Ops, datastore.Op{Kind: datastore.OpSetBlock, Key: k, Value: block, Sum: datastore.Checksum(k, block)})
	}
	b.Ops = append(b.Ops,
		datastore.Op{Kind: datastore.OpSet, Key: benchKey('h', 0), Value: block[:min(len(block), 150)]},
		datastore.Op{Kind: datastore.OpSet, Key: benchKey('t', at>>5), Value: block[:min(len(block), 200)]},
		datastore.Op{Kind: datastore.OpSet, Key: benchKey('u', at>>10), Value: block[:min(len(block), 100)]})
}

func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct {
		n, size int
		durable bool
	}{{1, 100, false}, {1, 1 << 10, false}, {1, 64 << 10, false}, {1000, 1 << 10, false}, {64, 64 << 10, false},
		{1, 1 << 10, true}, {1000, 1 << 10, true}, {64, 64 << 10, true}} {
		b.Run(fmt.Sprintf("blocks=%d/size=%d/durable=%v", c.n, c.size, c.durable), func(b *testing.B) {
			e := mustOpen(b, b.TempDir(), Options{})
			block := make([]byte, c.size)
			_, _ = rand.NewChaCha8([32]byte{}).Read(block)
			b.SetBytes(int64(c.n * c.size))
			b.ReportAllocs()
			batch, at := &datastore.Batch{}, uint64(0)
			for b.Loop() {
				coreLike(batch, at, c.n, block)
				at += uint64(c.n)
				if err := e.Commit(batch, c.durable); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(c.n)*float64(b.N)/b.Elapsed().Seconds(), "blocks/s")
			mustClose(b, e)
		})
	}
}

// filled is an engine with n blocks.
func filled(b *testing.B, n, size int, o Options) *Engine {
	e := mustOpen(b, b.TempDir(), o)
	block := bytes.Repeat([]byte{7}, size)
	batch := &datastore.Batch{}
	for at := 0; at < n; at += 1000 {
		coreLike(batch, uint64(at), 1000, block)
		if err := e.Commit(batch, false); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

func BenchmarkBlock(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			n := 200_000
			if size > 1<<14 {
				n = 10_000
			}
			e := filled(b, n, size, Options{})
			if err := e.flush(); err != nil {
				b.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				v, err := e.BlockReader()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := v.Block(benchKey('b', r.Uint64N(uint64(n)))); err != nil {
					b.Fatal(err)
				}
				if err := v.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			mustClose(b, e)
		})
	}
}

func BenchmarkBlocks(b *testing.B) {
	const n = 200_000
	e := filled(b, n, 1<<10, Options{})
	if err := e.flush(); err != nil {
		b.Fatal(err)
	}
	lo := datastore.Group('b').Uint(7).Item()
	b.ReportAllocs()
	for b.Loop() {
		v, err := e.BlockReader()
		if err != nil {
			b.Fatal(err)
		}
		seen := 0
		for _, err := range v.Blocks(lo, lo.End()) {
			if err != nil {
				b.Fatal(err)
			}
			seen++
		}
		if seen != n {
			b.Fatal(seen)
		}
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "blocks/s")
	mustClose(b, e)
}

func BenchmarkOpenClose(b *testing.B) {
	dir := b.TempDir()
	mustClose(b, mustOpen(b, dir, Options{}))
	for b.Loop() {
		mustClose(b, mustOpen(b, dir, Options{}))
	}
}
