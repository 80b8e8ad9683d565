package bee

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// memoryCore is a core that can be written, in a store in memory, closed with the test.
func memoryCore(t testing.TB) *core.Core {
	t.Helper()
	return coreIn(t, memoryDB(t), core.Options{Pair: keys.PairFromSeed(keys.Seed{1}), Derived: true})
}

func memoryDB(t testing.TB) *datastore.DB {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{Secrets: datastore.FileSecrets(t.TempDir())})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func coreIn(t testing.TB, db *datastore.DB, o core.Options) *core.Core {
	t.Helper()
	c, err := core.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func openBee(t testing.TB, c *core.Core, o Options) *Bee {
	t.Helper()
	b, err := OpenWith(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func memoryBee(t testing.TB, o Options) *Bee { return openBee(t, memoryCore(t), o) }

func mustPut(t testing.TB, b *Bee, key, value string) {
	t.Helper()
	if err := b.Put(t.Context(), []byte(key), []byte(value)); err != nil {
		t.Fatal(err)
	}
}

// wantGet wants a value, or with nil that there is no such key.
func wantGet(t testing.TB, b *Bee, key string, value []byte) {
	t.Helper()
	e, err := b.Get(t.Context(), []byte(key))
	if value == nil {
		wantErr(t, "get of "+key, err, ErrNotFound)
		return
	}
	if err != nil || !bytes.Equal(e.Value, value) || string(e.Key) != key {
		t.Fatalf("%q is %q under %q (%v), want %q", key, e.Value, e.Key, err, value)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", what, err, want)
	}
}

// all collects a range.
func all(ctx context.Context, b *Bee, r Range) (list []Entry, err error) {
	for e, err := range b.Range(ctx, r) {
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	return list, nil
}

func mustAll(t testing.TB, b *Bee, r Range) []Entry {
	t.Helper()
	list, err := all(t.Context(), b, r)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// seeded returns a generator whose seed is printed when the test fails.
func seeded(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}
