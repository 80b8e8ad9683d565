package replicate

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/internal/testnet"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// join connects two nodes by a link until stop is called.
func join(a, b *node, shape testnet.Shape) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	x, y := testnet.NewLink(shape, shape).Ends()
	var loops sync.WaitGroup
	for _, end := range []struct {
		node *node
		conn net.Conn
		open func(context.Context, net.Conn, secretstream.Options) (*secretstream.Conn, error)
	}{{a, x, secretstream.Client}, {b, y, secretstream.Server}} {
		loops.Go(func() {
			_ = serve(ctx, end.node, func() (mux.Conn, error) { return end.open(ctx, end.conn, secretstream.Options{}) })
		})
	}
	return func() { cancel(); loops.Wait() }
}

// gets reads blocks at random one after the other, and returns how long the slowest of a hundred took.
func gets(t *testing.T, c *core.Core, count int) time.Duration {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(count)))
	var took []time.Duration
	for range count {
		i := rng.Uint64N(c.Head().Length)
		for held, _ := c.Has(t.Context(), i, i+1); held; held, _ = c.Has(t.Context(), i, i+1) {
			i = rng.Uint64N(c.Head().Length)
		}
		start := time.Now()
		if _, err := c.Get(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// A get does not wait behind a bulk download on the same stream: not of the same core, and not of another.
func TestLatencyUnderBulk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(t, Options{}), newNode(t, Options{})
		small := b.open(corestore.Key(a.writer("small", 5000).Key()))
		w := a.open(corestore.Name("large"))
		const large, size = 1000, 64 << 10
		for i := range large {
			if _, err := w.Append(t.Context(), slices.Repeat([]byte{byte(i), byte(i >> 8)}, size/2)); err != nil {
				t.Fatal(err)
			}
		}
		bulk := b.open(corestore.Key(w.Key()))
		stop := join(a, b, testnet.Shape{Delay: 5 * time.Millisecond, Rate: 50 << 20})
		mustReach(t, small, 5000)
		mustReach(t, bulk, large)
		idle := gets(t, small, 300)
		ctx, cancel := context.WithCancel(t.Context())
		var load sync.WaitGroup
		load.Go(func() { _ = bulk.Download(ctx, whole(large)) })
		time.Sleep(200 * time.Millisecond) // until the window is full
		from, start := b.set.Core(w.DiscoveryKey()).Stats().BytesIn, time.Now()
		beside := gets(t, small, 30)
		rate := float64(b.set.Core(w.DiscoveryKey()).Stats().BytesIn-from) / time.Since(start).Seconds()
		cancel()
		load.Wait()
		stop()
		t.Logf("the slowest of a hundred: %v idle, %v beside a download of %.1f MiB/s", idle, beside, rate/(1<<20))
		if beside > 3*idle {
			t.Errorf("%v beside a download, %v else", beside, idle)
		}
		if rate < 25<<20 {
			t.Errorf("the download came at %.1f MiB/s only", rate/(1<<20))
		}
	})
}
