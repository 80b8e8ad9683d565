package main

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// bucketSize is k: how many nodes a bucket holds, an answer has, and a record is kept by.
const bucketSize = 20

// network is the ids of all nodes, ascending. A node is named by its place.
type network struct {
	ids  []uint64
	seed uint64
}

func newNetwork(n int, seed uint64) *network {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = r.Uint64()
	}
	slices.Sort(ids)
	return &network{ids: slices.Compact(ids), seed: seed}
}

// span returns the nodes lo <= i < hi whose ids share the first n bits with id.
func (w *network) span(id uint64, n int) (lo, hi int) {
	if n == 0 {
		return 0, len(w.ids)
	}
	mask := ^uint64(0) << (64 - n)
	lo, _ = slices.BinarySearch(w.ids, id&mask)
	last := id&mask | ^mask
	hi, found := slices.BinarySearch(w.ids, last)
	if found {
		hi++
	}
	return lo, hi
}

// bucket returns the nodes in the table of a node that share n bits with it and differ in the next.
func (w *network) bucket(node, n int) []int {
	lo, hi := w.span(w.ids[node]^(1<<(63-n)), n+1)
	if hi-lo <= bucketSize {
		list := make([]int, 0, hi-lo)
		for i := lo; i < hi; i++ {
			list = append(list, i)
		}
		return list
	}
	r := rand.New(rand.NewPCG(w.seed^uint64(node), uint64(n)))
	list := make([]int, 0, bucketSize)
	for len(list) < bucketSize {
		if i := lo + r.IntN(hi-lo); !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

// answer returns the nodes in the table of a node that are closest to a target, at most bucketSize.
func (w *network) answer(node int, target uint64) []int {
	common := min(bits.LeadingZeros64(w.ids[node]^target), 63)
	list := w.bucket(node, common)
	// Nodes that share more bits with this one are closer to the target than those that share fewer.
	for n := common + 1; n < 64 && len(list) < bucketSize; n++ {
		lo, hi := w.span(w.ids[node], n)
		if hi-lo <= 1 {
			break
		}
		list = append(list, w.bucket(node, n)...)
	}
	for n := common - 1; n >= 0 && len(list) < bucketSize; n-- {
		list = append(list, w.bucket(node, n)...)
	}
	w.sort(list, target)
	return list[:min(len(list), bucketSize)]
}

// sort orders nodes by their distance to a target.
func (w *network) sort(list []int, target uint64) {
	slices.SortFunc(list, func(a, b int) int {
		switch x, y := w.ids[a]^target, w.ids[b]^target; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// closest returns the nodes of the whole network that are closest to a target.
func (w *network) closest(target uint64) []int {
	n := 0
	for lo, hi := w.span(target, n+1); hi-lo >= bucketSize && n < 62; lo, hi = w.span(target, n+1) {
		n++
	}
	lo, hi := w.span(target, n)
	list := make([]int, 0, hi-lo)
	for i := lo; i < hi; i++ {
		list = append(list, i)
	}
	w.sort(list, target)
	return list[:min(len(list), bucketSize)]
}
