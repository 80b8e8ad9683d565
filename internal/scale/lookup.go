package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
)

// The settings of a look-up as kad-dht has them, and the network beneath it.
const (
	parallel  = 10   // queries under way
	resilient = 3    // a look-up has converged when that many of the closest have answered
	timeout   = 5.0  // seconds until a dead node is given up
	roundTrip = 0.16 // seconds, median of dial and query; the spread is log-normal
	spread    = 0.6
)

// lookup is a search for the nodes closest to a target, and for the first of them that has a record of it.
type lookup struct {
	net     *network
	target  uint64
	dead    func(node int) bool
	holders map[int]bool // nodes that were given the record, and live
	r       *rand.Rand

	now     float64
	heard   []int // by distance
	state   map[int]state
	hops    map[int]int
	flights flights

	queries, depth int
	first          float64 // when the first provider was known
}

type state uint8

const (
	known state = iota
	asked
	answered
	failed
)

func newLookup(net *network, dead float64, seed uint64) *lookup {
	r := rand.New(rand.NewPCG(seed, 7))
	l := &lookup{
		net: net, target: r.Uint64(), r: r,
		state: map[int]state{}, hops: map[int]int{}, holders: map[int]bool{},
	}
	mark := r.Uint64()
	l.dead = func(node int) bool {
		return rand.New(rand.NewPCG(mark, uint64(node))).Float64() < dead
	}
	for _, node := range net.closest(l.target) {
		l.holders[node] = !l.dead(node)
	}
	start := r.IntN(len(net.ids))
	l.hear(net.answer(start, l.target), 0)
	return l
}

// hear takes in nodes that an answer named.
func (l *lookup) hear(list []int, hops int) {
	for _, node := range list {
		if _, ok := l.state[node]; !ok {
			l.state[node], l.hops[node] = known, hops+1
			l.heard = append(l.heard, node)
		}
	}
	l.net.sort(l.heard, l.target)
}

// run looks until the closest nodes have answered.
func (l *lookup) run() {
	for {
		for len(l.flights) < parallel {
			node, ok := l.next()
			if !ok {
				break
			}
			l.ask(node)
		}
		if len(l.flights) == 0 {
			return
		}
		l.land(heap.Pop(&l.flights).(flight))
	}
}

// next returns the closest node to be asked. When the closest few have answered only the bucketSize closest are.
func (l *lookup) next() (int, bool) {
	live, converged := 0, true
	for _, node := range l.heard {
		switch s := l.state[node]; {
		case s == failed:
			continue
		case s == known && (live < bucketSize || !converged):
			return node, true
		case s != answered && live < resilient:
			converged = false
		}
		if live++; live >= bucketSize && converged {
			break
		}
	}
	return 0, false
}

func (l *lookup) ask(node int) {
	l.queries++
	l.state[node] = asked
	took := roundTrip * math.Exp(spread*l.r.NormFloat64())
	if l.dead(node) {
		took = timeout
	}
	heap.Push(&l.flights, flight{l.now + took, node})
}

// land takes what came of a query.
func (l *lookup) land(f flight) {
	l.now = f.at
	if l.dead(f.node) {
		l.state[f.node] = failed
		return
	}
	l.state[f.node] = answered
	l.depth = max(l.depth, l.hops[f.node])
	if l.holders[f.node] && l.first == 0 {
		l.first = l.now
	}
	l.hear(slices.DeleteFunc(l.net.answer(f.node, l.target), func(n int) bool { return n == f.node }), l.hops[f.node])
}

// flight is a query under way.
type flight struct {
	at   float64
	node int
}

// flights is a heap, the next to land first.
type flights []flight

func (f flights) Len() int           { return len(f) }
func (f flights) Less(i, k int) bool { return f[i].at < f[k].at }
func (f flights) Swap(i, k int)      { f[i], f[k] = f[k], f[i] }
func (f *flights) Push(x any)        { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
