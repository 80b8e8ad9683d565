package replicate

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// disk is a datastore whose batches fail once it is full.
type disk struct {
	*dssync.MutexDatastore
	full atomic.Bool
}

func (d *disk) Batch(ctx context.Context) (ds.Batch, error) {
	b, err := d.MutexDatastore.Batch(ctx)
	return diskBatch{b, d}, err
}

type diskBatch struct {
	ds.Batch
	disk *disk
}

func (b diskBatch) Commit(ctx context.Context) error {
	if b.disk.full.Load() {
		return syscall.ENOSPC
	}
	return b.Batch.Commit(ctx)
}

// reconnect connects two nodes again whenever their connection ends, until the test does.
func reconnect(t *testing.T, a, b *node) {
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() {
		for ctx.Err() == nil {
			w := connect(t, a, b)
			stop := context.AfterFunc(ctx, w.cancel)
			w.loops.Wait()
			stop()
		}
	})
	t.Cleanup(func() {
		cancel()
		loop.Wait()
	})
}

// What is wanted fails when the disk is full: peers are not asked for it again and again, and nobody waits for it.
func TestFullDisk(t *testing.T) {
	d := &disk{MutexDatastore: dssync.MutexWrap(ds.NewMapDatastore())}
	db, err := datastore.New(d, datastore.Atomic, datastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader := &node{t: t, set: New(Options{})}
	reader.store, err = corestore.Open(t.Context(), db, corestore.Options{Source: reader.set, PrimaryKey: keys.PrimaryKey{1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(reader.store.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	writer := newNode(t, Options{})
	log := writer.writer("log", 10)
	c := reader.open(corestore.Key(log.Key()))
	reconnect(t, writer, reader)
	mustGet(t, c, 0, block(0))
	d.full.Store(true)
	if _, err := c.Get(within(t), 1); !errors.Is(err, datastore.ErrNoSpace) {
		t.Errorf("a block: %v", err)
	}
	if err := c.Download(within(t), core.Want{Ranges: []core.Range{{End: 10}}}); !errors.Is(err, datastore.ErrNoSpace) {
		t.Errorf("a download: %v", err)
	}
	d.full.Store(false)
	if err := c.Download(within(t), core.Want{Ranges: []core.Range{{End: 10}}}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	mustGet(t, c, 9, block(9))
}
