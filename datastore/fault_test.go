package datastore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// faulty is a memory engine whose calls can fail or wait, and whose room is set.
type faulty struct {
	*memory
	commit  func(n int, durable bool) error // before the n-th commit, from 1
	sync    func(n int) error
	commits int
	awaited []bool // of the commits
	syncs   atomic.Int64
	free    uint64
	asked   int
	sick    error
}

func newFaulty() *faulty { return &faulty{memory: newMemory(), free: 1 << 40} }

func (f *faulty) Commit(b *Batch, durable bool) error {
	f.commits++
	f.awaited = append(f.awaited, b.Awaited)
	if f.commit != nil {
		if err := f.commit(f.commits, durable); err != nil {
			return err
		}
	}
	return f.memory.Commit(b, durable)
}

func (f *faulty) Sync() error {
	n := f.syncs.Add(1)
	if f.sync != nil {
		return f.sync(int(n))
	}
	return nil
}

func (f *faulty) Free() (free, total uint64, err error) {
	f.asked++
	return f.free, 1 << 30, nil
}

func (f *faulty) Used() (uint64, error) { return 0, nil }

func (f *faulty) Err() error { return f.sick }

var errDisk = fmt.Errorf("disk: %w", syscall.EIO)

func testKey(n uint64) Key { return Group('t').Item().Uint(n) }

func setOne(db *DB, n uint64) error {
	return db.Update(context.Background(), func(tx *Tx) error { tx.Set(testKey(n), nil); return nil })
}

// acknowledged checks that the records there are are those of the updates that returned nil.
func acknowledged(t *testing.T, db *DB, acked map[uint64]bool) {
	t.Helper()
	err := db.View(context.Background(), func(tx *Tx) error {
		for n, ok := range acked {
			if has, err := tx.Has(testKey(n)); err != nil || has != ok {
				return fmt.Errorf("record %d: there %v, acknowledged %v, %w", n, has, ok, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCommitFails fails the n-th commit.
func TestCommitFails(t *testing.T) {
	for name, c := range map[string]struct {
		err, want error
		once      bool // only that update fails
	}{
		"input/output error":    {errDisk, ErrStoreFailed, false},
		"failed by the engine":  {fmt.Errorf("%w: %w", ErrStoreFailed, syscall.ENOSPC), ErrStoreFailed, false},
		"disk full":             {syscall.ENOSPC, ErrNoSpace, true},
		"no space by engine":    {fmt.Errorf("half way: %w", ErrNoSpace), ErrNoSpace, true},
		"larger than it can be": {ErrTooLarge, ErrTooLarge, true},
	} {
		for nth := 1; nth <= 4; nth++ {
			f := newFaulty()
			f.commit = func(n int, _ bool) error {
				if n == nth {
					return c.err
				}
				return nil
			}
			db, acked := NewDB(f, Options{}), make(map[uint64]bool)
			for i := range uint64(6) {
				err := setOne(db, i)
				acked[i] = err == nil
				fails := int(i) == nth-1 || int(i) >= nth && !c.once
				if fails && !errors.Is(err, c.want) || !fails && err != nil {
					t.Errorf("%s at %d: update %d: %v", name, nth, i, err)
				}
			}
			if failed := db.Err(); c.once != (failed == nil) || failed != nil && !errors.Is(failed, c.err) {
				t.Errorf("%s: Err is %v", name, failed)
			}
			if err := db.Sync(context.Background()); !c.once && !errors.Is(err, ErrStoreFailed) || c.once && err != nil {
				t.Errorf("%s: Sync: %v", name, err)
			}
			acknowledged(t, db, acked)
			if err := db.Close(); err != nil {
				t.Errorf("%s: Close: %v", name, err)
			}
		}
	}
}

// TestGroupFails: a commit that fails fails the updates of its group, and no others.
func TestGroupFails(t *testing.T) {
	f := newFaulty()
	first, inCommit := make(chan struct{}), make(chan struct{})
	f.commit = func(n int, _ bool) error {
		switch n {
		case 1:
			close(inCommit)
			<-first
		case 2:
			return syscall.ENOSPC
		}
		return nil
	}
	db := NewDB(f, Options{})
	var wg sync.WaitGroup
	errs := make([]error, 20)
	wg.Go(func() { errs[0] = setOne(db, 0) })
	<-inCommit
	for i := 1; i < len(errs); i++ {
		wg.Go(func() {
			errs[i] = db.Update(context.Background(), func(tx *Tx) error {
				tx.Set(testKey(uint64(i)), nil)
				if i%3 == 0 {
					return errDisk
				}
				return nil
			})
		})
	}
	waiting(db, len(errs)-1)
	close(first)
	wg.Wait()
	acked := make(map[uint64]bool)
	for i, err := range errs {
		acked[uint64(i)] = err == nil
		want := []error{errDisk, ErrNoSpace, ErrNoSpace}[i%3]
		if i == 0 && err != nil || i > 0 && !errors.Is(err, want) {
			t.Errorf("update %d: %v", i, err)
		}
	}
	if f.commits != 2 {
		t.Errorf("%d commits, want 2", f.commits)
	}
	acknowledged(t, db, acked)
	db.Close()
}

// waiting returns when n updates wait in the queue.
func waiting(db *DB, n int) {
	for {
		db.queue.mu.Lock()
		got := len(db.queue.waiting)
		db.queue.mu.Unlock()
		if got == n {
			return
		}
		runtime.Gosched()
	}
}

// TestSyncFails: nobody is told that it was synced, and the store is read-only.
func TestSyncFails(t *testing.T) {
	f := newFaulty()
	f.sync = func(int) error { return errDisk }
	db := NewDB(f, Options{Durability: Process, SyncEvery: -1})
	ctx := context.Background()
	err := db.Update(ctx, func(tx *Tx) error {
		tx.Set(testKey(1), nil)
		tx.OnSynced(func() { t.Error("OnSynced after a sync that failed") })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Sync(ctx); !errors.Is(err, ErrStoreFailed) || !errors.Is(err, syscall.EIO) {
			t.Errorf("Sync: %v", err)
		}
	}
	if err := setOne(db, 2); !errors.Is(err, ErrStoreFailed) || !errors.Is(db.Err(), errDisk) {
		t.Errorf("update: %v, Err: %v", err, db.Err())
	}
	acknowledged(t, db, map[uint64]bool{1: true, 2: false})
	if err := db.Close(); !errors.Is(err, ErrStoreFailed) {
		t.Errorf("Close: %v", err)
	}
	if n := f.syncs.Load(); n != 1 {
		t.Errorf("%d syncs, want 1: a sync that failed must not be tried again", n)
	}
}

// TestCloseSyncFails: Close tells that the last sync failed.
func TestCloseSyncFails(t *testing.T) {
	f := newFaulty()
	f.sync = func(int) error { return errDisk }
	db := NewDB(f, Options{Durability: Process, SyncEvery: -1})
	if err := setOne(db, 1); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Close(); !errors.Is(err, errDisk) {
			t.Errorf("Close: %v", err)
		}
	}
}

// TestEngineFailsByItself: an engine may fail outside of a commit.
func TestEngineFailsByItself(t *testing.T) {
	f := newFaulty()
	db := NewDB(f, Options{})
	defer db.Close()
	if err := setOne(db, 1); err != nil {
		t.Fatal(err)
	}
	f.sick = errDisk
	if err := setOne(db, 2); !errors.Is(err, ErrStoreFailed) || !errors.Is(err, errDisk) || !errors.Is(db.Err(), errDisk) {
		t.Errorf("update: %v, Err: %v", err, db.Err())
	}
	acknowledged(t, db, map[uint64]bool{1: true, 2: false})
}

// TestSyncFailsBesideCommit: a durable commit is not acknowledged when a sync has failed while it was made.
func TestSyncFailsBesideCommit(t *testing.T) {
	f := newFaulty()
	f.sync = func(int) error { return errDisk }
	db := NewDB(f, Options{SyncEvery: -1})
	err := db.Update(context.Background(), func(tx *Tx) error { tx.Lazy(); tx.Set(testKey(1), nil); return nil })
	if err != nil {
		t.Fatal(err)
	}
	f.commit = func(int, bool) error {
		if err := db.Sync(context.Background()); !errors.Is(err, ErrStoreFailed) {
			t.Errorf("Sync: %v", err)
		}
		return nil
	}
	if err := setOne(db, 2); !errors.Is(err, ErrStoreFailed) {
		t.Errorf("update: %v", err)
	}
	db.Close()
}

// TestGoexit: a closure that ends its goroutine takes its group with it, but not the queue.
func TestGoexit(t *testing.T) {
	db := NewMemory(Options{})
	defer db.Close()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			db.Update(context.Background(), func(tx *Tx) error {
				tx.Set(testKey(1), nil)
				runtime.Goexit()
				return nil
			})
		})
	}
	wg.Wait()
	if err := setOne(db, 2); err != nil {
		t.Error(err)
	}
	acknowledged(t, db, map[uint64]bool{1: false, 2: true})
}

// TestGroupLimits: an update that removes ranges, and one of many bytes, do not make a group grow without bound.
func TestGroupLimits(t *testing.T) {
	g := &NewMemory(Options{}).group
	for range maxRanges {
		if g.full() {
			t.Fatal("full too early")
		}
		g.pending.add(Op{Kind: OpDeleteRange, Key: testKey(1), End: testKey(2)})
	}
	if !g.full() {
		t.Error("not full of ranges")
	}
	g.pending.reset()
	g.pending.add(Op{Kind: OpSet, Key: testKey(1), Value: make([]byte, maxGroupBytes)})
	if !g.full() {
		t.Error("not full of bytes")
	}
	g.pending.reset()
	if g.full() {
		t.Error("full when empty")
	}
}
