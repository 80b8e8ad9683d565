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
	for i, a := range c.ProveAll(t.Context(), requests) {
		want, err := c.Prove(t.Context(), requests[i])
		same := errors.Is(a.Err, ErrNotAvailable) == errors.Is(err, ErrNotAvailable) && (a.Err == nil) == (err == nil)
		if !same || err == nil && !bytes.Equal(merkle.AppendProof(nil, a.Proof), merkle.AppendProof(nil, want)) {
			t.Errorf("request %d: %+v (%v), want %+v (%v)", requests[i].ID, a.Proof, a.Err, want, err)
		}
	}
}
