//go:build unix

package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/drive"
)

// The trees of the benchmarks: 5,000 files of 8 KiB, or one file, of HYPERNODE_BENCH_MIB MiB, which is 1,024 if it is not set.
const manyFiles, manySize = 5000, 8 << 10

func largeSize() int64 {
	if n, err := strconv.ParseInt(os.Getenv("HYPERNODE_BENCH_MIB"), 10, 32); err == nil && n > 0 {
		return n << 20
	}
	return 1 << 30
}

// benchDrive returns a drive on disk, with the durability "process".
func benchDrive(b *testing.B) (*drive.Drive, func()) {
	b.Helper()
	o := pebble.Options{}
	o.Durability = datastore.Process
	home := b.TempDir()
	db, err := pebble.Open(home, o)
	if err != nil {
		b.Fatal(err)
	}
	store, err := corestore.Open(context.Background(), db, corestore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	d, err := drive.Create(context.Background(), store, drive.Name("bench"))
	if err != nil {
		b.Fatal(err)
	}
	return d, func() {
		for _, close := range []func() error{d.Close, store.Close, db.Close} {
			if err := close(); err != nil {
				b.Fatal(err)
			}
		}
		os.RemoveAll(home)
	}
}

// small and large make the trees. No layer can shorten them.
func small(b *testing.B, dir string) int64 {
	r, data := rand.NewChaCha8([32]byte{1}), make([]byte, manySize)
	for i := range manyFiles {
		r.Read(data)
		path := filepath.Join(dir, fmt.Sprintf("dir-%03d", i/100), fmt.Sprintf("file-%05d.bin", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return manyFiles * manySize
}

func large(b *testing.B, dir string) int64 {
	f, err := os.Create(filepath.Join(dir, "large.bin"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, data := rand.NewChaCha8([32]byte{2}), make([]byte, 1<<20)
	for range largeSize() >> 20 {
		r.Read(data)
		if _, err := f.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	return largeSize()
}

// heap reports the most memory that the program had from the system while fn ran.
func heap(b *testing.B, fn func()) {
	var most atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.Sys-m.HeapReleased))
			case <-stop:
				return
			}
		}
	}()
	before := cpuTime()
	fn()
	b.ReportMetric((cpuTime()-before).Seconds()/float64(b.N), "cpu-s/op")
	close(stop)
	<-stopped
	b.ReportMetric(float64(most.Load())/(1<<20), "MiB-memory")
}

// cpuTime is the processor time that the program has taken; on a machine that does other things too it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mustSync(b *testing.B, from, to Tree, o Options) {
	if _, err := Sync(context.Background(), from, to, o); err != nil {
		b.Fatal(err)
	}
}

func benchImport(b *testing.B, make func(*testing.B, string) int64) {
	dir := b.TempDir()
	b.SetBytes(make(b, dir))
	heap(b, func() {
		for b.Loop() {
			b.StopTimer()
			d, done := benchDrive(b)
			b.StartTimer()
			mustSync(b, Dir(dir), Drive(d), Options{})
			b.StopTimer()
			done()
			b.StartTimer()
		}
	})
}

func benchExport(b *testing.B, make func(*testing.B, string) int64) {
	dir := b.TempDir()
	n := make(b, dir)
	d, done := benchDrive(b)
	defer done()
	mustSync(b, Dir(dir), Drive(d), Options{})
	os.RemoveAll(dir)
	b.SetBytes(n)
	heap(b, func() {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			out := filepath.Join(b.TempDir(), fmt.Sprint(i))
			b.StartTimer()
			mustSync(b, Drive(d), Dir(out), Options{})
			b.StopTimer()
			os.RemoveAll(out)
			b.StartTimer()
		}
	})
}

// BenchmarkPlainSmall and BenchmarkPlainLarge only write the trees: what the file system itself takes of an export.
func BenchmarkPlainSmall(b *testing.B) { benchPlain(b, small) }
func BenchmarkPlainLarge(b *testing.B) { benchPlain(b, large) }

func benchPlain(b *testing.B, make func(*testing.B, string) int64) {
	heap(b, func() {
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			b.StartTimer()
			b.SetBytes(make(b, dir))
			b.StopTimer()
			os.RemoveAll(dir)
			b.StartTimer()
		}
	})
}

func BenchmarkImportSmall(b *testing.B) { benchImport(b, small) }
func BenchmarkImportLarge(b *testing.B) { benchImport(b, large) }
func BenchmarkExportSmall(b *testing.B) { benchExport(b, small) }
func BenchmarkExportLarge(b *testing.B) { benchExport(b, large) }

// BenchmarkUnchanged looks for differences where there are none: with times, and by comparing all contents.
func BenchmarkUnchanged(b *testing.B) {
	for _, times := range []bool{true, false} {
		b.Run(fmt.Sprintf("times=%v", times), func(b *testing.B) {
			dir := b.TempDir()
			b.SetBytes(small(b, dir))
			d, done := benchDrive(b)
			defer done()
			mustSync(b, Dir(dir), Drive(d), Options{Times: times})
			heap(b, func() {
				for b.Loop() {
					mustSync(b, Dir(dir), Drive(d), Options{Times: times})
				}
			})
		})
	}
}
