package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// reader is one node that wants one core, or a part of it.
type reader struct {
	name string
	log  *log
	node *node
	life int // of node, in which core was opened
	core *core.Core
	part uint64 // one block of so many, 1 is all
}

func (w *world) newReader(node, i int) *reader {
	r := &reader{name: fmt.Sprintf("node %d core %d", node, i), log: w.logs[i], node: w.nodes[node], part: 1}
	if w.s.sparse[node] {
		r.part = 2 + (w.s.seed+uint64(node+i))%7
	}
	return r
}

// open opens the core, again after each start of the node.
func (r *reader) open(ctx context.Context) (err error) {
	now := r.node.now()
	if now.number == r.life {
		return nil
	}
	c, err := now.store.Open(ctx, corestore.Key(r.log.core.Key()))
	if err == nil {
		r.core, r.life = c, now.number
	} else if errors.Is(err, corestore.ErrClosed) && ctx.Err() == nil {
		return r.open(ctx) // the node has just been started anew
	}
	return err
}

// look is how often a reader looks whether it is done.
const look = time.Second

// follow reads until all that is wanted of the final log is here.
func (r *reader) follow(ctx context.Context) error {
	for {
		if err := r.open(ctx); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		h := r.core.Head()
		r.fetch(ctx, h)
		done, err := r.done(ctx)
		switch {
		case ctx.Err() != nil:
			return r.lacks(ctx)
		case errors.Is(err, core.ErrClosed): // the node starts anew
		case done || err != nil:
			return err
		}
		r.rest(ctx, h)
	}
}

// rest waits for another head, or a while.
func (r *reader) rest(ctx context.Context, h core.Head) {
	soon, cancel := context.WithTimeout(ctx, look)
	defer cancel()
	if _, err := r.core.Wait(soon, h); err != nil {
		<-soon.Done()
	}
}

// fetch downloads what is wanted of a head, or gives up when another fork comes.
func (r *reader) fetch(ctx context.Context, h core.Head) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		defer cancel()
		for latest, err := h, error(nil); err == nil && latest.Fork == h.Fork; {
			latest, err = r.core.Wait(ctx, latest)
		}
	})
	r.core.Download(ctx, r.want(h.Length))
	cancel()
	watch.Wait()
}

func (r *reader) wants(i uint64) bool {
	return i%r.part == 0 && (i < r.log.spec.cleared.Start || i >= r.log.spec.cleared.End)
}

func (r *reader) want(length uint64) (w core.Want) {
	for i := range length {
		switch n := len(w.Ranges); {
		case !r.wants(i):
		case n > 0 && w.Ranges[n-1].End == i:
			w.Ranges[n-1].End++
		default:
			w.Ranges = append(w.Ranges, core.Range{Start: i, End: i + 1})
		}
	}
	return w
}

// done tells whether all is here. It fails when something else is.
func (r *reader) done(ctx context.Context) (bool, error) {
	blocks, final := r.log.state()
	if !final || r.core.TreeHash() != r.log.core.TreeHash() || r.core.Head() != r.log.core.Head() {
		return false, nil
	}
	for i, want := range blocks {
		if !r.wants(uint64(i)) {
			continue
		}
		if ok, err := r.core.Has(ctx, uint64(i), uint64(i)+1); !ok || err != nil {
			return false, err
		}
		if got, err := r.core.Get(ctx, uint64(i)); err != nil || !bytes.Equal(got, want) {
			return false, fmt.Errorf("%s: block %d is %d other bytes: %w", r.name, i, len(got), err)
		}
	}
	return true, nil
}

// lacks says what is missing.
func (r *reader) lacks(ctx context.Context) error {
	held, _ := r.core.Held(context.WithoutCancel(ctx), 0, r.core.Head().Length)
	return fmt.Errorf("%s: head %+v of %+v, holds %v, cleared %v, one of %d",
		r.name, r.core.Head(), r.log.core.Head(), held, r.log.spec.cleared, r.part)
}
