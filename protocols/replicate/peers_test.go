package replicate

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
	"github.com/hypernode/hypernode/protocols/wire"
)

func whole(n uint64) core.Want { return core.Want{Ranges: []core.Range{{Start: 0, End: n}}} }

// Several seeders: each block is asked once.
func TestSeeders(t *testing.T) {
	const n = 3000
	a := newNode(t, Options{})
	w := a.writer("log", n)
	seeders := []*node{a}
	for range 2 {
		b := newNode(t, Options{})
		conn := connect(t, a, b)
		if err := b.open(corestore.Key(w.Key())).Download(within(t), whole(n)); err != nil {
			t.Fatal(err)
		}
		conn.cut()
		seeders = append(seeders, b)
	}
	reader := newNode(t, Options{})
	r := reader.open(corestore.Key(w.Key()))
	var conns []*wired
	for _, s := range seeders {
		conns = append(conns, connect(t, reader, s))
	}
	if err := r.Download(within(t), whole(n)); err != nil {
		t.Fatalf("%v, contiguous %d", err, r.Contiguous())
	}
	waitStats(t, reader.set.Core(w.DiscoveryKey()), func(st Stats) bool { return st.BlocksIn >= n }) // counted after they are there
	for _, c := range conns {
		c.cut()
	}
	st := reader.set.Core(w.DiscoveryKey()).Stats()
	if st.BlocksIn < n || st.BlocksIn > n+n/10 { // a slow machine makes answers late, which are asked for again
		t.Errorf("%+v", st)
	}
}

// A relay passes on what it reads, while it reads.
func TestRelay(t *testing.T) {
	const n = 1000
	a, b, c := newNode(t, Options{}), newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", n)
	relay, r := b.open(corestore.Key(w.Key())), c.open(corestore.Key(w.Key()))
	connect(t, a, b)
	connect(t, b, c)
	done := make(chan error, 1)
	ctx := within(t)
	go func() { done <- r.Download(ctx, whole(n)) }()
	if err := relay.Download(within(t), whole(n)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("%v, contiguous %d", err, r.Contiguous())
	}
}

func TestUpload(t *testing.T) {
	a := newNode(t, Options{Upload: func([]byte, keys.DiscoveryKey) bool { return false }})
	b := newNode(t, Options{})
	w := a.writer("log", 5)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := r.Get(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestExtension(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 1)
	b.open(corestore.Key(w.Key()))
	got := make(chan string, 8)
	b.set.Core(w.DiscoveryKey()).Handle("greet", func(_ string, data []byte) { got <- string(data) })
	connect(t, a, b)
	mustReach(t, b.open(corestore.Key(w.Key())), 1)
	a.set.Core(w.DiscoveryKey()).Send("", "other", []byte("nobody hears"))
	a.set.Core(w.DiscoveryKey()).Send("", "greet", []byte("hello"))
	if s := <-got; s != "hello" {
		t.Error(s)
	}
}

// Two writers with one key: readers of either freeze when they meet, and keep a proof.
func TestConflict(t *testing.T) {
	pair := keys.PairFromSeed(keys.Seed{7})
	a, b, c := newNode(t, Options{}), newNode(t, Options{}), newNode(t, Options{})
	x, y := a.openPair(pair), b.openPair(pair)
	grow(t, x, 5)
	grow(t, y, 4)
	if _, err := y.Append(t.Context(), []byte("something else"), []byte("more")); err != nil {
		t.Fatal(err)
	}
	r := c.open(corestore.Key(x.Key()))
	first := connect(t, a, c)
	mustReach(t, r, 5)
	first.cut()
	connect(t, b, c)
	_, err := r.Get(within(t), 4)
	if r.Conflict() == nil {
		t.Fatalf("no conflict: %v, head %+v", err, r.Head())
	}
	if err := r.Conflict().Verify(core.OpenAuthority); err != nil {
		t.Error(err)
	}
}

func (n *node) openPair(p keys.Pair) *core.Core {
	n.t.Helper()
	ref := corestore.Pair(p)
	ref.Derived = true
	return n.open(ref)
}

// listener is the other end of a stream on which a test speaks itself.
type listener struct {
	at    chan time.Duration
	since time.Time
}

func (l *listener) Opened(*mux.Channel, []byte) error          { return nil }
func (l *listener) Message(*mux.Channel, uint64, []byte) error { return nil }
func (l *listener) Closed(_ *mux.Channel, err error)           { l.at <- time.Since(l.since) }

// A peer that does not know the key cannot tell a core that is here from one that is not.
func TestUnknownCore(t *testing.T) {
	a := newNode(t, Options{})
	w := a.writer("log", 5)
	x, y := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() {
		done <- serve(ctx, a, func() (mux.Conn, error) { return secretstream.Server(ctx, y, secretstream.Options{}) })
	}()
	conn, err := secretstream.Client(ctx, x, secretstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := mux.New(conn, mux.Options{})
	loops := make(chan error, 2)
	go func() { loops <- m.ReadLoop(ctx) }()
	go func() { loops <- m.WriteLoop(ctx) }()
	known, unknown := w.DiscoveryKey(), keys.DiscoveryKey{1}
	l := &listener{at: make(chan time.Duration, 2), since: time.Now()}
	for _, d := range []keys.DiscoveryKey{known, unknown} {
		spec := mux.Spec{Protocol: wire.Protocol, ID: d[:], Handshake: wire.Handshake{}.Append(nil)}
		if _, err := m.Open(spec, l); err != nil {
			t.Fatal(err)
		}
	}
	first, second := <-l.at, <-l.at
	if first < rejectAfter || second < rejectAfter {
		t.Errorf("rejected after %v and %v, either at once", first, second)
	}
	cancel()
	<-loops
	<-loops
	<-done
}
