package datastore_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	badger4 "github.com/ipfs/go-ds-badger4"
	pebbleds "github.com/ipfs/go-ds-pebble"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/datastoretest"
)

// folders opens a go-datastore in each folder, and closes the one before that is still open there.
type folders struct {
	open   func(t *testing.T, dir string) ds.Batching
	opened map[string]ds.Batching
}

func (f *folders) at(t *testing.T, dir string) ds.Batching {
	if d, ok := f.opened[dir]; ok {
		d.Close()
	} else {
		t.Cleanup(func() { f.opened[dir].Close() })
	}
	f.opened[dir] = f.open(t, dir)
	return f.opened[dir]
}

// damage changes the first byte of a value.
func (f *folders) damage(t *testing.T, dir string, k datastore.Key, block bool) {
	if block {
		k = append(datastore.Key("/_"), k[1:]...)
	}
	d, ctx := f.at(t, dir), context.Background()
	v, err := d.Get(ctx, ds.RawKey(string(k)))
	if err != nil {
		t.Fatal(err)
	}
	v = bytes.Clone(v)
	v[0] ^= 0x10
	if err := d.Put(ctx, ds.RawKey(string(k)), v); err != nil {
		t.Fatal(err)
	}
}

func runBatching(t *testing.T, steps int, open func(t *testing.T, dir string) ds.Batching) {
	f := &folders{open, make(map[string]ds.Batching)}
	openDB := func(t *testing.T, dir string, o datastore.Options) *datastore.DB {
		db, err := datastore.New(f.at(t, dir), datastore.Atomic, o)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	datastoretest.Run(t, openDB, datastoretest.Caps{Reopen: true, ReadOnly: true, Damage: f.damage, Steps: steps})
}

func TestBatchingMap(t *testing.T) {
	maps := make(map[string]ds.Batching)
	runBatching(t, 200, func(t *testing.T, dir string) ds.Batching {
		if maps[dir] == nil {
			maps[dir] = dssync.MutexWrap(ds.NewMapDatastore())
		}
		return maps[dir]
	})
}

func TestBatchingPebble(t *testing.T) {
	runBatching(t, 60, func(t *testing.T, dir string) ds.Batching {
		d, err := pebbleds.NewDatastore(dir, pebbleds.WithPebbleWriteOptions(pebble.Sync))
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestBatchingBadger(t *testing.T) {
	runBatching(t, 60, func(t *testing.T, dir string) ds.Batching {
		o := badger4.DefaultOptions
		o.GcInterval, o.SyncWrites, o.MemTableSize = 0, true, 8<<20
		d, err := badger4.NewDatastore(dir, &o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestNotAtomic(t *testing.T) {
	for _, a := range []datastore.Atomicity{0, 2} {
		if _, err := datastore.New(ds.NewMapDatastore(), a, datastore.Options{}); !errors.Is(err, datastore.ErrNotAtomic) {
			t.Errorf("atomicity %d: %v", a, err)
		}
	}
}

// TestKeysInDatastore checks that the keys are those that the go-datastore was given, and that each is found by the
// prefix of its group.
func TestKeysInDatastore(t *testing.T) {
	d := dssync.MutexWrap(ds.NewMapDatastore())
	db, err := datastore.New(d, datastore.Atomic, datastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	k := datastore.Group('k').Uint(7).Item().Bytes([]byte("..//\x00"))
	err = db.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.Set(k, []byte("v"))
		tx.SetBlock(k, []byte("b"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{string(k), "/_" + string(k[1:]), "/-/f"} {
		if has, err := d.Has(context.Background(), ds.RawKey(raw)); err != nil || !has {
			t.Errorf("key %q: %v, %v", raw, has, err)
		}
		if clean := ds.NewKey(raw).String(); clean != raw {
			t.Errorf("key %q is cleaned to %q", raw, clean)
		}
	}
}

func TestFormat(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		value string
		want  error
	}{
		"another version": {"2\x00\x00\x00\x00", datastore.ErrFormat},
		"damaged":         {"1\x00\x00\x00\x00", datastore.ErrCorrupt},
	} {
		d := ds.NewMapDatastore()
		k := datastore.Key("/-/f")
		v := []byte(c.value)
		if errors.Is(c.want, datastore.ErrFormat) {
			sum := datastore.Checksum(k, v[:1])
			v = append(v[:1], byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
		}
		if err := d.Put(ctx, ds.RawKey(string(k)), v); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{false, true} {
			if _, err := datastore.New(d, datastore.Atomic, datastore.Options{ReadOnly: readOnly}); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	d := ds.NewMapDatastore()
	db, err := datastore.New(d, datastore.Atomic, datastore.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if has, _ := d.Has(ctx, ds.RawKey("/-/f")); has {
		t.Error("a read-only open has written")
	}
}
