package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/internal/testnet"
)

// scenario is what a seed stands for.
type scenario struct {
	seed   uint64
	sparse []bool // by node: reads a part of each core, else all
	cores  []coreSpec
	links  []linkSpec
	events []event
}

type coreSpec struct {
	writer  int // node
	blocks  int // at the start
	size    int // bytes of a block, on average
	cleared core.Range
}

type linkSpec struct {
	a, b        int // nodes
	there, back testnet.Shape
	secret      bool // else framed
}

// event is something that happens at a time.
type event struct {
	at   time.Duration
	kind kind
	node int // that clears, or starts anew; not one that writes
	core int
	link int
	part float64       // where to truncate, or what to clear
	n    int           // blocks
	time time.Duration // of a stall
}

type kind int

const (
	appends kind = iota
	truncates
	clears
	cuts
	stalls
	restarts
	kinds
)

func (k kind) String() string {
	return [...]string{"append", "truncate", "clear", "cut", "stall", "restart"}[k]
}

func (e event) String() string {
	return fmt.Sprintf("%v: %v node %d core %d link %d part %.2f n %d time %v", e.at, e.kind, e.node, e.core, e.link, e.part, e.n, e.time)
}

// generate makes the scenario of a seed.
func generate(seed uint64) *scenario {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &scenario{seed: seed}
	full := 1 + rng.IntN(4)
	s.addNodes(rng, full)
	for range 1 + rng.IntN(3) {
		s.cores = append(s.cores, newCore(rng, full))
	}
	for range rng.IntN(14) {
		s.events = append(s.events, s.newEvent(rng))
	}
	slices.SortStableFunc(s.events, func(a, b event) int { return int(a.at - b.at) })
	return s
}

// addNodes adds nodes that read all, joined to each other so that there is a way from each to each, and sparse ones,
// each with a link to one of them at least.
func (s *scenario) addNodes(rng *rand.Rand, full int) {
	for node := range full + rng.IntN(4) + min(1, 4/(full+3)) {
		s.sparse = append(s.sparse, node >= full)
		if node == 0 {
			continue
		}
		s.addLink(rng, node, rng.IntN(min(node, full)))
		for range rng.IntN(3) {
			s.addLink(rng, node, rng.IntN(node))
		}
	}
	if len(s.sparse) == 1 {
		s.sparse = append(s.sparse, false)
		s.addLink(rng, 1, 0)
	}
}

func (s *scenario) addLink(rng *rand.Rand, a, b int) {
	for _, l := range s.links {
		if l.a == a && l.b == b {
			return
		}
	}
	if rng.IntN(2) == 0 {
		a, b = b, a
	}
	shape := newShape(rng)
	back := shape
	if rng.IntN(3) == 0 {
		back = newShape(rng)
	}
	s.links = append(s.links, linkSpec{a: a, b: b, there: shape, back: back, secret: rng.IntN(4) == 0})
}

// writes tells whether a node writes a core.
func (s *scenario) writes(node int) bool {
	return slices.ContainsFunc(s.cores, func(c coreSpec) bool { return c.writer == node })
}

func newShape(rng *rand.Rand) testnet.Shape {
	shape := testnet.Shape{Delay: time.Duration(rng.IntN(150)) * time.Millisecond, Seed: rng.Uint64()}
	if rng.IntN(2) == 0 {
		shape.Rate = 50_000 << rng.IntN(10)
	}
	if rng.IntN(4) == 0 {
		shape.Loss = 0.1 * rng.Float64()
	}
	if rng.IntN(4) == 0 {
		shape.Jitter = time.Duration(1+rng.IntN(50)) * time.Millisecond
	}
	return shape
}

func newCore(rng *rand.Rand, full int) coreSpec {
	c := coreSpec{writer: rng.IntN(full), blocks: rng.IntN(200), size: 10 << rng.IntN(9)}
	if c.blocks > 20 && rng.IntN(3) == 0 {
		c.cleared.Start = uint64(rng.IntN(c.blocks / 2))
		c.cleared.End = c.cleared.Start + uint64(1+rng.IntN(c.blocks/4))
	}
	return c
}

func (s *scenario) newEvent(rng *rand.Rand) event {
	return event{
		at:   time.Duration(rng.IntN(15_000)) * time.Millisecond,
		kind: kind(rng.IntN(int(kinds))),
		node: rng.IntN(len(s.sparse)), core: rng.IntN(len(s.cores)), link: rng.IntN(len(s.links)),
		part: rng.Float64(), n: 1 + rng.IntN(60), time: time.Duration(rng.IntN(8_000)) * time.Millisecond,
	}
}
