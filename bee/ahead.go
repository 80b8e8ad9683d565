package bee

import (
	"context"
	"sync"

	"github.com/hypernode/hypernode/core"
)

// aheadGroups is how many groups of blocks a scan fetches at a time, each the children and keys of a node.
const aheadGroups = 8

// hintEvery is how many blocks a scan uses before it tells peers again where it is.
const hintEvery = 2048

// ahead fetches what a scan, or a walk over two versions, will need. It does nothing while all blocks are here.
type ahead struct {
	v     *view
	scan  *scan // nil without hints
	ctx   func() context.Context
	stop  context.CancelFunc
	slots chan struct{}
	wg    sync.WaitGroup

	used  int // blocks since the last hint
	asked bool
}

// newAhead has the cursor of a scan tell of the nodes that it enters.
func newAhead(ctx context.Context, s *scan) *ahead {
	a := aheadOf(ctx, s.v)
	if s.v.local {
		return a
	}
	a.scan = s
	s.v.touched = func(uint64) { a.used++ }
	s.v.miss = a.hint
	s.entered = a.node
	return a
}

func aheadOf(ctx context.Context, v *view) *ahead {
	ctx, stop := context.WithCancel(ctx)
	return &ahead{v: v, ctx: func() context.Context { return ctx }, stop: stop, slots: make(chan struct{}, aheadGroups)}
}

func (a *ahead) end() {
	a.stop()
	a.wg.Wait()
}

// hint tells peers what the scan is after and where it stands, unless they were told lately.
func (a *ahead) hint() {
	h := a.v.s.hints
	if h == nil || a.scan == nil || a.asked && a.used < hintEvery {
		return
	}
	if m := a.scan.position(); m != nil {
		a.asked, a.used = true, 0
		h.askIterator(m)
	}
}

// node fetches what a node leads to, if it is not here and there is room to.
func (a *ahead) node(n *node) {
	if a.v.s.core.Contiguous() >= a.v.version {
		return
	}
	list, err := a.missing(n)
	if len(list) == 0 || err != nil {
		return // the walk itself will tell
	}
	a.hint()
	select {
	case a.slots <- struct{}{}:
		a.fetch(list)
	default:
	}
}

func (a *ahead) fetch(list []uint64) {
	ctx := a.ctx()
	a.wg.Go(func() {
		// What fails here fails again when the walk comes to it.
		_ = a.v.s.core.Download(ctx, core.Want{Blocks: list, Priority: 1})
		<-a.slots
	})
}

// missing returns the blocks that a node leads to and that are not here.
func (a *ahead) missing(n *node) (list []uint64, err error) {
	s := a.v.s
	add := func(seq uint64) {
		if err != nil || seq >= a.v.version || s.cache.get(a.v.fork, seq) != nil {
			return
		}
		var here bool
		if here, err = s.core.Has(a.ctx(), seq, seq+1); !here && err == nil {
			list = append(list, seq)
		}
	}
	for _, seq := range n.keys {
		add(seq)
	}
	for i := 0; i < len(n.kids); i += 2 {
		add(n.kids[i])
	}
	return list, err
}
