package datastore

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestNoSpace: the reserve is kept, removals go on, and writes do when there is room again.
func TestNoSpace(t *testing.T) {
	f := newFaulty()
	db := NewDB(f, Options{Reserve: 1000})
	defer db.Close()
	now := time.Unix(0, 0)
	db.space.now = func() time.Time { return now }
	value := make([]byte, 100)
	set := func() error {
		return db.Update(context.Background(), func(tx *Tx) error { tx.Set(testKey(1), value); return nil })
	}
	f.free = 1150
	if err := set(); err != nil {
		t.Fatalf("with room: %v", err)
	}
	for range 10 {
		f.free = 1050
		if err := set(); !errors.Is(err, ErrNoSpace) {
			t.Fatalf("without room: %v", err)
		}
	}
	if f.asked > 3 {
		t.Errorf("asked for free space %d times within an instant", f.asked)
	}
	err := db.Update(context.Background(), func(tx *Tx) error {
		tx.Delete(testKey(1))
		tx.DeleteBlocks(Group('t').Item(), Group('t').Item().End())
		return nil
	})
	if err != nil {
		t.Errorf("a removal without room: %v", err)
	}
	f.free = 1 << 20
	now = now.Add(askEvery)
	if err := set(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if db.Err() != nil {
		t.Errorf("Err: %v", db.Err())
	}
}

func TestReserve(t *testing.T) {
	for _, c := range []struct{ option, total, want int64 }{
		{0, 1 << 40, 64 << 20}, {0, 100 << 20, 10 << 20}, {-1, 1 << 40, 0}, {5, 1 << 40, 5},
	} {
		s := space{reserve: c.option}
		if got := s.reserved(c.total); got != c.want {
			t.Errorf("reserve of %d bytes with option %d: %d, want %d", c.total, c.option, got, c.want)
		}
	}
}
