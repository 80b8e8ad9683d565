package replicate

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// node is a store that replicates.
type node struct {
	t     testing.TB
	set   *Set
	db    *datastore.DB
	store *corestore.Store
}

func newNode(t testing.TB, o Options) *node {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	n := &node{t: t, set: New(o), db: db}
	primary, err := keys.NewPrimaryKey()
	if err != nil {
		t.Fatal(err)
	}
	n.store, err = corestore.Open(t.Context(), db, corestore.Options{Source: n.set, PrimaryKey: primary})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.store.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *node) open(ref corestore.Ref) *core.Core {
	n.t.Helper()
	c, err := n.store.Open(n.t.Context(), ref)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// writer makes a core of count blocks.
func (n *node) writer(name string, count int) *core.Core {
	n.t.Helper()
	c := n.open(corestore.Name(name))
	grow(n.t, c, count)
	return c
}

func block(i uint64) []byte { return fmt.Appendf(nil, "this is block %d", i) }

func grow(t testing.TB, c *core.Core, count int) {
	t.Helper()
	var blocks [][]byte
	for i := range uint64(count) {
		blocks = append(blocks, block(c.Head().Length+i))
	}
	if count == 0 {
		return
	}
	if _, err := c.Append(t.Context(), blocks...); err != nil {
		t.Fatal(err)
	}
}

// wire is a connection of two nodes.
type wired struct {
	cancel context.CancelFunc
	loops  sync.WaitGroup
	errs   [2]error
}

// connect connects two nodes until the test ends, or cut is called.
func connect(t testing.TB, a, b *node) *wired {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &wired{cancel: cancel}
	x, y := net.Pipe()
	w.loops.Go(func() {
		w.errs[0] = serve(ctx, a, func() (mux.Conn, error) { return secretstream.Client(ctx, x, secretstream.Options{}) })
	})
	w.loops.Go(func() {
		w.errs[1] = serve(ctx, b, func() (mux.Conn, error) { return secretstream.Server(ctx, y, secretstream.Options{}) })
	})
	t.Cleanup(w.cut)
	return w
}

func (w *wired) cut() {
	w.cancel()
	w.loops.Wait()
}

func serve(ctx context.Context, n *node, open func() (mux.Conn, error)) error {
	conn, err := open()
	if err != nil {
		return err
	}
	return n.set.Serve(ctx, conn, n.store.Find)
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func mustGet(t testing.TB, c *core.Core, i uint64, want []byte) {
	t.Helper()
	if got, err := c.Get(within(t), i); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("block %d is %q (%v), want %q", i, got, err, want)
	}
}

// mustReach waits until a core has at least a length.
func mustReach(t testing.TB, c *core.Core, length uint64) {
	t.Helper()
	ctx := within(t)
	for h := c.Head(); h.Length < length; {
		var err error
		if h, err = c.Wait(ctx, h); err != nil {
			t.Fatalf("waiting for length %d at %d: %v", length, c.Head().Length, err)
		}
	}
}
