package datastoretest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// onCommitOrder: OnCommit is called in the order of the commits, when they are visible, before Update returns.
func (s *suite) onCommitOrder(t *testing.T) {
	db := s.fresh(t, datastore.Options{Durability: datastore.Process})
	var ran, committed []int // ran belongs to the closures, committed to the functions given to OnCommit
	var wg sync.WaitGroup
	for w := range 32 {
		wg.Go(func() {
			done := false
			update(t, db, func(tx *datastore.Tx) {
				ran = append(ran, w)
				tx.Set(key(uint64(w)), nil)
				tx.OnCommit(func() {
					view(t, db, func(tx *datastore.Tx) { wantGet(t, tx, key(uint64(w)), "") })
				})
				tx.OnCommit(func() {
					committed = append(committed, w)
					done = true
				})
			})
			if !done {
				t.Errorf("update %d returned before OnCommit was called", w)
			}
		})
	}
	wg.Wait()
	if !slices.Equal(ran, committed) {
		t.Errorf("closures ran in the order %v, OnCommit in %v", ran, committed)
	}
}

// onSynced: at once for a durable commit, soon for another one, always in order.
func (s *suite) onSynced(t *testing.T) {
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		db := s.fresh(t, datastore.Options{Durability: d, SyncEvery: -1})
		const n = 50
		synced := make(chan int, n)
		for i := range n {
			update(t, db, func(tx *datastore.Tx) {
				tx.Set(key(uint64(i)), nil)
				tx.OnSynced(func() { synced <- i })
			})
			if d == datastore.Full && len(synced) != i+1 {
				t.Fatalf("%v: %d told of %d when Update returned", d, len(synced), i+1)
			}
		}
		for i := range n {
			if got := await(t, "OnSynced", synced); got != i {
				t.Fatalf("%v: OnSynced of %d where that of %d was due", d, got, i)
			}
		}
		update(t, db, func(tx *datastore.Tx) { tx.OnSynced(func() { synced <- n }) }) // nothing written
		await(t, "OnSynced of an update that wrote nothing", synced)
		closeStore(t, db)
	}
}

// lazy: a lazy update is synced by OnSynced, by a durable one behind it, by Sync, and at Close.
func (s *suite) lazy(t *testing.T) {
	db := s.fresh(t, datastore.Options{SyncEvery: -1})
	synced := make(chan string, 10)
	lazily := func(name string) {
		update(t, db, func(tx *datastore.Tx) {
			tx.Lazy()
			tx.Set(key(1), []byte(name))
			tx.OnSynced(func() { synced <- name })
		})
	}
	lazily("first")
	if got := await(t, "OnSynced of a lazy update", synced); got != "first" {
		t.Errorf("OnSynced of %s", got)
	}
	lazily("second")
	update(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "second")
		tx.Set(key(2), nil)
		tx.OnSynced(func() { synced <- "durable" })
	})
	if len(synced) != 2 || <-synced != "second" || <-synced != "durable" {
		t.Errorf("a durable commit did not bring those before it along")
	}
	lazily("last")
	closeStore(t, db)
	if len(synced) != 1 || <-synced != "last" {
		t.Errorf("Close did not sync")
	}
}

func (s *suite) sync(t *testing.T) {
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		db := s.fresh(t, datastore.Options{Durability: d, SyncEvery: -1})
		if db.Durability() != d {
			t.Errorf("durability is %v, want %v", db.Durability(), d)
		}
		var wg sync.WaitGroup
		for w := range uint64(8) {
			wg.Go(func() {
				for i := range uint64(10) {
					update(t, db, func(tx *datastore.Tx) { tx.Lazy(); tx.Set(key(w*10+i), nil) })
					if err := db.Sync(context.Background()); err != nil {
						t.Errorf("sync: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if err := db.Sync(context.Background()); err != nil {
			t.Errorf("sync of nothing: %v", err)
		}
		if err := db.Err(); err != nil {
			t.Errorf("Err: %v", err)
		}
		closeStore(t, db)
	}
}
