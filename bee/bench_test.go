//go:build unix

package bee

import (
	"sync"
	"testing"
)

// The JavaScript stack was measured in key order; the targets are for that order, those of single puts for both.

func eachOrder(b *testing.B, fn func(b *testing.B, shuffled bool)) {
	b.Run("sequential", func(b *testing.B) { fn(b, false) })
	b.Run("shuffled", func(b *testing.B) { fn(b, true) })
}

// BenchmarkPut puts keys one by one into a bee that has half of them.
func BenchmarkPut(b *testing.B) {
	eachOrder(b, func(b *testing.B, shuffled bool) {
		w, r := newWorld(b, shuffled), row{2552, 12000}
		if shuffled {
			r.js = 2045
		}
		w.fill(w.order[:benchKeys/2])
		x, m, i := w.bee(), meter{b: b}, benchKeys/2
		b.ReportAllocs()
		m.run(0, func() {
			for b.Loop() {
				k := w.order[i%benchKeys]
				w.must(x.Put(b.Context(), benchKey(k), w.value(k)))
				i++
			}
		})
		m.n = b.N
		m.report(r)
	})
}

// BenchmarkPutBy32 has 32 goroutines put keys one by one.
func BenchmarkPutBy32(b *testing.B) {
	w := newWorld(b, true)
	w.fill(w.order[:benchKeys/2])
	x, m := w.bee(), meter{b: b}
	const each = 200
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		m.run(32*each, func() {
			var wg sync.WaitGroup
			for g := range 32 {
				wg.Go(func() {
					for i := range each {
						k := w.order[(benchKeys/2+(n*32+g)*each+i)%benchKeys]
						if err := x.Put(b.Context(), benchKey(k), w.value(k)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
		b.StartTimer()
	}
	m.report(row{})
}

// BenchmarkBatch fills an empty bee with 100,000 keys, in batches of 1,000.
func BenchmarkBatch(b *testing.B) {
	eachOrder(b, func(b *testing.B, shuffled bool) {
		m, r := meter{b: b}, row{}
		if !shuffled {
			r = row{49936, 250000}
		}
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			w := newWorld(b, shuffled)
			m.run(benchKeys, func() { w.fill(w.order) })
			if !shuffled {
				w.check("5dca08451e5e289f")
			}
			b.StartTimer()
		}
		m.report(r)
	})
}

// reads measures a read of a bee of 100,000 keys whose store was just opened, and then of the same bee once more, as that of
// a program that goes on running: prepare is what comes before that.
func reads(b *testing.B, n int, cold, running row, change func(w *world), read func(w *world, x *Bee)) {
	eachOrder(b, func(b *testing.B, shuffled bool) {
		w := newWorld(b, shuffled)
		w.fill(w.order)
		change(w)
		if shuffled {
			cold.js, running.js = 0, 0
		}
		b.Run("cold", func(b *testing.B) {
			m := meter{b: b}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				w.reopen()
				x := w.bee()
				m.run(n, func() { read(w, x) })
				b.StartTimer()
			}
			m.report(cold)
		})
		b.Run("running", func(b *testing.B) {
			x, m := w.bee(), meter{b: b}
			w.scan(x)
			b.ReportAllocs()
			for b.Loop() {
				m.run(n, func() { read(w, x) })
				b.StartTimer()
			}
			m.report(running)
		})
	})
}

const benchGets = 20_000

// BenchmarkGet looks up 20,000 random keys. That of the JavaScript stack was of a store that was just opened.
func BenchmarkGet(b *testing.B) {
	r := row{2918, 80000}
	reads(b, benchGets, r, r, func(*world) {}, func(w *world, x *Bee) {
		d := draw(42)
		for range benchGets {
			w.lookup(x, d.next(benchKeys))
		}
	})
}

// BenchmarkGetBy32 looks up 20,000 random keys in 32 goroutines.
func BenchmarkGetBy32(b *testing.B) {
	reads(b, benchGets, row{}, row{js: 8174}, func(*world) {}, func(w *world, x *Bee) {
		var wg sync.WaitGroup
		for g := range 32 {
			wg.Go(func() {
				d := draw(42 + g)
				for range benchGets / 32 {
					w.lookup(x, d.next(benchKeys))
				}
			})
		}
		wg.Wait()
	})
}

func (w *world) lookup(x *Bee, i int) {
	if e, err := x.Get(w.tb.Context(), benchKey(i)); err != nil || len(e.Value) != benchSize {
		w.tb.Error(e, err)
	}
}

// BenchmarkScan reads all. That of the JavaScript stack was of a bee that had looked up 40,000 keys before.
func BenchmarkScan(b *testing.B) {
	r := row{22079, 400000}
	reads(b, benchKeys, r, r, func(*world) {}, (*world).scan)
}

func (w *world) scan(x *Bee) {
	n := 0
	for _, err := range x.Range(w.tb.Context(), Range{}) {
		w.must(err)
		n++
	}
	if n != benchKeys {
		w.tb.Fatal(n)
	}
}

// BenchmarkDiff compares two versions that differ in 1,000 of 100,000 keys. That of the JavaScript stack was of a bee that had
// read all before.
func BenchmarkDiff(b *testing.B) {
	const changes = 1000
	r, before := row{1904, 50000}, uint64(0)
	reads(b, changes, r, r, func(w *world) {
		before = w.core.Head().Length
		d, seen := draw(9), map[int]bool{}
		var list []int
		for len(list) < changes {
			if i := d.next(benchKeys); !seen[i] {
				seen[i] = true
				list = append(list, i)
			}
		}
		w.batch(w.bee(), list, 1)
	}, func(w *world, x *Bee) {
		n := 0
		for _, err := range x.Diff(w.tb.Context(), x.At(before), Range{}) {
			w.must(err)
			n++
		}
		if n != changes {
			w.tb.Fatal(n)
		}
	})
}
