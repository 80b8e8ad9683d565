package datastore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTree runs random changes against a map. Snapshots must stay as they were.
func TestTree(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	type snapshot struct {
		root *node
		want map[string]string
	}
	var (
		tr    tree
		want  = make(map[string]string)
		snaps []snapshot
	)
	key := func() []byte { return fmt.Appendf(nil, "%03d", r.IntN(400)) }
	for step := range 20_000 {
		switch n := r.IntN(100); {
		case n < 60:
			k, v := key(), fmt.Append(nil, step)
			tr.set(k, v)
			want[string(k)] = string(v)
		case n < 95:
			k := key()
			tr.delete(k)
			delete(want, string(k))
		case n < 97:
			lo, hi := key(), key()
			tr.deleteRange(lo, hi)
			maps.DeleteFunc(want, func(k, _ string) bool { return string(lo) <= k && k < string(hi) })
		default:
			snaps = append(snaps, snapshot{tr.snapshot(), maps.Clone(want)})
		}
		if len(snaps) > 5 {
			checkTree(t, snaps[0].root, snaps[0].want, key(), key())
			snaps = snaps[1:]
		}
	}
	checkTree(t, tr.root, want, []byte("000"), []byte("999"))
}

func checkTree(t *testing.T, root *node, want map[string]string, lo, hi []byte) {
	t.Helper()
	var keys, got []string
	for k := range want {
		if string(lo) <= k && k < string(hi) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	emit := func(n *node) bool {
		got = append(got, string(n.key))
		if want[string(n.key)] != string(n.value) {
			t.Fatalf("%s is %s, want %s", n.key, n.value, want[string(n.key)])
		}
		return true
	}
	if root.ascend(lo, hi, emit); !slices.Equal(got, keys) {
		t.Fatalf("ascending %v, want %v", got, keys)
	}
	got = nil
	slices.Reverse(keys)
	if root.descend(lo, hi, emit); !slices.Equal(got, keys) {
		t.Fatalf("descending %v, want %v", got, keys)
	}
	for k, v := range want {
		if n := root.find([]byte(k)); n == nil || string(n.value) != v {
			t.Fatalf("%s is not found", k)
		}
	}
}
