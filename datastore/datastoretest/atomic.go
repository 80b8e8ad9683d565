package datastoretest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

var errRefused = errors.New("refused by the test")

func (s *suite) allOrNothing(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) { tx.Set(key(1), []byte("kept")) })
	err := db.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.Set(key(1), []byte("lost"))
		tx.Set(key(2), []byte("lost"))
		tx.SetBlock(key(2), []byte("lost"))
		tx.DeleteRange(group(), group().End())
		tx.OnCommit(func() { t.Error("OnCommit of an update that failed") })
		tx.OnSynced(func() { t.Error("OnSynced of an update that failed") })
		return fmt.Errorf("wrapped: %w", errRefused)
	})
	if !errors.Is(err, errRefused) {
		t.Fatalf("update: %v", err)
	}
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "kept")
		wantNone(t, tx, key(2))
		wantNoBlock(t, tx, key(2))
	})
}

func (s *suite) readOnlyView(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	for name, write := range map[string]func(tx *datastore.Tx){
		"Set":          func(tx *datastore.Tx) { tx.Set(key(1), nil) },
		"Delete":       func(tx *datastore.Tx) { tx.Delete(key(1)) },
		"DeleteRange":  func(tx *datastore.Tx) { tx.DeleteRange(group(), group().End()) },
		"SetBlock":     func(tx *datastore.Tx) { tx.SetBlock(key(1), nil) },
		"DeleteBlocks": func(tx *datastore.Tx) { tx.DeleteBlocks(group(), group().End()) },
	} {
		err := db.View(context.Background(), func(tx *datastore.Tx) error { write(tx); return nil })
		if !errors.Is(err, datastore.ErrReadOnly) {
			t.Errorf("%s in a view: %v", name, err)
		}
	}
	view(t, db, func(tx *datastore.Tx) { wantNone(t, tx, key(1)) })
	var escaped *datastore.Tx
	view(t, db, func(tx *datastore.Tx) { escaped = tx })
	if _, err := escaped.Get(key(1)); err == nil || errors.Is(err, datastore.ErrNotFound) {
		t.Errorf("get after the view: %v", err)
	}
}

// viewIsolation: a view stays as it is while commits go on, and one opened after a commit sees it.
func (s *suite) viewIsolation(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(4) {
			tx.Set(key(i), []byte("old"))
		}
	})
	view(t, db, func(before *datastore.Tx) {
		check := func() {
			t.Helper()
			wantScan(t, before, group(), group().End(), pairs{{string(key(0)), "old"}, {string(key(1)), "old"}, {string(key(2)), "old"}, {string(key(3)), "old"}})
			wantGet(t, before, key(0), "old")
			wantGet(t, before, key(1), "old")
			wantNone(t, before, key(7))
		}
		update(t, db, func(tx *datastore.Tx) {
			tx.Set(key(0), []byte("new"))
			tx.Delete(key(1))
			tx.Set(key(7), []byte("new"))
		})
		check()
		view(t, db, func(between *datastore.Tx) {
			update(t, db, func(tx *datastore.Tx) { tx.DeleteRange(group(), group().End()) })
			wantScan(t, between, group(), group().End(), pairs{{string(key(0)), "new"}, {string(key(2)), "old"}, {string(key(3)), "old"}, {string(key(7)), "new"}})
			check()
		})
		view(t, db, func(after *datastore.Tx) { wantScan(t, after, group(), group().End(), nil) })
		update(t, db, func(tx *datastore.Tx) { tx.Set(key(1), []byte("newest")) })
		check()
	})
	view(t, db, func(tx *datastore.Tx) { wantScan(t, tx, group(), group().End(), pairs{{string(key(1)), "newest"}}) })
}

// viewBesideCommits: views that run beside commits see all of a commit or nothing.
func (s *suite) viewBesideCommits(t *testing.T) {
	db := s.fresh(t, datastore.Options{Durability: datastore.Process})
	const width, rounds = 5, 100
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			last := ""
			for {
				last = checkWhole(t, db, width, last)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for round := range rounds {
		update(t, db, func(tx *datastore.Tx) {
			for i := range uint64(width) {
				tx.Set(key(i), fmt.Appendf(nil, "%06d", round))
			}
			if round%7 == 0 {
				tx.DeleteRange(group(), group().End())
				for i := range uint64(width) {
					tx.Set(key(i), fmt.Appendf(nil, "%06d", round))
				}
			}
		})
	}
	close(done)
	readers.Wait()
	checkWhole(t, db, width, fmt.Sprintf("%06d", rounds-1))
}

// checkWhole checks that all records come from one round, which is not before last, and returns it.
func checkWhole(t *testing.T, db *datastore.DB, width int, last string) string {
	err := db.View(context.Background(), func(tx *datastore.Tx) error {
		first, n := "", 0
		for r, err := range tx.Scan(group(), group().End(), n%2 == 0) {
			if err != nil {
				return err
			}
			if n++; n == 1 {
				first = string(r.Value)
			}
			if string(r.Value) != first {
				return fmt.Errorf("rounds %s and %s in one view", first, r.Value)
			}
		}
		if n != 0 && n != width || first < last {
			return fmt.Errorf("%d records of round %q after round %q", n, first, last)
		}
		last = first
		v, err := tx.Get(key(0))
		if errors.Is(err, datastore.ErrNotFound) && n == 0 {
			return nil
		}
		if err != nil || string(v) != first {
			return fmt.Errorf("get gives round %q, scan %q: %w", v, first, err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("view: %v", err)
	}
	return last
}

// groupedCommits: 64 goroutines count in one record. Some updates fail, and no count is lost or double.
func (s *suite) groupedCommits(t *testing.T) {
	db := s.fresh(t, datastore.Options{Durability: datastore.Process})
	const workers, rounds = 64, 20
	counter := datastore.Group('c').Item().Uint(0)
	read := func(tx *datastore.Tx) (n uint64) {
		if v, err := tx.Get(counter); err == nil {
			n = binary.BigEndian.Uint64(v)
		} else if !errors.Is(err, datastore.ErrNotFound) {
			t.Errorf("reading the counter: %v", err)
		}
		return n
	}
	var wg sync.WaitGroup
	for w := range uint64(workers) {
		wg.Go(func() {
			for r := range uint64(rounds) {
				refuse := (w+r)%5 == 0
				err := db.Update(context.Background(), func(tx *datastore.Tx) error {
					n := read(tx)
					tx.Set(counter, binary.BigEndian.AppendUint64(nil, n+1))
					tx.Set(key(w*rounds+r), []byte("mine"))
					tx.SetBlock(key(n), binary.BigEndian.AppendUint64(nil, n))
					if refuse {
						return errRefused
					}
					return nil
				})
				if refuse != errors.Is(err, errRefused) || !refuse && err != nil {
					t.Errorf("update: %v, refused: %v", err, refuse)
				}
			}
		})
	}
	wg.Wait()
	view(t, db, func(tx *datastore.Tx) {
		const want = workers * rounds * 4 / 5
		if n := read(tx); n != want {
			t.Errorf("counted to %d, want %d", n, want)
		}
		if n := len(collect(t, tx.Scan(group(), group().End(), false))); n != want {
			t.Errorf("%d records, want %d", n, want)
		}
		for i, p := range collect(t, tx.Blocks(group(), group().End())) {
			if binary.BigEndian.Uint64([]byte(p.value)) != uint64(i) {
				t.Fatalf("block %d holds %x", i, p.value)
			}
		}
	})
}

// panics: a panic comes out of the caller's own Update, and the others go on.
func (s *suite) panics(t *testing.T) {
	db := s.fresh(t, datastore.Options{Durability: datastore.Process})
	var wg sync.WaitGroup
	for w := range uint64(16) {
		wg.Go(func() {
			defer func() {
				if p := recover(); w%2 == 0 && p != w || w%2 == 1 && p != nil {
					t.Errorf("worker %d: recovered %v", w, p)
				}
			}()
			err := db.Update(context.Background(), func(tx *datastore.Tx) error {
				tx.Set(key(w), nil)
				if w%2 == 0 {
					panic(w)
				}
				return nil
			})
			if err != nil || w%2 == 0 {
				t.Errorf("worker %d: Update returned %v", w, err)
			}
		})
	}
	wg.Wait()
	view(t, db, func(tx *datastore.Tx) {
		if n := len(collect(t, tx.Scan(group(), group().End(), false))); n != 8 {
			t.Errorf("%d records, want 8", n)
		}
	})
}

// canceled: an update whose context is done before its turn writes nothing.
func (s *suite) canceled(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	inside, result := make(chan struct{}), make(chan error, 1)
	leave := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		result <- db.Update(context.Background(), func(tx *datastore.Tx) error {
			close(inside)
			<-leave
			tx.Set(key(1), nil)
			return nil
		})
	})
	await(t, "first update", inside)
	second := make(chan error, 1)
	wg.Go(func() {
		second <- db.Update(ctx, func(tx *datastore.Tx) error { tx.Set(key(2), nil); return nil })
	})
	cancel()
	if err := await(t, "canceled update", second); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled update: %v", err)
	}
	close(leave)
	if err := await(t, "first update", result); err != nil {
		t.Errorf("first update: %v", err)
	}
	wg.Wait()
	if err := db.View(ctx, func(*datastore.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled view: %v", err)
	}
	if err := db.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled sync: %v", err)
	}
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "")
		wantNone(t, tx, key(2))
	})
}
