//go:build unix

package bee

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// The benchmarks use a store on disk that hands each commit to the kernel, keys of 14 bytes and values of 100.
const benchKeys = 100_000

func benchCore(b *testing.B) *core.Core {
	b.Helper()
	db, err := pebble.Open(b.TempDir(), pebble.Options{Options: datastore.Options{Durability: datastore.Process}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return coreIn(b, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{1}), Derived: true})
}

func benchKey(i int) []byte { return fmt.Appendf(nil, "key-%010d", i) }

func benchValue(i int) []byte {
	rng, v := rand.New(rand.NewPCG(uint64(i), 1)), make([]byte, 100)
	for k := range v {
		v[k] = byte(rng.Uint32())
	}
	return v
}

func benchOrder(shuffled bool) []int {
	if shuffled {
		return rand.New(rand.NewPCG(7, 7)).Perm(benchKeys)
	}
	list := make([]int, benchKeys)
	for i := range list {
		list[i] = i
	}
	return list
}

// benchFill puts keys in batches of 1,000.
func benchFill(b *testing.B, c *core.Core, order []int) {
	b.Helper()
	x := openBee(b, c, Options{})
	for len(order) > 0 {
		n := min(1000, len(order))
		benchPuts(b, x, order[:n], 0)
		order = order[n:]
	}
}

func benchPuts(b *testing.B, x *Bee, order []int, salt int) {
	err := x.Update(b.Context(), func(tx *Batch) error {
		for _, i := range order {
			if err := tx.Put(benchKey(i), benchValue(i+salt)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// measured reports entries in a second, and in a second of processor time of the whole process, which a busy machine
// changes less.
type measured struct{ start time.Duration }

func measure() measured { return measured{cpuTime()} }

func (m measured) report(b *testing.B, n int) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(n)/(cpuTime()-m.start).Seconds(), "entries/cpu-s")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func eachOrder(b *testing.B, fn func(b *testing.B, order []int)) {
	for _, name := range []string{"sequential", "shuffled"} {
		b.Run(name, func(b *testing.B) { fn(b, benchOrder(name == "shuffled")) })
	}
}

func BenchmarkPut(b *testing.B) {
	eachOrder(b, func(b *testing.B, order []int) {
		c := benchCore(b)
		benchFill(b, c, order[:benchKeys/2])
		x, i := openBee(b, c, Options{}), benchKeys/2
		b.ReportAllocs()
		m := measure()
		for b.Loop() {
			if err := x.Put(b.Context(), benchKey(order[i%benchKeys]), benchValue(i)); err != nil {
				b.Fatal(err)
			}
			i++
		}
		m.report(b, b.N)
	})
}

// BenchmarkBatch fills an empty bee with 100,000 keys.
func BenchmarkBatch(b *testing.B) {
	eachOrder(b, func(b *testing.B, order []int) {
		b.ReportAllocs()
		m := measure()
		for b.Loop() {
			b.StopTimer()
			c := benchCore(b)
			b.StartTimer()
			benchFill(b, c, order)
		}
		m.report(b, b.N*benchKeys)
	})
}

// BenchmarkGet looks up 20,000 random keys in a bee that was just opened.
func BenchmarkGet(b *testing.B) {
	const gets = 20_000
	eachOrder(b, func(b *testing.B, order []int) {
		c := benchCore(b)
		benchFill(b, c, order)
		b.ReportAllocs()
		m := measure()
		for b.Loop() {
			x, rng := openBee(b, c, Options{}), rand.New(rand.NewPCG(42, 42))
			for range gets {
				if e, err := x.Get(b.Context(), benchKey(rng.IntN(benchKeys))); err != nil || len(e.Value) != 100 {
					b.Fatal(e, err)
				}
			}
		}
		m.report(b, b.N*gets)
	})
}

// BenchmarkScan reads all of a bee that was just opened.
func BenchmarkScan(b *testing.B) {
	eachOrder(b, func(b *testing.B, order []int) {
		c := benchCore(b)
		benchFill(b, c, order)
		b.ReportAllocs()
		m := measure()
		for b.Loop() {
			n := 0
			for _, err := range openBee(b, c, Options{}).Range(b.Context(), Range{}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != benchKeys {
				b.Fatal(n)
			}
		}
		m.report(b, b.N*benchKeys)
	})
}

// BenchmarkDiff compares two versions that differ in 1,000 of 100,000 keys, in a bee that was just opened.
func BenchmarkDiff(b *testing.B) {
	const changes = 1000
	eachOrder(b, func(b *testing.B, order []int) {
		c := benchCore(b)
		benchFill(b, c, order)
		before := c.Head().Length
		benchPuts(b, openBee(b, c, Options{}), rand.New(rand.NewPCG(9, 9)).Perm(benchKeys)[:changes], 1)
		b.ReportAllocs()
		m := measure()
		for b.Loop() {
			x, n := openBee(b, c, Options{}), 0
			for _, err := range x.Diff(b.Context(), x.At(before), Range{}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != changes {
				b.Fatal(n)
			}
		}
		m.report(b, b.N*changes)
	})
}
