package pebble

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

// fault is a disk that fails from its at-th write or sync on, for a while.
type fault struct {
	err      error
	at, span int64
	short    bool // writes get half of their bytes through
	n        atomic.Int64
	off      atomic.Bool
}

func (f *fault) hook(op crashfs.Op) error {
	switch op.Kind {
	case crashfs.Write, crashfs.Create:
	case crashfs.Sync, crashfs.SyncDir:
		if errors.Is(f.err, syscall.ENOSPC) {
			return nil
		}
	default:
		return nil
	}
	if n := f.n.Add(1); f.off.Load() || n < f.at || n >= f.at+f.span {
		return nil
	}
	if f.short {
		return &crashfs.Short{N: op.Len / 2, Err: f.err}
	}
	return f.err
}

// faultRun runs a workload on a failing disk. Whatever fails, no acknowledged commit may be lost, no failed one may
// show, and reads go on. It returns how many writes and syncs there were, and whether the store failed.
func faultRun(seed uint64, f *fault, cache *pebble.Cache) (ops int64, failed bool, err error) {
	w := newWorkload(seed, maphash.MakeSeed())
	mem := vfs.NewCrashableMem()
	e, err := OpenEngine("/store", tiny(crashfs.Wrap(mem, f.hook), cache))
	if err != nil {
		if !errors.Is(err, f.err) {
			return 0, false, fmt.Errorf("opening: %w", err)
		}
		f.off.Store(true)
	} else {
		failed, err = w.runFaulty(e, 30, f)
		if cerr := e.Close(); err == nil && cerr != nil && !errors.Is(cerr, f.err) && !errors.Is(cerr, datastore.ErrStoreFailed) {
			err = fmt.Errorf("closing: %w", cerr)
		}
		if err != nil {
			return 0, failed, err
		}
	}
	for _, kept := range []int{0, 100} {
		e, err := OpenEngine("/store", quiet(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: w.rand}), cache))
		if err != nil {
			return 0, failed, fmt.Errorf("reopening with %d %% kept: %w", kept, err)
		}
		least := w.marks.durable
		if kept == 100 {
			least = w.marks.returned
		}
		_, err = w.check(e, least, w.marks.tried)
		if err := errors.Join(err, e.Close()); err != nil {
			return 0, failed, fmt.Errorf("reopened with %d %% kept: %w", kept, err)
		}
	}
	return f.n.Load(), failed, nil
}

// runFaulty commits n batches; one that fails for want of space is tried again, and after a failure none may succeed.
func (w *workload) runFaulty(e *Engine, n int, f *fault) (failed bool, err error) {
	for range n {
		before, blocks, next := maps.Clone(w.records), maps.Clone(w.blocks), w.next
		b := w.batch()
		i, durable := len(w.digests)-1, w.rand.IntN(3) == 0
		w.mark(func(m *marks) { m.tried = i })
		for try := 0; ; try++ {
			if err = e.Commit(b, durable); err == nil || !errors.Is(err, datastore.ErrNoSpace) || errors.Is(err, datastore.ErrStoreFailed) {
				break
			}
			if try == 50 {
				f.off.Store(true) // there is space again
			}
			if try > 60 {
				return false, fmt.Errorf("no commit though there is space: %w", err)
			}
			if err := w.checkBefore(e, i-1); err != nil {
				return false, err
			}
		}
		if err != nil {
			w.records, w.blocks, w.next = before, blocks, next
			return true, w.checkFailed(e, f, err, i-1)
		}
		w.mark(func(m *marks) {
			m.returned = i
			if durable {
				m.durable = i
			}
		})
		if err := w.between(e, i); err != nil {
			if errors.Is(err, datastore.ErrNoSpace) && !errors.Is(err, datastore.ErrStoreFailed) {
				continue
			}
			if e.Err() == nil {
				continue // a compaction that failed is tried again by itself
			}
			return true, w.checkFailed(e, f, err, i)
		}
	}
	return false, nil
}

// checkBefore makes sure that reads go on and show the state after commit i.
func (w *workload) checkBefore(e *Engine, i int) error {
	sum, n, err := state(e, w.seed)
	if err == nil && (n != i || sum != w.digests[i]) {
		err = fmt.Errorf("after a failed commit: reads show commit %d, not %d", n, i)
	}
	return err
}

func (w *workload) checkFailed(e *Engine, f *fault, cause error, i int) error {
	if !errors.Is(cause, datastore.ErrStoreFailed) {
		return fmt.Errorf("failed with an error of another kind: %w", cause)
	}
	if !errors.Is(e.Err(), datastore.ErrStoreFailed) {
		return fmt.Errorf("Err is %v", e.Err())
	}
	f.off.Store(true)
	err := e.Commit(&datastore.Batch{Ops: []datastore.Op{set("/r/zz", "after")}}, true)
	if !errors.Is(err, datastore.ErrStoreFailed) {
		return fmt.Errorf("a commit after the failure: %v", err)
	}
	if err := e.Sync(); err == nil {
		return errors.New("a sync succeeded after the failure")
	}
	// A commit whose failure was found after it got into the journal may show.
	if err := w.checkBefore(e, i); err != nil {
		return w.checkBefore(e, w.marks.tried)
	}
	return nil
}

// TestFaults lets each write and each sync of a workload fail in turn.
func TestFaults(t *testing.T) {
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	step := int64(11)
	if raceEnabled {
		step = 61
	}
	if os.Getenv("HYPERNODE_FAULTS") == "all" {
		step = 1
	}
	for _, c := range []struct {
		name  string
		err   error
		span  int64
		short bool
	}{
		{"EIO once", syscall.EIO, 1, false},
		{"EIO short", syscall.EIO, 1, true},
		{"EIO on", syscall.EIO, 1 << 40, false},
		{"ENOSPC once", syscall.ENOSPC, 1, false},
		{"ENOSPC short", syscall.ENOSPC, 7, true},
		{"ENOSPC on", syscall.ENOSPC, 1 << 40, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs, failures := 0, 0
			seed := uint64(len(c.name))
			for at, ops := int64(1), int64(1); at <= ops; at += step {
				seed++
				n, failed, err := faultRun(seed%4+1, &fault{err: c.err, at: at, span: c.span, short: c.short}, cache)
				if err != nil {
					t.Fatalf("workload %d, failing from operation %d: %v", seed%4+1, at, err)
				}
				ops = max(ops, n)
				if ops == 1 {
					ops = 300 // the first open failed
				}
				runs++
				if failed {
					failures++
				}
			}
			t.Logf("%d runs, the store failed in %d", runs, failures)
		})
	}
}
