//go:build unix

package bee

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
)

// distant is a bee of 100,000 keys, and a fresh reader of it at a distance.
type distant struct {
	tb             testing.TB
	world          *world
	writer, reader *end
	far, near      *Bee
	leave          func()
}

// newDistant has the reader know the newest version, as one that has connected.
func newDistant(tb testing.TB, w *world, trip time.Duration) *distant {
	tb.Helper()
	d := &distant{tb: tb, world: w}
	w.close()
	d.writer = newEnd(tb, diskDB(tb, w.dir), 1)
	d.reader = newEnd(tb, diskDB(tb, tb.TempDir()), 2)
	d.leave = joinEnds(d.writer, d.reader, trip)
	c, err := d.writer.store.Open(tb.Context(), corestore.Name("bench"))
	w.must(err)
	d.far, err = Open(tb.Context(), c)
	w.must(err)
	r, err := d.reader.store.Open(tb.Context(), corestore.Key(c.Key()))
	w.must(err)
	d.near, err = Open(tb.Context(), r)
	w.must(err)
	for h := r.Head(); h.Length < c.Head().Length; {
		h, err = r.Wait(tb.Context(), h)
		w.must(err)
	}
	return d
}

func (d *distant) close() {
	err := errors.Join(d.near.Close(), d.far.Close())
	d.leave()
	d.world.must(errors.Join(err, d.reader.close(), d.writer.close()))
	d.world.open()
}

// gets looks up n random keys one after the other and returns how long each took.
func (d *distant) gets(n int) []time.Duration {
	draw, list := draw(42), make([]time.Duration, n)
	for i := range list {
		start := time.Now()
		d.world.lookup(d.near, draw.next(benchKeys))
		list[i] = time.Since(start)
	}
	slices.Sort(list)
	return list
}

// scan reads n entries.
func (d *distant) scan(n int) time.Duration {
	start, left := time.Now(), n
	for _, err := range d.near.Range(d.tb.Context(), Range{Limit: n}) {
		d.world.must(err)
		left--
	}
	if left > 0 {
		d.tb.Fatalf("%d entries are missing", left)
	}
	return time.Since(start)
}

// BenchmarkRemote looks up 100 keys that were not seen before in a fresh copy of a bee at a round trip of 50 ms, reads 2,000
// entries in order, and then, in another fresh copy, all 100,000.
func BenchmarkRemote(b *testing.B) {
	const trip = 50 * time.Millisecond
	eachOrder(b, func(b *testing.B, shuffled bool) {
		w := newWorld(b, shuffled)
		w.fill(w.order)
		var gets []time.Duration
		var some, all, cpu time.Duration
		for b.Loop() {
			d := newDistant(b, w, trip)
			gets = append(gets, d.gets(100)...)
			some += d.scan(2000)
			d.close()
			d = newDistant(b, w, trip)
			start := cpuTime()
			all += d.scan(benchKeys)
			cpu += cpuTime() - start
			d.close()
		}
		slices.Sort(gets)
		n := float64(b.N)
		b.ReportMetric(float64(gets[len(gets)/2].Microseconds())/1e3, "get-p50-ms")
		b.ReportMetric(n*2000/some.Seconds(), "scan-2000/s")
		b.ReportMetric(n*benchKeys/all.Seconds(), "scan-all/s")
		b.ReportMetric(n*benchKeys/cpu.Seconds(), "scan-all/cpu-s")
		b.ReportMetric(10000, "target-scan/s")
		b.ReportMetric(613, "js-scan/s")
		b.ReportMetric(60, "target-get-ms")
		b.ReportMetric(144, "js-get-ms")
	})
}
