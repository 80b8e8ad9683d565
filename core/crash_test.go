package core_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// crashNumber reads a number from the environment.
func crashNumber(t testing.TB, name string, without int64) int64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return without
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", name, s)
	}
	return n
}

func newShadow() *datastore.DB {
	return datastore.NewMemory(datastore.Options{SyncEvery: -1})
}

// newCrashWorld makes a world whose sizes and durability follow from its seed: files so small that they are often begun
// anew.
func newCrashWorld(seed uint64, run *crashRun) *crashWorld {
	rng := crashRand(seed, 2)
	w := &crashWorld{ctx: context.Background(), seed: seed, rng: rng, mode: datastore.Durability(seed % 2)}
	w.outside, w.db[shadow] = newShadow(), newShadow()
	d := &crashDisk{mem: vfs.NewCrashableMem(), rng: crashRand(seed, 3), run: run}
	d.name = fmt.Sprintf("seed %d (%v)", seed, w.mode)
	d.sizes = pebble.Options{
		CacheSize: 64 << 10, MemTable: 64 << 10,
		JournalSize: 1 << (11 + rng.IntN(5)), SegmentSize: 1 << (10 + rng.IntN(5)), Inline: []int{-1, 64, 256}[rng.IntN(3)],
	}
	d.sizes.Durability, d.sizes.SyncEvery = w.mode, -1
	d.view = w.view
	w.disk = d
	return w
}

// crashSteps is how many steps a world takes.
const crashSteps = 40

// play runs one world to its end.
func (w *crashWorld) play() error {
	if err := w.openStore(); err != nil {
		return err
	}
	if err := w.openCores(); err != nil {
		return err
	}
	for range crashSteps {
		if w.disk.run.over() {
			break
		}
		if err := w.next(); err != nil {
			return fmt.Errorf("step %d: %w", w.started, err)
		}
	}
	return w.close()
}

func (w *crashWorld) close() error {
	if err := w.db[tested].Close(); err != nil {
		return err
	}
	if err := w.db[shadow].Close(); err != nil {
		return err
	}
	return w.outside.Close()
}

// playAll runs worlds, one on each processor, until the run is over.
func (r *crashRun) playAll(seed uint64) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !r.over() {
				mu.Lock()
				s := seed
				seed += r.stride
				mu.Unlock()
				if err := newCrashWorld(s, r).play(); err != nil {
					r.fail(fmt.Errorf("seed %d: %w", s, err))
				}
			}
		}()
	}
	wg.Wait()
}

func crashSeed(t testing.TB) uint64 {
	return uint64(crashNumber(t, "HYPERNODE_CRASH_SEED", int64(time.Now().UnixNano()>>10)))
}

// TestCrash loses power before every change that a store makes to its files. What was acknowledged must be there
// afterwards, all of it must be one state of the history, and it must go on from there.
func TestCrash(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // thousands of stores are opened and thrown away
	run := &crashRun{stride: 1, limit: crashNumber(t, "HYPERNODE_CRASH_POINTS", 2000)}
	seed, start := crashSeed(t), time.Now()
	run.playAll(seed)
	for _, err := range run.failures {
		t.Errorf("%v\nagain: HYPERNODE_CRASH_SEED=%d go test -run 'TestCrash$' ./core", err, seed)
	}
	n := run.points.Load()
	t.Logf("%d crashes, %d of them while another one was mended, in %v: %.0f a second", n, run.nested.Load(),
		time.Since(start).Round(time.Millisecond), float64(n)/time.Since(start).Seconds())
}

// TestCrashWithoutSync checks that TestCrash would notice: with a disk whose syncs of some files do nothing it must find
// losses, in either durability.
func TestCrashWithoutSync(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some thousand crashes")
	}
	for _, folder := range []string{"/journal", "/segments"} {
		for _, mode := range []datastore.Durability{datastore.Full, datastore.Process} {
			run := &crashRun{stride: 2, limit: 40_000}
			run.blind = func(path string) bool { return strings.Contains(path, folder) }
			run.playAll(crashSeed(t)&^1 + uint64(mode))
			if run.failed() == 0 {
				t.Errorf("without syncs of %s, %v: %d crashes and no loss", folder, mode, run.points.Load())
				continue
			}
			t.Logf("without syncs of %s, %v: after %d crashes: %.200v", folder, mode, run.points.Load(), run.failures[0])
		}
	}
}
