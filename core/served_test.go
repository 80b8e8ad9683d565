package core

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// gated is an engine whose syncs wait for a gate.
type gated struct {
	*pebble.Engine
	mu      sync.Mutex
	gate    chan struct{} // nil is open
	commits int
	durable bool  // the last one was
	broken  error // what syncs fail with
}

func (g *gated) Sync() error {
	g.mu.Lock()
	gate := g.gate
	g.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if err := g.brokenBy(); err != nil {
		return err
	}
	return g.Engine.Sync()
}

// fail has all syncs fail from now on.
func (g *gated) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken = err
}

func (g *gated) brokenBy() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

func (g *gated) Commit(b *datastore.Batch, durable bool) error {
	g.mu.Lock()
	g.commits++
	g.durable = durable
	g.mu.Unlock()
	return g.Engine.Commit(b, durable)
}

// shut closes the gate; open opens it.
func (g *gated) shut() (open func()) {
	gate := make(chan struct{})
	g.mu.Lock()
	g.gate = gate
	g.mu.Unlock()
	return sync.OnceFunc(func() {
		g.mu.Lock()
		g.gate = nil
		g.mu.Unlock()
		close(gate)
	})
}

func openGated(t *testing.T, d datastore.Durability) (*gated, *datastore.DB) {
	t.Helper()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	e, err := pebble.OpenEngine("store", pebble.Options{FS: mem})
	if err != nil {
		t.Fatal(err)
	}
	g := &gated{Engine: e}
	db := datastore.NewDB(g, datastore.Options{Durability: d})
	t.Cleanup(func() {
		if err := db.Close(); err != nil && g.brokenBy() == nil {
			t.Error(err)
		}
	})
	return g, db
}

// waiting is a source that tells of changes over a channel.
type waiting struct {
	*fakeSource
	told chan Change
}

func (w *waiting) Attach(c *Core) Session { return &waitingSession{fakeSession{w.fakeSource, c}, w} }

type waitingSession struct {
	fakeSession
	w *waiting
}

func (s *waitingSession) Changed(ch Change) { s.w.told <- ch }

// TestServedLags appends, cuts and clears while no sync ends: peers are shown nothing of it, and then all in order.
func TestServedLags(t *testing.T) {
	g, db := openGated(t, datastore.Process)
	s := &waiting{fakeSource: newFakeSource(nil, 1), told: make(chan Change, 100)}
	c := openCore(t, db, Options{Pair: pairOf(1), Derived: true, Source: s})
	mustAppend(t, c, numbered(0, 4)...)
	if ch := <-s.told; ch.Head != c.Head() || c.Served() != c.Head() {
		t.Fatalf("told %+v, served %v, head %v", ch, c.Served(), c.Head())
	}
	shown := c.Served()
	open := g.shut()
	defer open()
	mustAppend(t, c, numbered(4, 2)...)
	if err := c.Clear(t.Context(), 4, 5); err != nil {
		t.Fatal(err)
	}
	if c.Served() != shown || c.Head().Length != 6 {
		t.Fatalf("serves %v of %v", c.Served(), c.Head())
	}
	checkShown(t, c, 4)
	mustAppend(t, c, numbered(6, 1)...)
	if err := c.Truncate(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := c.Clear(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	if c.Served() != shown {
		t.Fatalf("serves %v of %v", c.Served(), c.Head())
	}
	_, err := c.Prove(t.Context(), &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 2}})
	wantErr(t, "proof of a fork that was left", err, ErrNotAvailable)
	_, err = c.Prove(t.Context(), &merkle.Request{ID: 1, Fork: 1, Upgrade: &merkle.UpgradeRequest{Length: 2}})
	wantErr(t, "proof of a fork that is not safe", err, ErrNotAvailable)
	open()
	want := []Change{
		{Head: Head{0, 6, c.Head().ByteLength}, Have: []Range{{4, 6}}}, {Head: Head{Length: 6}, Dropped: []Range{{4, 5}}},
		{Head: Head{Length: 7}, Have: []Range{{6, 7}}}, {Head: Head{Fork: 1, Length: 2}, Dropped: []Range{{2, 7}}},
		{Head: Head{Fork: 1, Length: 2}, Dropped: []Range{{0, 1}}},
	}
	for i, w := range want {
		ch := <-s.told
		if ch.Head.Fork != w.Head.Fork || ch.Head.Length != w.Head.Length || !slices.Equal(ch.Have, w.Have) || !slices.Equal(ch.Dropped, w.Dropped) {
			t.Fatalf("change %d: %+v, want %+v", i, ch, w)
		}
	}
	if c.Served() != c.Head() {
		t.Fatalf("serves %v of %v", c.Served(), c.Head())
	}
}

// checkShown asks for everything, and wants to be shown no more than n blocks.
func checkShown(t *testing.T, c *Core, n uint64) {
	t.Helper()
	p, err := c.Prove(t.Context(), &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: n}})
	if err != nil || len(p.Upgrade.Additional) > 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := merkle.CheckRemote(c.authority(), p); err != nil {
		t.Fatal(err)
	}
	_, err = c.Prove(t.Context(), &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: n + 1}})
	wantErr(t, "a longer upgrade", err, merkle.ErrInvalidUpgrade)
	_, err = c.Prove(t.Context(), &merkle.Request{ID: 1, Block: &merkle.BlockRequest{Index: n}})
	wantErr(t, "a later block", err, merkle.ErrOutOfBounds)
}

func (c *Core) authority() merkle.Authority { return c.log.authority() }

// TestServedWithoutSession proves to somebody while there is no session: that syncs first.
func TestServedWithoutSession(t *testing.T) {
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		g, db := openGated(t, d)
		o := Options{Pair: pairOf(1), Derived: true}
		c := openCore(t, db, o)
		mustAppend(t, c, numbered(0, 4)...)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		c = openCore(t, db, o)
		mustAppend(t, c, numbered(4, 1)...)
		open := g.shut()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Prove(ctx, &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 5}})
		wantErr(t, "prove", err, context.Canceled)
		open()
		p := mustProve(t, c, &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 5}})
		if _, err := merkle.CheckRemote(c.authority(), p); err != nil || c.Served() != c.Head() {
			t.Fatal(err, c.Served())
		}
	}
}

// TestServedAtOnce has no time pass between an append and its announcement but that of a sync.
func TestServedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := datastore.NewMemory(datastore.Options{Durability: datastore.Process})
		s := newFakeSource(nil, 1)
		c, err := Open(t.Context(), db, Options{Pair: pairOf(1), Derived: true, Source: s})
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(5) {
			mustAppend(t, c, numbered(i, 1)...)
			synctest.Wait() // the fake clock stands still
			if told := s.told(); c.Served() != c.Head() || uint64(len(told)) != i+1 || told[i].Head != c.Head() {
				t.Fatalf("serves %v of %v, told %+v", c.Served(), c.Head(), told)
			}
		}
		if err := errors.Join(c.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestGroupCommit has 64 goroutines append: each gets an index of its own, and they share commits.
func TestGroupCommit(t *testing.T) {
	const callers, each = 64, 12
	g, db := openGated(t, datastore.Full)
	c := openCore(t, db, Options{Pair: pairOf(1), Derived: true})
	at := make([][each]uint64, callers)
	before := g.commits
	parallel(callers, func(i int) {
		for k := range at[i] {
			var err error
			if at[i][k], err = c.Append(context.Background(), []byte{byte(i), byte(k)}, []byte("second")); err != nil {
				t.Error(err)
			}
		}
	})
	seen := map[uint64]bool{}
	for i := range at {
		for k, n := range at[i] {
			if seen[n] {
				t.Fatalf("index %d was given twice", n)
			}
			seen[n] = true
			mustGet(t, c, n, []byte{byte(i), byte(k)})
			mustGet(t, c, n+1, []byte("second"))
		}
	}
	if c.Head().Length != 2*callers*each {
		t.Fatal(c.Head())
	}
	if n := g.commits - before; n >= callers*each {
		t.Fatalf("%d commits for %d appends", n, callers*each)
	} else {
		t.Logf("%d commits for %d appends", n, callers*each)
	}
	mustVerify(t, c)
}

// TestSync waits until what was appended may be shown to peers.
func TestSync(t *testing.T) {
	for name, source := range map[string]Source{"with a session": &waiting{fakeSource: newFakeSource(nil, 1), told: make(chan Change, 100)}, "alone": nil} {
		t.Run(name, func(t *testing.T) {
			g, db := openGated(t, datastore.Process)
			c := openCore(t, db, Options{Pair: pairOf(1), Derived: true, Source: source})
			open := g.shut()
			defer open()
			mustAppend(t, c, numbered(0, 4)...)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			wantErr(t, "sync", c.Sync(ctx), context.Canceled)
			if c.Served().Length != 0 {
				t.Fatalf("serves %v", c.Served())
			}
			open()
			for n := range uint64(50) {
				mustAppend(t, c, numbered(4+n, 1)...)
				if err := c.Sync(t.Context()); err != nil || c.Served() != c.Head() {
					t.Fatalf("%v, serves %v of %v", err, c.Served(), c.Head())
				}
			}
		})
	}
}
