package datastoretest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

func (s *suite) closeTwice(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) { tx.Set(key(1), nil) })
	closeStore(t, db)
	closeStore(t, db)
	ctx := context.Background()
	_, used := db.Used()
	for name, err := range map[string]error{
		"View":    db.View(ctx, func(*datastore.Tx) error { t.Error("view ran"); return nil }),
		"Update":  db.Update(ctx, func(*datastore.Tx) error { t.Error("update ran"); return nil }),
		"Sync":    db.Sync(ctx),
		"Compact": db.Compact(ctx, group(), group().End()),
		"Used":    used,
	} {
		if !errors.Is(err, datastore.ErrClosed) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

// closeWaits: Close waits for a view and an update that run.
func (s *suite) closeWaits(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	inView, inUpdate, leave := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		view(t, db, func(tx *datastore.Tx) {
			close(inView)
			<-leave
			wantNone(t, tx, key(9))
		})
	})
	wg.Go(func() {
		update(t, db, func(tx *datastore.Tx) {
			close(inUpdate)
			<-leave
			tx.Set(key(1), nil)
		})
	})
	await(t, "view", inView)
	await(t, "update", inUpdate)
	closed := make(chan error, 2)
	for range 2 {
		wg.Go(func() { closed <- db.Close() })
	}
	select {
	case <-closed:
		t.Error("Close did not wait")
	default:
	}
	close(leave)
	for range 2 {
		if err := await(t, "Close", closed); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	wg.Wait()
}

func (s *suite) reopen(t *testing.T) {
	dir := t.TempDir()
	for i, o := range []datastore.Options{{}, {Durability: datastore.Process}, {SyncEvery: -1}} {
		db := s.at(t, dir, o)
		view(t, db, func(tx *datastore.Tx) {
			for j := range uint64(i) {
				wantGet(t, tx, key(j), "record")
				wantBlock(t, tx, key(j), bytes.Repeat([]byte("block"), 1000))
			}
			wantNone(t, tx, key(uint64(i)))
			wantNone(t, tx, key(100))
		})
		update(t, db, func(tx *datastore.Tx) {
			tx.Lazy()
			tx.Set(key(100), []byte("gone"))
		})
		update(t, db, func(tx *datastore.Tx) {
			tx.Lazy()
			tx.Set(key(uint64(i)), []byte("record"))
			tx.SetBlock(key(uint64(i)), bytes.Repeat([]byte("block"), 1000))
			tx.Delete(key(100))
		})
		closeStore(t, db)
	}
}

func (s *suite) readOnlyStore(t *testing.T) {
	dir := t.TempDir()
	db := s.at(t, dir, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(key(1), []byte("record"))
		tx.SetBlock(key(1), []byte("block"))
	})
	closeStore(t, db)
	db = s.at(t, dir, datastore.Options{ReadOnly: true})
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "record")
		wantBlock(t, tx, key(1), []byte("block"))
	})
	err := db.Update(context.Background(), func(tx *datastore.Tx) error { tx.Set(key(2), nil); return nil })
	if !errors.Is(err, datastore.ErrReadOnly) || db.Err() != nil {
		t.Errorf("update: %v, Err: %v", err, db.Err())
	}
	if err := db.Sync(context.Background()); err != nil {
		t.Errorf("sync: %v", err)
	}
	closeStore(t, db)
	db = s.at(t, dir, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) { wantNone(t, tx, key(2)); tx.Set(key(2), nil) })
}

// compact may do nothing, but must not change what is there.
func (s *suite) compact(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	data := bytes.Repeat([]byte("data"), 5000)
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(50) {
			tx.SetBlock(key(i), data)
			tx.Set(key(i), []byte("record"))
		}
	})
	update(t, db, func(tx *datastore.Tx) {
		tx.DeleteBlocks(key(10), key(40))
		tx.DeleteRange(key(10), key(40))
	})
	if err := db.Compact(context.Background(), group(), group().End()); err != nil {
		t.Fatalf("compact: %v", err)
	}
	view(t, db, func(tx *datastore.Tx) {
		for i := range uint64(50) {
			if i >= 10 && i < 40 {
				wantNoBlock(t, tx, key(i))
				wantNone(t, tx, key(i))
			} else {
				wantBlock(t, tx, key(i), data)
				wantGet(t, tx, key(i), "record")
			}
		}
	})
	if n, err := db.Used(); err != nil && !errors.Is(err, errors.ErrUnsupported) || err == nil && n > 1<<40 {
		t.Errorf("used: %d, %v", n, err)
	}
}

func (s *suite) secrets(t *testing.T) {
	dir := t.TempDir()
	db := s.at(t, dir, datastore.Options{})
	secrets := db.Secrets()
	if secrets == nil {
		t.Fatal("no place for secrets")
	}
	if b, err := secrets.Load("a"); !errors.Is(err, datastore.ErrNotFound) {
		t.Errorf("load of none: %q, %v", b, err)
	}
	long := strings.Repeat("long-1", 20)[:100]
	for name, secret := range map[string]string{"a": "first", "core-0123": "\x00\xff\n", long: ""} {
		if err := secrets.Store(name, []byte(secret)); err != nil {
			t.Errorf("store %s: %v", name, err)
		}
		wantSecret(t, secrets, name, secret)
	}
	if err := secrets.Store("a", []byte("second")); err != nil {
		t.Errorf("store again: %v", err)
	}
	wantSecret(t, secrets, "a", "second")
	for _, name := range []string{"", ".", "..", "A", "a/b", "a.b", "ä", "a\x00", long + "x"} {
		if _, err := secrets.Load(name); err == nil || errors.Is(err, datastore.ErrNotFound) {
			t.Errorf("load %q: %v", name, err)
		}
		if secrets.Store(name, nil) == nil || secrets.Remove(name) == nil {
			t.Errorf("store or remove takes the name %q", name)
		}
	}
	for range 2 {
		if err := secrets.Remove("core-0123"); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	if _, err := secrets.Load("core-0123"); !errors.Is(err, datastore.ErrNotFound) {
		t.Errorf("load of a removed one: %v", err)
	}
	if !s.caps.Reopen {
		return
	}
	closeStore(t, db)
	wantSecret(t, s.at(t, dir, datastore.Options{}).Secrets(), "a", "second")
}

func wantSecret(t *testing.T, secrets datastore.Secrets, name, want string) {
	t.Helper()
	if got, err := secrets.Load(name); err != nil || string(got) != want {
		t.Errorf("load %s: %q, %v; want %q", name, got, err, want)
	}
}

func (s *suite) damagedRecord(t *testing.T) {
	dir := t.TempDir()
	db := s.at(t, dir, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(3) {
			tx.Set(key(i), []byte("record"))
		}
	})
	closeStore(t, db)
	s.caps.Damage(t, dir, key(1), false)
	db = s.at(t, dir, datastore.Options{})
	check := func(tx *datastore.Tx) {
		_, err := tx.Get(key(1))
		wantCorrupt(t, "get", err)
		_, err = tx.Has(key(1))
		wantCorrupt(t, "has", err)
		for _, reverse := range []bool{false, true} {
			n := 0
			for r, err := range tx.Scan(group(), group().End(), reverse) {
				if n++; n == 2 {
					wantCorrupt(t, "scan", err)
					if !bytes.Equal(r.Key, key(1)) {
						t.Errorf("corrupt record has the key %s", r.Key)
					}
				} else if err != nil || string(r.Value) != "record" {
					t.Errorf("record %s beside the corrupt one: %q, %v", r.Key, r.Value, err)
				}
			}
			if n != 3 {
				t.Errorf("scan has %d steps, want 3", n)
			}
		}
	}
	view(t, db, check)
	update(t, db, func(tx *datastore.Tx) {
		check(tx)
		tx.Set(key(1), []byte("healed"))
		wantScan(t, tx, group(), group().End(), pairs{{string(key(0)), "record"}, {string(key(1)), "healed"}, {string(key(2)), "record"}})
	})
	view(t, db, func(tx *datastore.Tx) { wantGet(t, tx, key(1), "healed") })
}

func (s *suite) damagedBlock(t *testing.T) {
	for _, size := range []int{10, 5000} {
		dir := t.TempDir()
		db := s.at(t, dir, datastore.Options{})
		data := bytes.Repeat([]byte("b"), size)
		update(t, db, func(tx *datastore.Tx) {
			for i := range uint64(3) {
				tx.SetBlock(key(i), data)
			}
		})
		closeStore(t, db)
		s.caps.Damage(t, dir, key(1), true)
		db = s.at(t, dir, datastore.Options{})
		view(t, db, func(tx *datastore.Tx) {
			_, err := tx.Block(key(1))
			wantCorrupt(t, "block", err)
			n := 0
			for r, err := range tx.Blocks(group(), group().End()) {
				if n++; n == 2 {
					wantCorrupt(t, "blocks", err)
				} else if err != nil || !bytes.Equal(r.Value, data) {
					t.Errorf("block %s beside the corrupt one: %.20q, %v", r.Key, r.Value, err)
				}
			}
			if n != 3 {
				t.Errorf("blocks have %d steps, want 3", n)
			}
		})
		update(t, db, func(tx *datastore.Tx) { tx.SetBlock(key(1), data) })
		view(t, db, func(tx *datastore.Tx) { wantBlock(t, tx, key(1), data) })
		closeStore(t, db)
	}
}

// wantCorrupt checks that err says that key 1 is corrupt.
func wantCorrupt(t *testing.T, what string, err error) {
	t.Helper()
	var corrupt *datastore.CorruptError
	if !errors.As(err, &corrupt) || !errors.Is(err, datastore.ErrCorrupt) || !bytes.Equal(corrupt.Key, key(1)) {
		t.Errorf("%s: %v; want that %s is corrupt", what, err, key(1))
	}
}
