package merkle_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// follow moves a reader to the writer's fork and returns how many blocks it kept.
func follow(t *testing.T, rng *rand.Rand, r *reader, writer *log) uint64 {
	t.Helper()
	g, err := merkle.NewReorg(r, &r.tree, r.auth, writer.mustProve(t, lengthenFork(writer.tree.Fork, 0, writer.tree.Length)))
	if err != nil {
		t.Fatal(err)
	}
	for steps := 0; !g.Done(); steps++ {
		if steps > 64 {
			t.Fatal("no end of questions")
		}
		start, end, nodes := g.Want()
		end = min(end, writer.tree.Length)
		if start >= end {
			t.Fatalf("nothing to ask in %d..%d", start, end)
		}
		q := &merkle.Request{Fork: g.Fork(), Hash: &merkle.HashRequest{Index: 2 * (start + rng.Uint64N(end-start)), Nodes: nodes}}
		bad := writer.mustProve(t, q)
		bad.Hash.Nodes[0].Hash[0] ^= 1
		if err := g.Feed(bad); !errors.Is(err, merkle.ErrInvalidProof) {
			t.Fatalf("bad answer: %v", err)
		}
		idle := writer.mustProve(t, &merkle.Request{Fork: g.Fork(), Hash: &merkle.HashRequest{Index: q.Hash.Index}})
		idle.Hash.Index, idle.Hash.Nodes[0].Index = 1<<20, 1<<20
		if err := g.Feed(idle); !errors.Is(err, merkle.ErrInvalidProof) {
			t.Fatalf("idle answer: %v", err)
		}
		if v, _ := g.Result(); v != nil {
			t.Fatal("a result before the end")
		}
		if err := g.Feed(writer.mustProve(t, q)); err != nil {
			t.Fatal(err)
		}
	}
	v, kept := g.Result()
	once := map[uint64]bool{}
	for _, n := range v.Nodes { // stores need not keep the order of nodes
		if once[n.Index] {
			t.Fatalf("node %d is to be stored twice", n.Index)
		}
		once[n.Index] = true
	}
	r.truncate(kept)
	for i := range r.blocks {
		if i >= kept {
			delete(r.blocks, i)
		}
	}
	r.commit(v)
	return kept
}

// Whatever two forks share, a full reader finds out exactly, a sparse one never keeps more; both can then read everything.
func TestReorgModel(t *testing.T) {
	rng := seeded(t)
	for range 300 {
		length := 1 + rng.Uint64N(70)
		shared := rng.Uint64N(length + 1)
		old := newLog(newSigner(), 0, testBlocks(rng, int(length)))
		writer := forked(t, old, shared, 1+rng.Uint64N(5), testBlocks(rng, 100)[100-rng.IntN(60):])
		if writer.tree.Length == 0 {
			continue
		}
		r := newReader(old.signer)
		if _, err := r.apply(old.mustProve(t, lengthen(0, length))); err != nil {
			t.Fatal(err)
		}
		full := rng.IntN(2) == 0
		for i := range length {
			if !full && rng.IntN(5) > 0 {
				continue
			}
			n, err := merkle.MissingNodes(r, 2*i, length)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.apply(old.mustProve(t, &merkle.Request{Block: &merkle.BlockRequest{Index: i, Nodes: n}})); err != nil {
				t.Fatal(err)
			}
		}
		kept := follow(t, rng, r, writer)
		for shared < min(length, writer.tree.Length) && bytes.Equal(old.blocks[shared], writer.blocks[shared]) {
			shared++ // the empty block of either may meet
		}
		if kept > shared || full && kept != shared {
			t.Fatalf("kept %d of %d shared blocks, full %v", kept, shared, full)
		}
		checkReadable(t, r, writer)
	}
}

// checkReadable fetches all blocks.
func checkReadable(t *testing.T, r *reader, writer *log) {
	t.Helper()
	if r.tree.Hash() != writer.tree.Hash() || r.tree.Fork != writer.tree.Fork {
		t.Fatalf("tree %+v, want %+v", r.tree, writer.tree)
	}
	for i := range writer.tree.Length {
		n, err := merkle.MissingNodes(r, 2*i, writer.tree.Length)
		if err != nil {
			t.Fatal(err)
		}
		q := &merkle.Request{Fork: r.tree.Fork, Block: &merkle.BlockRequest{Index: i, Nodes: n}}
		if _, err := r.apply(writer.mustProve(t, q)); err != nil {
			t.Fatalf("block %d: %v", i, err)
		}
	}
	for i := range r.nodes {
		if r.nodes[i] != writer.nodes[i] {
			t.Fatalf("node %d: %v, want %v", i, r.nodes[i], writer.nodes[i])
		}
	}
}

func TestReorgRefusals(t *testing.T) {
	old := newLog(newSigner(), 4, testBlocks(seeded(t), 10))
	writer := forked(t, old, 3, 6, testBlocks(seeded(t), 4))
	first := writer.mustProve(t, lengthenFork(6, 0, 7))
	for _, fork := range []uint64{6, 7} {
		local := old.tree.Clone()
		local.Fork = fork
		if _, err := merkle.NewReorg(old, &local, old.signer, first); !errors.Is(err, merkle.ErrInvalidOperation) {
			t.Errorf("fork 6 after %d: %v", fork, err)
		}
	}
	raised := *first
	raised.Fork = 8
	if _, err := merkle.NewReorg(old, &old.tree, old.signer, &raised); !errors.Is(err, merkle.ErrInvalidSignature) {
		t.Errorf("raised fork: %v", err)
	}
	g, err := merkle.NewReorg(old, &old.tree, old.signer, first)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*merkle.Proof{
		"upgrade":    first,
		"other fork": {Fork: 7},
		"nothing":    {Fork: 6},
		"other path": writer.mustProve(t, &merkle.Request{Fork: 6, Hash: &merkle.HashRequest{Index: 4, Nodes: 1}}),
	} {
		if err := g.Feed(p); !errors.Is(err, merkle.ErrInvalidProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
