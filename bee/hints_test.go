package bee

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

func memoryPair() keys.Pair { return keys.PairFromSeed(keys.Seed{1}) }

// TestHintGet looks up keys in a cold copy of a bee over a line of 50 ms: from a holder who sends what a key takes, each
// lookup costs one round trip or none, from one who only tells its numbers, two.
func TestHintGet(t *testing.T) {
	for _, gifts := range []bool{true, false} {
		t.Run(fmt.Sprintf("gifts=%v", gifts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { lookAfar(t, gifts) })
		})
	}
}

func lookAfar(t *testing.T, gifts bool) {
	const n, trip = 2000, 50 * time.Millisecond
	_, b, w, r := remote(t, n, gifts)
	if err := b.Core().Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.delay(trip / 2)
	r.delay(trip / 2)
	for i := range 50 {
		k := i * 37 % n
		start := time.Now()
		r.forget()
		wantGet(t, b, fmt.Sprintf("k%05d", k), fmt.Appendf(nil, "v%d", k))
		took := time.Since(start)
		if limit := trip; took > limit && (gifts || took > 2*limit) {
			t.Errorf("lookup %d took %v", i, took)
		}
		if r.told() > 1 {
			t.Errorf("lookup %d took %d hints", i, r.told())
		}
	}
	if gifts != (w.given() > 0) {
		t.Errorf("%d blocks were given", w.given())
	}
	r.wait()
	w.wait()
}

// TestHintScan reads all of a cold copy: the requests are far fewer than the blocks.
func TestHintScan(t *testing.T) {
	const n = 1000
	_, b, _, r := remote(t, n, true)
	for _, reverse := range []bool{false, true} {
		if list := mustAll(t, b, Range{Reverse: reverse}); len(list) != n {
			t.Fatalf("%d entries, want %d", len(list), n)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	iterators := 0
	for _, m := range r.hints {
		if m.iterator != nil {
			iterators++
		}
	}
	if iterators == 0 || iterators > 3 {
		t.Errorf("%d hints", iterators)
	}
}

// TestScanAfar reads a cold copy over a line of 50 ms: from holders that give blocks, that tell their numbers, and that do
// neither, where only fetching ahead helps.
func TestScanAfar(t *testing.T) {
	for name, limit := range map[string]time.Duration{"gifts": 300 * time.Millisecond, "hints": 500 * time.Millisecond, "silence": 12 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { scanAfar(t, name, limit) })
		})
	}
}

func scanAfar(t *testing.T, name string, limit time.Duration) {
	const n, trip = 2400, 50 * time.Millisecond
	writer, b, w, r := remote(t, n, name == "gifts")
	if name == "silence" {
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Core().Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.delay(trip / 2)
	r.delay(trip / 2)
	start := time.Now()
	if list := mustAll(t, b, Range{}); len(list) != n {
		t.Fatalf("%d entries, want %d", len(list), n)
	}
	if d := time.Since(start); d > limit {
		t.Errorf("%d entries took %v and %d requests", n, d, r.trips)
	} else {
		t.Logf("%d entries took %v and %d requests", n, d, r.trips)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	r.wait()
	w.wait()
}

// TestHintUnasked sends an answer that nobody asked for: nothing is fetched.
func TestHintUnasked(t *testing.T) {
	_, b, _, r := remote(t, 500, false)
	if err := b.Core().Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := message{cache: &cached{start: 1, end: 101, blocks: []uint64{1, 2, 3, 100}}}
	r.handler("peer", m.payload())
	r.handler("peer", []byte{0xff})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if r.requests != 0 {
		t.Errorf("%d blocks were fetched", r.requests)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handler != nil {
		t.Error("the bee still listens")
	}
}

func TestOffline(t *testing.T) {
	_, b, _, r := remote(t, 500, false)
	if err := b.Core().Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("no peer")
	far := coreIn(t, memoryDB(t), core.Options{Key: b.Core().Key(), Source: broken{r, lost}})
	_, err := openBee(t, far, Options{}).Get(t.Context(), []byte("k"))
	wantErr(t, "get without a peer", err, lost)
}

type broken struct {
	*wire
	err error
}

func (x broken) Attach(*core.Core) core.Session                { return x }
func (x broken) Fetch(context.Context, core.Want) error        { return x.err }
func (x broken) Send(_, _ string, _ []byte)                    {}
func (x broken) Handle(string, func(peer string, data []byte)) {}
