package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/internal/testnet"
)

// afarKeys is how many keys a bee far away has: 2,000, or what HYPERNODE_BEE_KEYS says; then times count.
func afarKeys() (n int, counts bool) {
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_BEE_KEYS")); err == nil && n > 0 {
		return n, true
	}
	return 2000, false
}

// TestBeeAfar looks up keys in a bee of a JavaScript writer, over a line of 50 ms there and back, that were not seen before, and
// then reads some in order. Of 100,000 keys half are to be found in 110 ms.
func TestBeeAfar(t *testing.T) {
	const trip = 50 * time.Millisecond
	n, counts := afarKeys()
	deadline, gets := 2*cellDeadline, 20
	if counts {
		deadline, gets = 5*time.Minute, 100
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	c := &cell{t: t, ctx: ctx}
	peer := Start(t)
	node, store := NewNode(t), peer.Store(t)
	w := c.open(store, Spec{Name: "bee"})
	j, err := openJSBee(c.ctx, peer, w)
	c.must(err)
	for i := 0; i < n; i += 1000 {
		group := make([]beeOp, min(1000, n-i))
		for k := range group {
			group[k] = beeOp{Key: fmt.Appendf(nil, "key-%010d", i+k), Value: slices.Repeat([]byte{byte(k)}, 100)}
		}
		c.must(j.apply(c.ctx, [][]beeOp{group}))
	}
	r := c.open(node, Spec{Key: c.state(w).Key})
	shape := testnet.Shape{Delay: trip / 2}
	link, err := connect(c.ctx, c.framing, node, store, func(port int) (int, error) {
		proxy := testnet.NewProxy(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), shape, shape)
		_, text, err := net.SplitHostPort(proxy.Addr())
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(text)
	})
	c.must(err)
	t.Cleanup(func() { closeConnection(t, link.Close) })
	c.must(r.Reach(c.ctx, 0, c.state(w).Length))
	b, err := bee.Open(c.ctx, Core(r))
	c.must(err)
	defer b.Close()
	seed := rand.Uint64()
	rng, took := rand.New(rand.NewPCG(seed, 0)), make([]time.Duration, gets)
	for i := range took {
		key, start := fmt.Appendf(nil, "key-%010d", rng.IntN(n)), time.Now()
		if e, err := b.Get(c.ctx, key); err != nil || len(e.Value) != 100 {
			t.Fatalf("seed %d: %s: %d bytes, %v", seed, key, len(e.Value), err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	t.Logf("seed %d: half of the lookups took %v, all but one %v; JavaScript: 144 ms", seed, took[len(took)/2], took[len(took)-2])
	if p50 := took[len(took)/2]; counts && p50 > 110*time.Millisecond {
		t.Errorf("half of the lookups took %v", p50)
	}
	start, left := time.Now(), 2000
	for _, err := range b.Range(c.ctx, bee.Range{Limit: left}) {
		c.must(err)
		left--
	}
	t.Logf("2,000 entries in %v; JavaScript: 3.3 s", time.Since(start))
	if left != 0 {
		t.Errorf("%d entries are missing", left)
	}
}
