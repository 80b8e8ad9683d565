package replicate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

func TestGet(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 100)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	for _, i := range []uint64{0, 99, 50, 3} {
		mustGet(t, r, i, block(i))
	}
	if r.TreeHash() != w.TreeHash() {
		t.Error("other tree hash")
	}
}

func TestUpdate(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 7)
	r := b.open(corestore.Key(w.Key()))
	if err := r.Update(within(t)); err != nil || r.Head().Length != 0 {
		t.Errorf("update without peers: %v, length %d", err, r.Head().Length)
	}
	connect(t, a, b)
	mustReach(t, r, 7)
	if err := r.Update(within(t)); err != nil {
		t.Error(err)
	}
}

func TestDownload(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	const n = 5000
	w := a.writer("log", n)
	r := b.open(corestore.Key(w.Key()))
	conn := connect(t, a, b)
	var last uint64
	var meter core.Meter
	want := core.Want{Ranges: []core.Range{{Start: 0, End: n}}, Meter: &meter, Progress: func(done, _ uint64) { last = done }}
	if err := r.Download(within(t), want); err != nil {
		t.Fatalf("%v, contiguous %d", err, r.Contiguous())
	}
	if r.Contiguous() != n || last != n {
		t.Errorf("contiguous %d, progress %d", r.Contiguous(), last)
	}
	if p := meter.Progress(); p.Blocks != n || p.Total != n || p.Bytes != r.Head().ByteLength || p.Peers != 1 || p.Left != 0 {
		t.Errorf("%+v of %d bytes", p, r.Head().ByteLength)
	}
	waitStats(t, b.set.Core(w.DiscoveryKey()), func(st Stats) bool { return st.BlocksIn == n }) // counted after they are there
	conn.cut()
	st := b.set.Core(w.DiscoveryKey()).Stats()
	if st.BlocksIn != n || st.Refused > 0 {
		t.Errorf("stats %+v", st)
	}
	report, err := r.Verify(t.Context())
	if err != nil || !report.OK() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// What is downloaded by a list is what the list names.
func TestDownloadList(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 200)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	last := uint64(0)
	want := core.Want{Blocks: []uint64{150, 3, 4, 199, 77}, Progress: func(done, total uint64) { last = 10*total + done }}
	if err := r.Download(within(t), want); err != nil {
		t.Fatal(err)
	}
	held, err := r.Held(t.Context(), 0, 200)
	if want := []core.Range{{Start: 3, End: 5}, {Start: 77, End: 78}, {Start: 150, End: 151}, {Start: 199, End: 200}}; err != nil || !slices.Equal(held, want) {
		t.Errorf("holds %v (%v), want %v", held, err, want)
	}
	if last != 55 {
		t.Errorf("progress %d", last)
	}
}

func TestLive(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 3)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	ctx := within(t)
	var i uint64
	for got, err := range r.Live(ctx, 0) {
		if err != nil || string(got) != string(block(i)) {
			t.Fatalf("block %d: %q, %v", i, got, err)
		}
		if i++; i == 20 {
			break
		}
		if i >= 3 {
			grow(t, w, 1)
		}
	}
}

func TestTruncate(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 40)
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	if err := r.Download(within(t), core.Want{Ranges: []core.Range{{Start: 0, End: 40}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Truncate(t.Context(), 17); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), []byte("other"), []byte("things")); err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	for h := r.Head(); r.TreeHash() != w.TreeHash(); {
		var err error
		if h, err = r.Wait(ctx, h); err != nil {
			t.Fatalf("%v at %+v", err, r.Head())
		}
	}
	mustGet(t, r, 17, []byte("other"))
	mustGet(t, r, 18, []byte("things"))
	mustGet(t, r, 5, block(5))
}

func TestManyCores(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	var readers []*core.Core
	connect(t, a, b)
	for i := range 10 {
		w := a.writer(string(rune('a'+i)), 20+i)
		key := w.Key()
		if i%2 == 0 { // found by its discovery key when it is not open
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		readers = append(readers, b.open(corestore.Key(key)))
	}
	for i, r := range readers {
		if err := r.Download(within(t), core.Want{Ranges: []core.Range{{Start: 0, End: uint64(20 + i)}}}); err != nil {
			t.Errorf("core %d: %v", i, err)
		}
	}
}

func TestCleared(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 300)
	r := b.open(corestore.Key(w.Key()))
	if err := w.Clear(t.Context(), 100, 200); err != nil {
		t.Fatal(err)
	}
	connect(t, a, b)
	mustGet(t, r, 250, block(250))
	mustGet(t, r, 99, block(99))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := r.Get(ctx, 150); !errors.Is(err, core.ErrNotAvailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cleared block: %v", err)
	}
	if st := b.set.Core(w.DiscoveryKey()).Stats(); st.Unavailable > 0 {
		t.Errorf("asked for what was not announced: %+v", st)
	}
}

func TestReconnect(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w := a.writer("log", 2000)
	r := b.open(corestore.Key(w.Key()))
	conn := connect(t, a, b)
	done := make(chan error, 1)
	ctx := within(t)
	go func() { done <- r.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: 2000}}}) }()
	mustGet(t, r, 10, block(10))
	conn.cut()
	connect(t, a, b)
	if err := <-done; err != nil {
		t.Errorf("%v, contiguous %d", err, r.Contiguous())
	}
}
