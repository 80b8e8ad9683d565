//go:build unix

package mirror

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func noise(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// around is what is done before and after each operation, without being measured.
type around struct{ before, after func(i int) }

// measure runs op for the time of the benchmark, and reports the bytes a second that it returns, the processor time, and the most
// memory. What was written before is on disk when it begins: writing it out does not count.
func measure(b *testing.B, op func(i int) int64, rest *around) {
	var bytes int64
	watch := watchMemory()
	cpu := time.Duration(0)
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		if rest != nil {
			rest.before(i)
		}
		syscall.Sync()
		before := cpuTime()
		b.StartTimer()
		bytes += op(i)
		b.StopTimer()
		cpu += cpuTime() - before
		if rest != nil {
			rest.after(i)
		}
		b.StartTimer()
	}
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(watch())/(1<<20), "MiB-memory")
	if bytes > 0 {
		b.ReportMetric(float64(bytes)/(1<<20)/b.Elapsed().Seconds(), "MiB/s")
	}
}

// watchMemory looks how much memory the program has from the system, until the returned function is called for the most.
func watchMemory() func() uint64 {
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
	return func() uint64 {
		close(stop)
		<-stopped
		return most.Load()
	}
}

// cpuTime is the processor time that the program has taken; on a machine that does other things too it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
