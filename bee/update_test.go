package bee

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// TestTwoWriters counts in one key through two bees on one core from many goroutines.
func TestTwoWriters(t *testing.T) {
	c := memoryCore(t)
	other, err := c.Session(core.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	bees := []*Bee{openBee(t, c, Options{}), openBee(t, other, Options{})}
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range each {
				if err := bees[i%2].Update(t.Context(), count); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantGet(t, bees[0], "n", fmt.Append(nil, writers*each))
	wantGet(t, bees[1], "n", fmt.Append(nil, writers*each))
}

func count(tx *Batch) error {
	n := 0
	e, err := tx.Get([]byte("n"))
	if err == nil {
		_, err = fmt.Sscan(string(e.Value), &n)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return tx.Put([]byte("n"), fmt.Append(nil, n+1))
}

// TestFailing has callbacks fail and panic: nothing is written, and the next change goes on.
func TestFailing(t *testing.T) {
	b := memoryBee(t, Options{})
	mustPut(t, b, "a", "1")
	before, oops := b.Version(), errors.New("oops")
	err := b.Update(t.Context(), func(tx *Batch) error {
		return errors.Join(tx.Put([]byte("a"), []byte("2")), tx.Put([]byte("b"), nil), oops)
	})
	wantErr(t, "a callback that fails", err, oops)
	for _, fn := range []func(tx *Batch) error{
		func(*Batch) error { panic(oops) },
		func(tx *Batch) error {
			_, err := tx.PutIf([]byte("a"), nil, func(Entry, Entry) bool { panic(oops) })
			return err
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = b.Update(t.Context(), fn)
		}()
	}
	if b.Version() != before {
		t.Errorf("version %d became %d", before, b.Version())
	}
	wantGet(t, b, "a", []byte("1"))
	wantGet(t, b, "b", nil)
	mustPut(t, b, "a", "3")
	wantGet(t, b, "a", []byte("3"))
}

func TestUpdateWaits(t *testing.T) {
	b := memoryBee(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Update(ctx, func(*Batch) error {
		cancel()
		wantErr(t, "an update that cannot begin", b.Put(ctx, nil, nil), context.Canceled)
		return nil
	})
	wantErr(t, "an update whose context ended", err, context.Canceled)
	mustPut(t, b, "a", "1")
}

func TestAfterUpdate(t *testing.T) {
	b := memoryBee(t, Options{})
	var kept *Batch
	if err := b.Update(t.Context(), func(tx *Batch) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "put after the update", kept.Put([]byte("a"), nil), ErrClosed)
	_, err := kept.Get([]byte("a"))
	wantErr(t, "get after the update", err, ErrClosed)
	if n := b.Core().Head().Length; n != 0 {
		t.Errorf("an update without changes wrote %d blocks", n)
	}
}

func TestReadOnly(t *testing.T) {
	b := memoryBee(t, Options{})
	mustPut(t, b, "a", "1")
	wantErr(t, "put to a snapshot", b.Snapshot().Put(t.Context(), []byte("b"), nil), ErrReadOnly)
	c := b.Core()
	r := openBee(t, c, Options{ReadOnly: true})
	wantErr(t, "put to a read-only bee", r.Put(t.Context(), []byte("b"), nil), ErrReadOnly)
	snap, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	wantErr(t, "put to a core that cannot be written", openBee(t, snap, Options{}).Put(t.Context(), []byte("b"), nil), core.ErrNotWritable)
	if r.Writable() || b.Snapshot().Writable() || !b.Writable() {
		t.Error("the bees do not know who can write")
	}
}

// TestWith appends to another core in the commit of the batch.
func TestWith(t *testing.T) {
	db := memoryDB(t)
	b := openBee(t, coreIn(t, db, core.Options{Pair: memoryPair(), Derived: true}), Options{})
	files := coreIn(t, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{2}), Derived: true})
	put := func(at uint64) error {
		return b.Update(t.Context(), func(tx *Batch) error {
			tx.With(core.Appending{Core: files, Blocks: [][]byte{[]byte("data")}, At: at})
			return tx.Put([]byte("file"), fmt.Append(nil, at))
		})
	}
	if err := put(0); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "an update for another length", put(0), core.ErrMoved)
	wantGet(t, b, "file", []byte("0"))
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	wantGet(t, b, "file", []byte("1"))
	if n := files.Head().Length; n != 2 {
		t.Errorf("%d blocks of the other core, want 2", n)
	}
}

func TestCopies(t *testing.T) {
	b := memoryBee(t, Options{})
	key, value := []byte("key"), []byte("value")
	if err := b.Update(t.Context(), func(tx *Batch) error {
		err := tx.Put(key, value)
		key[0], value[0] = 'x', 'x'
		return err
	}); err != nil {
		t.Fatal(err)
	}
	e, err := b.Get(t.Context(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	e.Key[0], e.Value[0] = 'y', 'y'
	_ = append(e.Key, '!')
	wantGet(t, b, "key", []byte("value"))
}
