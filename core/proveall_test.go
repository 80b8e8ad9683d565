package core

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// ProveAll answers as Prove does, whatever stands beside it.
func TestProveAll(t *testing.T) {
	c := newWriter(t, 1, numbered(0, 40)...)
	if err := c.Clear(t.Context(), 9, 12); err != nil {
		t.Fatal(err)
	}
	var requests []*merkle.Request
	for i := range uint64(40) {
		requests = append(requests, &merkle.Request{ID: i + 1, Block: &merkle.BlockRequest{Index: i, Nodes: i % 3}})
	}
	requests = append(requests,
		&merkle.Request{ID: 90, Upgrade: &merkle.UpgradeRequest{Length: 40}, Manifest: true},
		&merkle.Request{ID: 91, Fork: 7},
		&merkle.Request{ID: 92, Block: &merkle.BlockRequest{Index: 1000}},
		&merkle.Request{ID: 93, Block: &merkle.BlockRequest{Index: 30}, Upgrade: &merkle.UpgradeRequest{Start: 20, Length: 20}},
	)
	compareAnswers(t, c, requests, c.ProveAll(t.Context(), requests))
}

// A Prover answers the same, however often it is asked, and blocks may be larger than its slabs.
func TestProver(t *testing.T) {
	var blocks [][]byte
	for i := range 60 {
		blocks = append(blocks, bytes.Repeat([]byte{byte(i)}, i%4*30<<10+1))
	}
	c := newWriter(t, 1, blocks...)
	var p Prover
	for round := range uint64(4) {
		var requests []*merkle.Request
		for i := round * 8; i < 60-round*4; i++ {
			requests = append(requests, &merkle.Request{ID: i + 1, Block: &merkle.BlockRequest{Index: i, Nodes: 1}})
		}
		compareAnswers(t, c, requests, p.ProveAll(t.Context(), c, requests))
	}
	for range 3 {
		p.ProveAll(t.Context(), c, []*merkle.Request{{Block: &merkle.BlockRequest{Index: 3}}, {Block: &merkle.BlockRequest{Index: 4}}})
	}
	if p.arena.size > arenaBytes {
		t.Errorf("%d bytes are kept", p.arena.size)
	}
}

// compareAnswers holds answers against those of Prove.
func compareAnswers(t *testing.T, c *Core, requests []*merkle.Request, answers []Answer) {
	t.Helper()
	for i, a := range answers {
		want, err := c.Prove(t.Context(), requests[i])
		same := errors.Is(a.Err, ErrNotAvailable) == errors.Is(err, ErrNotAvailable) && (a.Err == nil) == (err == nil)
		if !same || err == nil && !bytes.Equal(merkle.AppendProof(nil, a.Proof), merkle.AppendProof(nil, want)) {
			t.Errorf("request %d: %+v (%v), want %+v (%v)", requests[i].ID, a.Proof, a.Err, want, err)
		}
	}
}
