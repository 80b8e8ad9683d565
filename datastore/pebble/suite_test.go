package pebble_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/datastoretest"
	"github.com/hypernode/hypernode/datastore/pebble"
)

func open(t *testing.T, dir string, o datastore.Options) *datastore.DB {
	db, err := pebble.Open(dir, pebble.Options{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// damage flips a bit of a record's or block's value and leaves the checksum as it was.
func damage(t *testing.T, dir string, k datastore.Key, block bool) {
	t.Helper()
	e, err := pebble.OpenEngine(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.BlockReader()
	if err != nil {
		t.Fatal(err)
	}
	op := datastore.Op{Kind: datastore.OpSet, Key: k}
	if block {
		op.Kind = datastore.OpSetBlock
		op.Value, err = r.Block(k)
		op.Sum = datastore.Checksum(k, op.Value)
	} else {
		op.Value, err = r.Get(k)
	}
	if err != nil {
		t.Fatal(err)
	}
	op.Value[0] ^= 1
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Commit(&datastore.Batch{Ops: []datastore.Op{op}}, true); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	datastoretest.Run(t, open, datastoretest.Caps{Reopen: true, ReadOnly: true, Secrets: true, Damage: damage, Steps: 300})
}
