package bee

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/internal/testnet"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// end is a store with a set of cores that it replicates.
type end struct {
	db    *datastore.DB
	store *corestore.Store
	set   *replicate.Set
}

func newEnd(tb testing.TB, db *datastore.DB, primary byte) *end {
	tb.Helper()
	set := replicate.New(replicate.Options{})
	key := keys.PrimaryKey(bytes.Repeat([]byte{primary}, 32))
	s, err := corestore.Open(tb.Context(), db, corestore.Options{PrimaryKey: key, Source: set})
	if err != nil {
		tb.Fatal(err)
	}
	return &end{db, s, set}
}

func (e *end) close() error { return errors.Join(e.store.Close(), e.db.Close()) }

// joinEnds has two stores replicate over a link that takes trip there and back, until leave is called.
func joinEnds(a, b *end, trip time.Duration) (leave func()) {
	shape := testnet.Shape{Delay: trip / 2}
	link := testnet.NewLink(shape, shape)
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	names := [2][]byte{[]byte("writer"), []byte("reader")}
	serve := func(e *end, conn *testnet.Conn, me int) {
		o := mux.FramedOptions{LocalPeer: names[me], RemotePeer: names[1-me], Initiator: me == 1}
		if framed, err := mux.NewFramed(ctx, conn, o); err == nil {
			_ = e.set.Serve(ctx, framed, e.store.Find) // it ends when they leave
		}
	}
	x, y := link.Ends()
	work.Go(func() { serve(a, x, 0) })
	work.Go(func() { serve(b, y, 1) })
	return func() {
		cancel()
		link.Cut()
		work.Wait()
	}
}

func diskDB(tb testing.TB, dir string) *datastore.DB {
	tb.Helper()
	db, err := pebble.Open(dir, pebble.Options{Options: datastore.Options{Durability: datastore.Process}})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}
