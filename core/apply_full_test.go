package core

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// filling is an engine that takes nothing once it is full.
type filling struct {
	*pebble.Engine
	full atomic.Bool
}

func (f *filling) Commit(b *datastore.Batch, durable bool) error {
	if f.full.Load() {
		return datastore.ErrNoSpace
	}
	return f.Engine.Commit(b, durable)
}

// What was verified and could not be stored is not told to be stored.
func TestApplyWithoutRoom(t *testing.T) {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	e, err := pebble.OpenEngine("store", pebble.Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	disk := &filling{Engine: e}
	db := datastore.NewDB(disk, datastore.Options{})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	writer := newWriter(t, 1, numbered(0, 4)...)
	reader := openCore(t, db, Options{Key: writer.Key()})
	upgrade(t, writer, reader)
	proof, err := writer.Prove(t.Context(), blockRequest(t, reader, 2))
	if err != nil {
		t.Fatal(err)
	}
	disk.full.Store(true)
	verdicts, err := reader.Apply(t.Context(), proof)
	if !errors.Is(err, datastore.ErrNoSpace) || len(verdicts) != 1 || verdicts[0] != (Verdict{}) {
		t.Fatalf("%+v, %v", verdicts, err)
	}
	disk.full.Store(false)
	if v := apply(t, reader, proof); !v.Applied || v.Err != nil {
		t.Fatalf("%+v", v)
	}
	mustGet(t, reader, 2, numbered(0, 4)[2])
}
