package bee

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/hypernode/hypernode/core"
)

const (
	// aheadGroups is for how many nodes a walk fetches at a time what they lead to.
	aheadGroups = 8
	// aheadLevels is how many levels below a node are fetched at most: one more after as many nodes, and so on.
	aheadLevels = 3
	aheadFirst  = 4
)

const (
	// hintEvery is how many blocks a scan uses before it tells peers again where it is.
	hintEvery = 1024
	// scoutLeast and scoutMost are how many entries a scout is ahead of a scan, growing with how much was read.
	scoutLeast = 256
	scoutMost  = 8192
)

// ahead fetches what a scan, or a walk over two versions, will need. It does nothing while all blocks are here.
//
// From the first block on that a scan lacks, a scout goes the same way ahead of it through what is here, and where that ends
// it tells the peers of the place, and waits for what lacks. So the next blocks are asked for as soon as the last ones came,
// and not when they have been read.
type ahead struct {
	v     *view
	scan  *scan // nil of a walk over two versions
	ctx   func() context.Context
	stop  context.CancelFunc
	slots chan struct{}
	wg    sync.WaitGroup

	r     bounds
	nodes int // that were entered

	scouting atomic.Bool
	read     atomic.Int64  // entries that the scan has come past while there was a scout
	moved    chan struct{} // has a token when it has
}

// newAhead has a scan that meets a missing block send out a scout.
func newAhead(ctx context.Context, s *scan) *ahead {
	a := aheadOf(ctx, s.v, s.r)
	if s.v.local {
		return a
	}
	a.scan, a.moved = s, make(chan struct{}, 1)
	s.v.miss = a.scout
	return a
}

func aheadOf(ctx context.Context, v *view, r bounds) *ahead {
	ctx, stop := context.WithCancel(ctx)
	return &ahead{v: v, r: r, ctx: func() context.Context { return ctx }, stop: stop, slots: make(chan struct{}, aheadGroups)}
}

func (a *ahead) end() {
	a.stop()
	a.wg.Wait()
}

// node fetches what a node leads to, if there is room to. How far it looks ahead grows with how much was read: who reads one
// entry does not need its neighbours.
func (a *ahead) node(n *node) {
	if a.v.s.core.Contiguous() >= a.v.version {
		return
	}
	a.nodes++
	list, err := a.missing(a.ctx(), n)
	if len(list) == 0 || err != nil {
		return // the walk itself will tell of an error
	}
	levels := 0
	for seen := aheadFirst; seen <= a.nodes && levels < aheadLevels; seen *= aheadFirst {
		levels++
	}
	select {
	case a.slots <- struct{}{}:
		ctx, n := a.ctx(), *n
		a.wg.Go(func() {
			a.fetch(ctx, &n, levels)
			<-a.slots
		})
	default:
	}
}

// fetch fetches what a node leads to, and then what its children do, that many levels down. What fails here fails again
// when the walk comes to it.
func (a *ahead) fetch(ctx context.Context, n *node, levels int) {
	list, err := a.missing(ctx, n)
	if err == nil && len(list) > 0 {
		err = a.v.s.core.Download(ctx, core.Want{Blocks: list, Priority: 1})
	}
	if err != nil || levels == 0 || n.leaf() {
		return
	}
	v := &view{s: a.v.s, fork: a.v.fork, version: a.v.version, local: true}
	defer v.end()
	var wg sync.WaitGroup
	for i := range n.width + 1 {
		if a.outside(ctx, v, n, i) {
			continue
		}
		var kid node
		if err := v.node(ctx, n.kid(i), &kid); err == nil {
			wg.Go(func() { a.fetch(ctx, &kid, levels-1) })
		}
	}
	wg.Wait()
}

// outside tells whether child i of a node has no key in the range of the walk.
func (a *ahead) outside(ctx context.Context, v *view, n *node, i int) bool {
	if i > 0 {
		if b, err := v.block(ctx, n.places[i-1]); err == nil && a.r.above(b.key) {
			return true
		}
	}
	if i < n.width {
		if b, err := v.block(ctx, n.places[i]); err == nil && a.r.below(b.key) {
			return true
		}
	}
	return false
}

// missing returns the blocks that a node leads to and that are not here.
func (a *ahead) missing(ctx context.Context, n *node) (list []uint64, err error) {
	s := a.v.s
	add := func(seq uint64) {
		if err != nil || seq >= a.v.version || s.cache.get(a.v.fork, seq) != nil {
			return
		}
		var here bool
		if here, err = s.core.Has(ctx, seq, seq+1); !here && err == nil {
			list = append(list, seq)
		}
	}
	for _, seq := range n.keys() {
		add(seq)
	}
	for _, l := range n.kids() {
		add(l.seq)
	}
	return list, err
}
