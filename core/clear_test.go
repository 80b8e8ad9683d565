package core

import (
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// TestClearKeepsProofs clears at random, and proves every block that is held: to a reader of the whole log, and to
// readers of every earlier length whose roots are here.
func TestClearKeepsProofs(t *testing.T) {
	for seed := range uint64(runs("HYPERNODE_MODEL_RUNS", 12)) {
		rng := seeded(t, seed)
		n := 1 + rng.Uint64N(700)
		w := newWriter(t, 1, numbered(0, n)...)
		old := w.log.current.Load().tree()
		nodes := storedNodes(t, w)
		for range 1 + rng.IntN(6) {
			start := rng.Uint64N(n)
			if err := w.Clear(t.Context(), start, start+1+rng.Uint64N(n/2+1)); err != nil {
				t.Fatal(err)
			}
		}
		checkKept(t, w, nodes)
		mustVerify(t, w)
		for _, length := range []uint64{0, 1, n / 3, n / 2, n - 1} {
			r := readerAt(t, w, &old, nodes, length)
			if r == nil {
				continue
			}
			for _, i := range heldBlocks(t, w) {
				if rng.Uint64N(n) > 40 {
					continue
				}
				if i >= r.Head().Length {
					upgrade(t, w, r)
				}
				fetchBlock(t, w, r, i)
				mustGet(t, r, i, numbered(i, 1)[0])
			}
		}
		for _, i := range heldBlocks(t, w) {
			sum := uint64(0)
			for _, b := range numbered(0, i) {
				sum += uint64(len(b))
			}
			if got, err := w.Offset(t.Context(), i); err != nil || got != sum {
				t.Fatalf("seed %d: offset of %d: %d, %v, want %d", seed, i, got, err, sum)
			}
			if i%7 > 0 {
				continue
			}
			if _, err := w.Prove(t.Context(), &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: n}, Block: &merkle.BlockRequest{Index: i}}); err != nil {
				t.Fatalf("seed %d: block %d: %v", seed, i, err)
			}
		}
	}
}

// checkKept wants every node that the rule keeps: one whose parent has a held block below.
func checkKept(t *testing.T, w *Core, before []merkle.Node) {
	t.Helper()
	now := storedNodes(t, w)
	held, err := w.Held(t.Context(), 0, w.Head().Length)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range before {
		p := merkle.ParentIndex(n.Index)
		lo, hi := merkle.LeftSpan(p)/2, merkle.RightSpan(p)/2
		needed := slices.ContainsFunc(held, func(r Range) bool { return r.Start <= hi && lo < r.End })
		if needed && !slices.Contains(now, n) {
			t.Fatalf("node %d is gone, blocks %d to %d are needed", n.Index, lo, hi)
		}
	}
}

// readerAt is a reader that has the log's first blocks, none of them stored; nil when w does not have their roots.
func readerAt(t *testing.T, w *Core, tree *merkle.Tree, nodes []merkle.Node, length uint64) *Core {
	t.Helper()
	r := newReader(t, w, nil)
	if length == 0 {
		upgrade(t, w, r)
		return r
	}
	now := storedNodes(t, w)
	var roots []merkle.Node
	for _, index := range merkle.FullRoots(nil, length) {
		at, ok := slices.BinarySearchFunc(now, index, func(n merkle.Node, i uint64) int { return int(n.Index) - int(i) })
		if !ok {
			return nil
		}
		roots = append(roots, now[at])
	}
	early, err := merkle.NewTree(tree.Fork, roots)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := w.log.auth.Sign(w.pair, &early)
	if err != nil {
		t.Fatal(err)
	}
	p := &merkle.Proof{Request: 1, Manifest: w.Manifest().Encode(), Upgrade: &merkle.UpgradeProof{Length: length, Nodes: roots, Signature: signature}}
	if v := apply(t, r, p); v.Err != nil || !v.Upgraded {
		t.Fatalf("length %d: %+v", length, v)
	}
	return r
}

// TestClearGivesBack clears all of a long log: what is left is a small part of its tree.
func TestClearGivesBack(t *testing.T) {
	w := newWriter(t, 1, numbered(0, 5000)...)
	before, err := w.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Clear(t.Context(), 0, 1<<60); err != nil {
		t.Fatal(err)
	}
	after, err := w.Info(t.Context())
	if err != nil || after.Held != 0 || after.Disk.Blocks != 0 || after.Disk.Total() > before.Disk.Total()/20 {
		t.Fatalf("%+v became %+v, %v", before.Disk, after.Disk, err)
	}
	mustAppend(t, w, numbered(5000, 40)...)
	mustVerify(t, w)
	r := newReader(t, w, nil)
	upgrade(t, w, r)
	fetchBlock(t, w, r, 5020)
	mustGet(t, r, 5020, numbered(5020, 1)[0])
	if _, err := w.Get(t.Context(), 10); !errors.Is(err, ErrNotAvailable) {
		t.Fatal(err)
	}
}
