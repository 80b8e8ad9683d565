package interop

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
)

// group is a test of more than two sides, over each framing.
func group(t *testing.T, processes int, run func(c *cell, peers []*Peer)) {
	peers := make([]*Peer, processes)
	for i := range peers {
		peers[i] = Start(t)
	}
	for _, f := range []Framing{SecretStream, Framed} {
		t.Run(f.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*cellDeadline)
			defer cancel()
			c := &cell{t: t, ctx: ctx, framing: f}
			defer c.explain()
			run(c, peers)
		})
	}
}

// bulk returns blocks of 4 KiB.
func bulk(count int) [][]byte {
	list := make([][]byte, count)
	for i := range list {
		list[i] = bytes.Repeat(fmt.Appendf(nil, "%08d", i), 512)
	}
	return list
}

// TestFourSeeders reads from four stores with the same log: what one key signs of the same blocks is the same.
func TestFourSeeders(t *testing.T) {
	group(t, 4, func(c *cell, peers []*Peer) {
		const count = 400
		reader := NewNode(c.t)
		var seeds []*Store
		var logs []Log
		for _, p := range peers {
			s := p.Store(c.t)
			l := c.open(s, Spec{Signer: keys.Seed{4}})
			c.must(l.Append(c.ctx, bulk(count)...))
			seeds, logs = append(seeds, s), append(logs, l)
		}
		r := c.open(reader, Spec{Key: c.state(logs[0]).Key})
		for _, s := range seeds {
			join(c.ctx, c.t, c.framing, reader, s)
		}
		c.must(r.Download(c.ctx, 0, count))
		for _, l := range logs {
			c.same(l, r)
		}
		if st := reader.Set.Core(Core(r).DiscoveryKey()).Stats(); st.BlocksIn > count*105/100 {
			c.t.Errorf("%d blocks came for %d", st.BlocksIn, count)
		}
	})
}

func TestFourReaders(t *testing.T) {
	group(t, 4, func(c *cell, peers []*Peer) {
		seed := NewNode(c.t)
		w := c.open(seed, Spec{Name: "log"})
		c.must(w.Append(c.ctx, bulk(400)...))
		errs := make([]error, len(peers))
		var rs []Log
		var downloads sync.WaitGroup
		for i, p := range peers {
			s := p.Store(c.t)
			r := c.open(s, Spec{Key: c.state(w).Key})
			rs = append(rs, r)
			join(c.ctx, c.t, c.framing, s, seed)
			downloads.Go(func() { errs[i] = r.Download(c.ctx, 0, 500) })
		}
		c.must(w.Append(c.ctx, bulk(100)...))
		downloads.Wait()
		for i, r := range rs {
			c.must(errs[i])
			c.same(w, r)
		}
	})
}

// TestRelay has a node in the middle that cannot read what it passes on.
func TestRelay(t *testing.T) {
	group(t, 2, func(c *cell, peers []*Peer) {
		key := [32]byte{5}
		from, relay, to := peers[0].Store(c.t), NewNode(c.t), peers[1].Store(c.t)
		w := c.open(from, Spec{Name: "log", Encryption: key})
		c.grow(w, 100)
		middle := c.open(relay, Spec{Key: c.state(w).Key})
		r := c.open(to, Spec{Key: c.state(w).Key, Encryption: key})
		join(c.ctx, c.t, c.framing, relay, from)
		c.must(middle.Download(c.ctx, 0, 100))
		join(c.ctx, c.t, c.framing, to, relay)
		c.must(r.Download(c.ctx, 0, 100))
		c.same(w, r)
		var live sync.WaitGroup
		errs := make([]error, 2)
		live.Go(func() { errs[0] = middle.Download(c.ctx, 0, 150) })
		live.Go(func() { errs[1] = r.Download(c.ctx, 0, 150) })
		for range 5 {
			c.grow(w, 10)
		}
		live.Wait()
		c.must(errs[0])
		c.must(errs[1])
		c.same(w, r)
		c.must(w.Truncate(c.ctx, 120))
		c.grow(w, 7)
		c.must(middle.Reach(c.ctx, 1, 127))
		c.must(middle.Download(c.ctx, 0, 127))
		c.must(r.Reach(c.ctx, 1, 127))
		c.must(r.Download(c.ctx, 0, 127))
		c.same(w, r)
	})
}
