package replicate

import (
	"context"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
)

// waitStats waits until what was counted about a core is as it should be.
func waitStats(t testing.TB, r *Replicator, ok func(Stats) bool) {
	t.Helper()
	ctx := within(t)
	for !ok(r.Stats()) {
		select {
		case <-ctx.Done():
			t.Fatalf("%+v", r.Stats())
		case <-time.After(time.Millisecond):
		}
	}
}

// A gift brings blocks that nobody asked for, with the head that they need.
func TestPush(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 20)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	mustReach(t, r, 20)
	ctx := within(t)
	for s := a.set.Core(w.DiscoveryKey()); len(s.Peers()) == 0 || s.Peers()[0].Length < 20; {
		if ctx.Err() != nil {
			t.Fatal("the reader's length is not known")
		}
	}
	w.Push("", []uint64{3, 4, 17, 99})
	session := b.set.Core(w.DiscoveryKey())
	waitStats(t, session, func(s Stats) bool { return s.Gifts == 3 })
	for _, i := range []uint64{3, 4, 17} {
		if ok, err := r.Has(t.Context(), i, i+1); err != nil || !ok {
			t.Errorf("block %d: %v, %v", i, ok, err)
		}
	}
	if s := session.Stats(); s.Refused > 0 {
		t.Errorf("%+v", s)
	}
}

// Who takes no gifts is sent none.
func TestNoPush(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{NoPush: true})
	w := a.writer("log", 20)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	mustReach(t, r, 20)
	w.Push("", []uint64{3})
	mustGet(t, r, 5, block(5))
	if s := b.set.Core(w.DiscoveryKey()).Stats(); s.Gifts > 0 || s.Unasked > 0 {
		t.Errorf("%+v", s)
	}
}

// A slow rate holds a download back, and no block is lost by it.
func TestRate(t *testing.T) {
	a, b := newNode(t, Options{UploadRate: NewRate(200_000, 1000)}), newNode(t, Options{DownloadRate: NewRate(200_000, 1000)})
	w := a.writer("log", 500)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	if err := r.Download(within(t), whole(500)); err != nil {
		t.Fatal(err)
	}
}

// Blocks that are read one by one overtake others, and are held back too when they are more than the rate allows.
func TestRateOfUrgentBlocks(t *testing.T) {
	const rate, size, count = 100_000, 20_000, 20
	for name, o := range map[string][2]Options{
		"upload":   {{UploadRate: NewRate(rate, 0)}, {}},
		"download": {{}, {DownloadRate: NewRate(rate, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newNode(t, o[0]), newNode(t, o[1])
			w := a.open(corestore.Name("log"))
			for range count {
				if _, err := w.Append(t.Context(), make([]byte, size)); err != nil {
					t.Fatal(err)
				}
			}
			r := b.open(corestore.Key(w.Key()))
			connect(t, a, b)
			mustReach(t, r, count)
			began := time.Now()
			for i := range uint64(count) {
				mustGet(t, r, i, make([]byte, size))
			}
			// Four seconds' worth, of which one may be ahead of the rate, and what is under way counts when it has come.
			if took := time.Since(began); took < 2*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestRateTake(t *testing.T) {
	r := NewRate(1000, 500)
	if d := r.Take(400); d != 0 {
		t.Errorf("within the burst: %v", d)
	}
	if d := r.Take(1100); d < 900*time.Millisecond || d > 1100*time.Millisecond {
		t.Errorf("1000 bytes beyond it: %v", d)
	}
	if d := NewRate(0, 0).Take(1 << 30); d != 0 {
		t.Errorf("without a limit: %v", d)
	}
}

// Who may not upload says so, and is asked for nothing.
func TestUploadRefused(t *testing.T) {
	a := newNode(t, Options{Upload: func([]byte, keys.DiscoveryKey) bool { return false }})
	b := newNode(t, Options{})
	w := a.writer("log", 5)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	session := b.set.Core(w.DiscoveryKey())
	if err := session.Joined(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := r.Update(within(t)); err != nil || r.Head().Length != 0 {
		t.Errorf("%v, %v", r.Head(), err)
	}
	if s := session.Stats(); s.Unavailable > 0 {
		t.Errorf("%+v", s)
	}
}

// A writer opens a channel for its core, of which it wants nothing, to whom the option names: the peer need not ask.
func TestWriterOffers(t *testing.T) {
	a := newNode(t, Options{Seek: func(_ []byte, _ keys.DiscoveryKey, wanted bool) bool { return !wanted }})
	b := newNode(t, Options{Seek: func([]byte, keys.DiscoveryKey, bool) bool { return false }})
	w := a.writer("log", 5)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	mustReach(t, r, 5)
}

// A peer is asked for a core when the option says so.
func TestSeekOption(t *testing.T) {
	ask := make(chan bool, 1)
	b := newNode(t, Options{Seek: func([]byte, keys.DiscoveryKey, bool) bool {
		select {
		case yes := <-ask:
			return yes
		default:
			return false
		}
	}})
	a := newNode(t, Options{})
	w := a.writer("log", 5)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	ctx := within(t)
	for b.set.Streams() == 0 {
		if ctx.Err() != nil {
			t.Fatal("no stream")
		}
	}
	ask <- true
	b.set.Seek(b.set.list()[0].remote, w.DiscoveryKey())
	mustReach(t, r, 5)
}

// A stream that is given up ends in order.
func TestRetire(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 300)
	r := b.open(corestore.Key(w.Key()))
	conn := connect(t, a, b)
	if err := r.Download(within(t), whole(300)); err != nil {
		t.Fatal(err)
	}
	a.set.Retire(a.set.list()[0].mux.Conn())
	conn.loops.Wait()
	if conn.errs[0] != nil || conn.errs[1] != nil {
		t.Error(conn.errs)
	}
}

func TestPeers(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 50)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	if err := r.Download(within(t), whole(50)); err != nil {
		t.Fatal(err)
	}
	waitStats(t, b.set.Core(w.DiscoveryKey()), func(st Stats) bool { return st.BlocksIn == 50 })
	list := b.set.Core(w.DiscoveryKey()).Peers()
	if len(list) != 1 || list[0].Length != 50 || list[0].Blocks != 50 || list[0].BlocksIn != 50 || list[0].RoundTrip == 0 {
		t.Errorf("%+v", list)
	}
}

// What is asked of a core that has no peers waits, and Joined with it.
func TestJoinedEnds(t *testing.T) {
	n := newNode(t, Options{})
	c := n.writer("log", 1)
	session := n.set.Core(c.DiscoveryKey())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := session.Joined(ctx); err != context.Canceled {
		t.Error(err)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	if err := session.Joined(t.Context()); err != core.ErrClosed {
		t.Error(err)
	}
}
