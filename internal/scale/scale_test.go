package main

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestClosest compares with a search through all nodes.
func TestClosest(t *testing.T) {
	w := newNetwork(3000, 5)
	r := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		target := r.Uint64()
		all := make([]int, len(w.ids))
		for i := range all {
			all[i] = i
		}
		w.sort(all, target)
		if got := w.closest(target); !slices.Equal(got, all[:bucketSize]) {
			t.Fatalf("target %x: %v, want %v", target, got, all[:bucketSize])
		}
	}
}

func TestBucket(t *testing.T) {
	w := newNetwork(3000, 6)
	for node := range 100 {
		for n := range 20 {
			list := w.bucket(node, n)
			if len(list) > bucketSize {
				t.Fatalf("bucket %d of node %d has %d nodes", n, node, len(list))
			}
			for _, other := range list {
				if got := bits.LeadingZeros64(w.ids[node] ^ w.ids[other]); got != n {
					t.Fatalf("bucket %d of node %d has one that shares %d bits", n, node, got)
				}
			}
			if !slices.Equal(list, w.bucket(node, n)) {
				t.Fatalf("bucket %d of node %d changes", n, node)
			}
		}
	}
}

// TestLookup finds the closest nodes of a network in which all live, and the provider in one where few do.
func TestLookup(t *testing.T) {
	w := newNetwork(20000, 7)
	for seed := range uint64(50) {
		l := newLookup(w, 0, seed)
		l.run()
		for _, node := range w.closest(l.target) {
			if l.state[node] != answered {
				t.Errorf("seed %d: one of the closest was not asked", seed)
			}
		}
		if l.first == 0 || l.first > l.now || l.depth > 8 {
			t.Errorf("seed %d: first provider after %.2f s of %.2f, depth %d", seed, l.first, l.now, l.depth)
		}
		l = newLookup(w, 0.5, seed)
		if l.run(); l.first == 0 {
			t.Errorf("seed %d: not found with half of the nodes dead", seed)
		}
	}
}

func TestAnnounceSweepsFewerPeers(t *testing.T) {
	few, many := announce(100_000, 1), announce(100_000, 1_000_000)
	if few.swept > 3*few.single {
		t.Errorf("one core: swept %.0f queries, alone %.0f", few.swept, few.single)
	}
	if many.swept > many.single/50 {
		t.Errorf("a million cores: swept %.0f queries, alone %.0f", many.swept, many.single)
	}
}

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, "500", 5, 1); err != nil || strings.Count(out.String(), "\n") != 9 {
		t.Errorf("%v:\n%s", err, out.String())
	}
	for _, sizes := range []string{"", "x", "3"} {
		if run(&out, sizes, 5, 1) == nil {
			t.Errorf("sizes %q were taken", sizes)
		}
	}
}
