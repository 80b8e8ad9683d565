package node_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/node"
)

// TestFirstSeederDies takes the only complete copy away in the midst of a download, once a second one is complete: the
// download goes on from there.
func TestFirstSeederDies(t *testing.T) {
	boot := start(t, local())
	a, s := start(t, local(boot)), start(t, local(boot))
	written, err := a.Open(t.Context(), corestore.Name("bulk"))
	if err != nil {
		t.Fatal(err)
	}
	const blocks = 400
	for range blocks / 100 {
		batch := make([][]byte, 100)
		for i := range batch {
			batch[i] = make([]byte, 16<<10)
		}
		if _, err := written.Append(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Seed(t.Context(), written.Key(), node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the second copy", func() bool { x, _ := seeded(s, written.Key()); return x.Contiguous == blocks })
	b := start(t, local(boot))
	c, err := b.Core(t.Context(), written.Key(), a.info())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := b.Joined(ctx, c.DiscoveryKey()); err != nil {
		t.Fatal(err)
	}
	if err := c.Update(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: blocks / 2}}}); err != nil {
		t.Fatal(err)
	}
	written.Close()
	a.stop()
	if err := c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: blocks}}}); err != nil {
		t.Fatal(err)
	}
}

// TestChurn kills and replaces a third of the nodes again and again, while others fetch: each comes to its end.
// HYPERNODE_CHURN is how many nodes there are, and how many seconds it takes.
func TestChurn(t *testing.T) {
	n, seconds, rest := 6, 2, time.Duration(0)
	if text := os.Getenv("HYPERNODE_CHURN"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		seconds, rest = n, 3*time.Second
	}
	boot := start(t, local())
	origin := start(t, local(boot))
	written := origin.write(t, "core", 20)
	var nodes []*running
	for range n {
		nodes = append(nodes, seeder(t, boot, written.Key()))
	}
	gets := 0
	for began := time.Now(); time.Since(began) < time.Duration(seconds)*time.Second; gets++ {
		turn := time.Now()
		for i := range max(n/3, 1) {
			at := (gets*n/3 + i) % n
			nodes[at].stop()
			nodes[at] = seeder(t, boot, written.Key())
		}
		r := start(t, local(boot))
		fetch := time.Now()
		r.read(t, written)
		t.Logf("replaced in %v, fetched in %v", fetch.Sub(turn), time.Since(fetch))
		r.stop()
		time.Sleep(rest)
	}
	t.Logf("%d gets over %d nodes", gets, n)
}
