package evilpeer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/replicate"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// wanted is how many blocks the victim reads.
const wanted = 300

func wantedBlock(i uint64) []byte { return []byte(strings.Repeat(fmt.Sprintf("%7d,", i), 512)) }

// honest is a peer that gives the victim a core, and reads the one that it serves.
type honest struct {
	set   *replicate.Set
	store *corestore.Store
	gives *core.Core
	old   *merkle.Proof // of half of it
	reads *core.Core
	work  sync.WaitGroup
	stop  context.CancelFunc
	ended chan error // of the stream
}

func newHonest(t *testing.T, serves keys.Key) *honest {
	t.Helper()
	ctx := t.Context()
	db := datastore.NewMemory(datastore.Options{})
	h := &honest{set: replicate.New(replicate.Options{}), stop: func() {}, ended: make(chan error, 1)}
	primary, err := keys.NewPrimaryKey()
	if err != nil {
		t.Fatal(err)
	}
	if h.store, err = corestore.Open(ctx, db, corestore.Options{Source: h.set, PrimaryKey: primary}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.stop()
		h.work.Wait()
		h.store.Close()
		db.Close()
	})
	if h.gives, err = h.store.Open(ctx, corestore.Name("given")); err != nil {
		t.Fatal(err)
	}
	var blocks [][]byte
	for i := range uint64(wanted) {
		blocks = append(blocks, wantedBlock(i))
	}
	if _, err := h.gives.Append(ctx, blocks[:wanted/2]...); err != nil {
		t.Fatal(err)
	}
	if h.old, err = h.gives.Prove(ctx, &merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: wanted / 2}, Manifest: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.gives.Append(ctx, blocks[wanted/2:]...); err != nil {
		t.Fatal(err)
	}
	if h.reads, err = h.store.Open(ctx, corestore.Key(serves)); err != nil {
		t.Fatal(err)
	}
	return h
}

// connect serves over one stream to the victim, until leave.
func (h *honest) connect(ctx context.Context, addr string) error {
	ctx, h.stop = context.WithCancel(ctx)
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	conn, err := secretstream.Client(ctx, raw, secretstream.Options{})
	if err != nil {
		return err
	}
	h.work.Go(func() { h.ended <- h.set.Serve(ctx, conn, h.store.Find) })
	return nil
}

func (h *honest) leave() {
	h.stop()
	h.work.Wait()
}

// read downloads what the victim serves.
func (h *honest) read(ctx context.Context) error {
	return h.reads.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: served}}})
}
