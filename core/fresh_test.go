package core

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// isFresh tells whether a request is answered without a look at the store.
func isFresh(c *Core, q *merkle.Request) bool {
	g := proving{log: c.log, state: c.log.served.Load(), requests: []*merkle.Request{q}, answers: make([]Answer, 1)}
	return g.fromFresh()
}

// What was appended last is proven as the store would prove it, and not from memory once something else has changed.
func TestFresh(t *testing.T) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		c := openCore(t, memoryDB(t, datastore.Options{Durability: d}), Options{Pair: pairOf(1), Derived: true, Source: newFakeSource(nil, 1)})
		for round := range 100 {
			from := c.Head().Length
			blocks := make([][]byte, 1+rng.IntN(3))
			for i := range blocks {
				blocks[i] = make([]byte, rng.IntN(100))
			}
			if _, err := c.Append(t.Context(), blocks...); err != nil {
				t.Fatal(err)
			}
			for _, b := range blocks {
				copy(b, bytes.Repeat([]byte{0xff}, len(b))) // they are the caller's
			}
			if err := c.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			length, fork := c.Served().Length, c.Served().Fork
			gift := &merkle.Request{Fork: fork, Block: &merkle.BlockRequest{Index: from}, Upgrade: &merkle.UpgradeRequest{Start: from, Length: length - from}}
			if !isFresh(c, gift) {
				t.Fatalf("round %d: block %d of %d, the first one that was appended, is not fresh", round, from, length)
			}
			for i := range length {
				q := &merkle.Request{Fork: fork, Block: &merkle.BlockRequest{Index: i, Nodes: uint64(rng.IntN(3))}, Manifest: rng.IntN(2) == 0}
				if start := rng.Uint64N(length); rng.IntN(2) == 0 {
					q.Upgrade = &merkle.UpgradeRequest{Start: start, Length: length - start}
				}
				compareAnswers(t, c, []*merkle.Request{q}, c.ProveAll(t.Context(), []*merkle.Request{q}))
			}
			compareAnswers(t, c, []*merkle.Request{gift}, c.ProveAll(t.Context(), []*merkle.Request{gift}))
			if t.Failed() {
				t.Fatalf("round %d, seed %d", round, seed)
			}
			if round%10 > 0 {
				continue
			}
			if round%20 == 0 {
				if err := c.Clear(t.Context(), from, from+1); err != nil {
					t.Fatal(err)
				}
			} else if err := c.Truncate(t.Context(), from); err != nil {
				t.Fatal(err)
			}
			if isFresh(c, gift) {
				t.Fatalf("round %d: what is gone is fresh", round)
			}
		}
	}
}

// Much is not kept, nor what nobody asks for.
func TestFreshIsLittle(t *testing.T) {
	alone := newWriter(t, 1, numbered(0, 1)...)
	if alone.log.fresh.Load() != nil {
		t.Error("kept without a session")
	}
	c := openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: pairOf(1), Derived: true, Source: newFakeSource(nil, 1)})
	for _, test := range []struct {
		blocks [][]byte
		kept   bool
	}{
		{[][]byte{make([]byte, freshBytes)}, true},
		{[][]byte{make([]byte, freshBytes), {1}}, false},
		{numbered(0, freshBlocks), true},
		{numbered(0, freshBlocks+1), false},
	} {
		if _, err := c.Append(t.Context(), test.blocks...); err != nil {
			t.Fatal(err)
		}
		if kept := c.log.fresh.Load() != nil; kept != test.kept {
			t.Errorf("%d blocks: kept is %v", len(test.blocks), kept)
		}
	}
}
