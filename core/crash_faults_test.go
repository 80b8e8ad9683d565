package core_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

const (
	faultSteps = 16
	faultWait  = time.Minute // after which a store counts as hanging
)

// crashFault breaks the changes from the n-th on, as many of them as length says.
type crashFault struct {
	n, length int64
	err       error
	short     bool // a part of a write gets through

	ops  atomic.Int64
	hit  atomic.Int64
	hard atomic.Bool // it hit where a full disk cannot be lived with: a sync, or Pebble's list of its files
}

func (f *crashFault) hook(op crashfs.Op) error {
	n := f.ops.Add(1)
	if n < f.n || n >= f.n+f.length {
		return nil
	}
	writes := op.Kind == crashfs.Create || op.Kind == crashfs.Write
	syncs := op.Kind == crashfs.Sync || op.Kind == crashfs.SyncDir
	if errors.Is(f.err, syscall.ENOSPC) && !writes && !syncs {
		return nil // takes no space
	}
	f.hit.Add(1)
	if !writes || strings.Contains(op.Path, "MANIFEST") || strings.Contains(op.Path, "marker") {
		f.hard.Store(true)
	}
	if f.short && op.Kind == crashfs.Write {
		return &crashfs.Short{N: op.Len / 2, Err: f.err}
	}
	return f.err
}

// TestCrashFaults breaks each change that a store makes to its files, with a disk that fails and with one that is full.
// No step that did not get to the disk may be acknowledged, and the store must neither hang nor end the process; after a
// full disk it goes on by itself.
func TestCrashFaults(t *testing.T) {
	limit := min(max(50, crashNumber(t, "HYPERNODE_CRASH_POINTS", 2000)/40), 10_000)
	seed, start := crashSeed(t), time.Now()
	faults, seeds := int64(0), uint64(0)
	for ; faults < limit && !t.Failed(); seeds++ {
		faults += faultWorkload(t, seed+seeds, limit-faults)
	}
	t.Logf("%d faults in %d workloads, in %v", faults, seeds, time.Since(start).Round(time.Millisecond))
}

// faultWorkload plays one workload with a fault at each change, or at as many of them as limit allows, and returns how
// many faults there were.
func faultWorkload(t *testing.T, seed uint64, limit int64) int64 {
	whole := &crashFault{}
	if err := playFault(seed, whole); err != nil {
		t.Fatalf("seed %d without a fault: %v", seed, err)
	}
	count := whole.ops.Load()
	stride := max(1, 2*count/limit)
	var next, faults atomic.Int64
	next.Store(1 - stride)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := next.Add(stride); n <= count && !t.Failed(); n = next.Add(stride) {
				for _, f := range []*crashFault{
					{n: n, length: 1, err: syscall.EIO},
					{n: n, length: 1 + n%5, err: syscall.ENOSPC, short: n%2 == 0},
				} {
					faults.Add(1)
					if err := playFault(seed, f); err != nil {
						t.Errorf("seed %d, %v at change %d of %d, %d times, short %v: %v\nagain: HYPERNODE_CRASH_SEED=%d go test -run TestCrashFaults ./core",
							seed, f.err, n, count, f.length, f.short, err, seed)
					}
				}
			}
		})
	}
	wg.Wait()
	return faults.Load()
}

// playFault plays a world with a fault, and looks at what it leaves.
func playFault(seed uint64, f *crashFault) error {
	w := newCrashWorld(seed, &crashRun{})
	w.gate = &crashGate{fault: f.hook}
	done := make(chan error, 1)
	go func() { done <- w.playFault(f) }()
	select {
	case err := <-done:
		return err
	case <-time.After(faultWait):
		return fmt.Errorf("it hangs at step %d", w.started)
	}
}

func (w *crashWorld) playFault(f *crashFault) error {
	defer w.outside.Close()
	defer w.db[shadow].Close()
	for tries := 0; ; tries++ {
		err := w.openStore()
		if err == nil {
			break
		}
		if f.hit.Load() == 0 || tries > 8 {
			return fmt.Errorf("opening: %w", err)
		}
	}
	for range faultSteps {
		if err := w.nextFault(f); err != nil {
			return err
		}
		if err := w.db[tested].Err(); err != nil {
			if errors.Is(f.err, syscall.ENOSPC) && !f.hard.Load() {
				return fmt.Errorf("a full disk failed the store: %w", err)
			}
			return w.afterFailure()
		}
	}
	_ = w.db[tested].Close() // may meet the fault
	return w.lookAfterFault()
}

// nextFault takes a step. On a full disk it takes it again until it succeeds.
func (w *crashWorld) nextFault(f *crashFault) error {
	live := w.live()
	var err error
	switch {
	case len(live) < 2:
		err = w.create()
	case w.rng.IntN(6) == 0:
		err = w.clear(live[w.rng.IntN(len(live))])
	default:
		err = w.lastStep(live[w.rng.IntN(len(live))])
	}
	for give := time.Now().Add(faultWait / 2); time.Now().Before(give); runtime.Gosched() {
		var failed *stepError
		switch {
		case err == nil:
			return nil
		case f.hit.Load() == 0:
			return fmt.Errorf("step %d: %w", w.started, err)
		case !errors.As(err, &failed):
			return err
		case w.db[tested].Err() != nil:
			return nil // now, or a moment later in the background
		case errors.Is(err, datastore.ErrStoreFailed):
			return fmt.Errorf("step %d failed a store that goes on: %w", w.started, err)
		case !errors.Is(err, datastore.ErrNoSpace) && !errors.Is(err, f.err): // that of a secret's file, which fails nothing else
			return fmt.Errorf("step %d: the disk said %w, the store %w", w.started, f.err, err)
		}
		if err = core.Sweep(w.ctx, w.db[tested]); err == nil {
			err = w.again(failed)
		}
		if err != nil {
			err = &stepError{lazy: failed.lazy, moves: failed.moves, err: err}
		}
	}
	return fmt.Errorf("step %d does not succeed: %w", w.started, err)
}

// afterFailure checks that a failed store can be read, takes no step, and closes.
func (w *crashWorld) afterFailure() error {
	v := w.view(true)()
	r := &reopened{ctx: w.ctx, db: w.db[tested]}
	for _, f := range v.cores {
		print := absent
		if c := f.on[tested]; c != nil {
			var err error
			if print, err = crashPrint(w.ctx, c); errors.Is(err, core.ErrDeleted) {
				print = absent
			} else if err != nil {
				return fmt.Errorf("reading a failed store: %w", err)
			}
		}
		r.prints = append(r.prints, print)
	}
	if _, _, err := v.position(r.prints); err != nil {
		return fmt.Errorf("a failed store shows: %w", err)
	}
	for _, c := range w.cores {
		if c.on[tested] == nil || !c.on[tested].Writable() {
			continue
		}
		_, err := c.on[tested].Append(w.ctx, []byte("x"))
		if !errors.Is(err, datastore.ErrStoreFailed) && !errors.Is(err, core.ErrDeleted) && !errors.Is(err, core.ErrClosed) {
			return fmt.Errorf("appending to a failed store: %w", err)
		}
	}
	w.mu.Lock()
	unsynced := w.durable < w.done && w.mode == datastore.Process
	w.mu.Unlock()
	if err := w.db[tested].Close(); err == nil && unsynced {
		// An empty step, or one that a sync has covered unasked, is nothing to complain of.
		if err := w.view(true)().check(w.disk.options(w.powerLoss(0)), nil, 1); err != nil {
			return fmt.Errorf("closing a failed store succeeds, and then: %w", err)
		}
	}
	return w.lookAfterFault()
}

// lookAfterFault opens what the disk holds, after a power loss too.
func (w *crashWorld) lookAfterFault() error {
	for _, keep := range []int{0, 50, 100} {
		v := w.view(keep == 100)()
		if err := v.check(w.disk.options(w.powerLoss(keep)), nil, twiceShare); err != nil {
			return fmt.Errorf("with %d %% of what was not synced: %w", keep, err)
		}
	}
	return nil
}

func (w *crashWorld) powerLoss(keep int) *vfs.MemFS {
	return w.disk.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: w.rng})
}
