package core

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// benchCore is a core in a store on disk.
func benchCore(b *testing.B, d datastore.Durability) *Core {
	b.Helper()
	db, err := pebble.Open(b.TempDir(), pebble.Options{Options: datastore.Options{Durability: d}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return openCore(b, db, Options{Pair: pairOf(1), Derived: true})
}

// benchBlocks are n blocks of a size that do not compress.
func benchBlocks(n, size int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([][]byte, n)
	for i := range list {
		list[i] = make([]byte, size)
		for k := range list[i] {
			list[i][k] = byte(rng.Uint32())
		}
	}
	return list
}

func BenchmarkAppend(b *testing.B) {
	for _, d := range []datastore.Durability{datastore.Process, datastore.Full} {
		for _, k := range []struct{ blocks, size int }{{1, 1 << 10}, {1000, 1 << 10}, {64, 64 << 10}} {
			b.Run(fmt.Sprintf("%dx%d/%v", k.blocks, k.size, d), func(b *testing.B) {
				c, blocks := benchCore(b, d), benchBlocks(k.blocks, k.size)
				b.SetBytes(int64(k.blocks * k.size))
				b.ReportAllocs()
				for b.Loop() {
					mustAppend(b, c, blocks...)
				}
				b.ReportMetric(float64(b.N*k.blocks)/b.Elapsed().Seconds(), "blocks/s")
			})
		}
	}
}

// benchLog has 50,000 blocks of 1 KiB.
func benchLog(b *testing.B) (*Core, uint64) {
	b.Helper()
	c, blocks := benchCore(b, datastore.Process), benchBlocks(1000, 1<<10)
	for range 50 {
		mustAppend(b, c, blocks...)
	}
	return c, c.Head().Length
}

func BenchmarkGet(b *testing.B) {
	c, n := benchLog(b)
	rng := rand.New(rand.NewPCG(3, 4))
	b.SetBytes(1 << 10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(b.Context(), rng.Uint64N(n)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "blocks/s")
}

func BenchmarkIterate(b *testing.B) {
	c, n := benchLog(b)
	b.SetBytes(int64(n) << 10)
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range c.Blocks(b.Context(), 0, n) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "blocks/s")
}

// BenchmarkApply copies a log of 1 KiB blocks, 64 proofs at a time.
func BenchmarkApply(b *testing.B) {
	const n, group = 1 << 13, 64
	w := newWriter(b, 2, benchBlocks(n, 1<<10)...)
	db := benchCore(b, datastore.Process).log.db
	b.SetBytes(n << 10)
	b.ReportAllocs()
	for b.Loop() {
		r := openCore(b, db, Options{Key: w.Key()})
		upgrade(b, w, r)
		for first := uint64(0); first < n; first += group {
			applyGroup(b, w, r, first, group)
		}
		if err := r.Delete(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "blocks/s")
}

// applyGroup has the requests say what the proofs before them will have brought.
func applyGroup(b *testing.B, w, r *Core, first, count uint64) {
	b.Helper()
	var proofs []*merkle.Proof
	for i := first; i < first+count; i++ {
		q := blockRequest(b, r, i)
		if i > first {
			q.Block.Nodes = uint64(bits.TrailingZeros64(i))
		}
		p, err := w.Prove(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		proofs = append(proofs, p)
	}
	verdicts, err := r.Apply(b.Context(), proofs...)
	if err != nil {
		b.Fatal(err)
	}
	for i, v := range verdicts {
		if v.Err != nil || !v.Applied {
			b.Fatalf("block %d: %+v", first+uint64(i), v)
		}
	}
}
