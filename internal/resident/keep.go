package resident

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// busyPercent and idlePercent are how much garbage there may be beside what lives. While blocks move, what lives is
	// little and garbage is much: with the default a quarter of the CPU time would go into collecting it.
	busyPercent = 400
	idlePercent = 100

	// period is how often is looked, busyBytes what is allocated in a busy period at least, and quiet after how many others
	// memory is given back. As long as it stays quiet the pages of the program are let go again every so many periods: what is
	// done once in a while adds up.
	period    = time.Second
	busyBytes = 4 << 20
	quiet     = 5
	again     = 30
)

// Keep looks every second how much the program allocates, until ctx ends, and sets the garbage collector accordingly. The
// start counts as busy. Some seconds after the last busy one it gives back memory: of the heap, and pages of the program that
// only the start needed. With GOGC in the environment it leaves the collector alone.
func Keep(ctx context.Context) {
	percent := func(p int) { debug.SetGCPercent(p) }
	if os.Getenv("GOGC") != "" {
		percent = func(int) {}
	}
	k := keeper{percent: percent, shrink: Shrink, drop: dropProgram}
	k.begin()
	tick := time.NewTicker(period)
	defer tick.Stop()
	for last := allocated(); ; {
		select {
		case <-tick.C:
			now := allocated()
			k.tick(now - last)
			last = now
		case <-ctx.Done():
			return
		}
	}
}

// keeper decides by what was allocated in each period.
type keeper struct {
	percent func(int)
	shrink  func()
	drop    func()
	left    int // periods until memory is given back; 0 once it is
	idle    int // periods since, or since the program's pages were let go last
}

func (k *keeper) begin() {
	k.left = quiet
	k.percent(busyPercent)
}

func (k *keeper) tick(bytes uint64) {
	switch {
	case bytes >= busyBytes && k.left == 0:
		k.begin()
	case bytes >= busyBytes:
		k.left = quiet
	case k.left > 0:
		if k.left--; k.left == 0 {
			k.percent(idlePercent)
			k.shrink()
			k.idle = 0
		}
	default:
		if k.idle++; k.idle == again {
			k.drop()
			k.idle = 0
		}
	}
}

// allocated is how many bytes the program has allocated so far.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}

// Shrink gives back the memory of the heap that is free, and lets go of pages of the program itself; those that are needed
// come back from the system's cache.
func Shrink() {
	debug.FreeOSMemory()
	dropProgram()
}
