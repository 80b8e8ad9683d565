package datastore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSyncTimes: lazy commits are synced after SyncEvery or SyncBytes, and one sync covers many.
func TestSyncTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty()
		db := NewDB(f, Options{Durability: Process, SyncEvery: time.Second, SyncBytes: 1000})
		for i := range uint64(3) {
			if err := setOne(db, i); err != nil {
				t.Fatal(err)
			}
		}
		step := func(d time.Duration, want int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if n := f.syncs.Load(); n != int64(want) {
				t.Errorf("%d syncs, want %d", n, want)
			}
		}
		step(999*time.Millisecond, 0)
		step(2*time.Millisecond, 1)
		step(10*time.Second, 1) // nothing to sync
		err := db.Update(context.Background(), func(tx *Tx) error { tx.Set(testKey(9), make([]byte, 1000)); return nil })
		if err != nil {
			t.Fatal(err)
		}
		step(0, 2)
		if err := setOne(db, 4); err != nil {
			t.Fatal(err)
		}
		step(time.Second+1, 3)
		if err := setOne(db, 5); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		step(time.Minute, 4)
	})
}

// TestSyncRides: commits made during a sync are covered by the next one, not by the one that runs.
func TestSyncRides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty()
		gate := make(chan struct{})
		f.sync = func(int) error { <-gate; return nil }
		db := NewDB(f, Options{Durability: Process, SyncEvery: -1})
		var synced []int
		write := func(i int) {
			err := db.Update(context.Background(), func(tx *Tx) error {
				tx.Set(testKey(uint64(i)), nil)
				tx.OnSynced(func() { synced = append(synced, i) })
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for i := range 5 {
			write(i)
		}
		if f.syncs.Load() != 1 || len(synced) != 0 {
			t.Errorf("%d syncs begun, told of %v", f.syncs.Load(), synced)
		}
		gate <- struct{}{}
		synctest.Wait()
		if f.syncs.Load() != 2 || fmt.Sprint(synced) != "[0]" {
			t.Errorf("%d syncs begun, told of %v", f.syncs.Load(), synced)
		}
		gate <- struct{}{}
		synctest.Wait()
		if f.syncs.Load() != 2 || fmt.Sprint(synced) != "[0 1 2 3 4]" {
			t.Errorf("%d syncs begun, told of %v", f.syncs.Load(), synced)
		}
		if err := db.Close(); err != nil || f.syncs.Load() != 2 {
			t.Errorf("Close: %v, %d syncs", err, f.syncs.Load())
		}
	})
}

// TestDurable: which commits the engine is asked to make durable.
func TestDurable(t *testing.T) {
	for _, c := range []struct {
		d          Durability
		lazy, want bool
	}{{Full, false, true}, {Full, true, false}, {Process, false, false}, {Process, true, false}} {
		f := newFaulty()
		f.commit = func(_ int, durable bool) error {
			if durable != c.want {
				t.Errorf("%v, lazy %v: durable is %v", c.d, c.lazy, durable)
			}
			return nil
		}
		db := NewDB(f, Options{Durability: c.d})
		err := db.Update(context.Background(), func(tx *Tx) error {
			if c.lazy {
				tx.Lazy()
			}
			tx.Set(testKey(1), nil)
			return nil
		})
		if err := errors.Join(err, db.Close()); err != nil || f.commits != 1 {
			t.Errorf("%v, %d commits", err, f.commits)
		}
	}
}

// TestAwaited: which commits the engine is told to begin to write.
func TestAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []Durability{Process, Full} {
			f := newFaulty()
			gate := make(chan struct{}, 8)
			f.sync = func(int) error { <-gate; return nil }
			db := NewDB(f, Options{Durability: d, SyncEvery: -1})
			commit := func(onSynced bool) {
				err := db.Update(context.Background(), func(tx *Tx) error {
					tx.Set(testKey(1), nil)
					if onSynced {
						tx.OnSynced(func() {})
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			commit(false)
			commit(true) // the sync begins, unless this was durable
			commit(true)
			gate <- struct{}{}
			gate <- struct{}{}
			synctest.Wait() // and is over
			commit(true)
			close(gate)
			want := []bool{false, true, false, true}
			if d == Full {
				want = make([]bool, 4)
			}
			if err := db.Close(); err != nil || !slices.Equal(f.awaited, want) {
				t.Errorf("durability %v: %v, awaited are %v, want %v", d, err, f.awaited, want)
			}
		}
	})
}
