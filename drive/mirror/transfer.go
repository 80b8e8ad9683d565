package mirror

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// Sizes of the pipeline, in bytes. Small files are held whole; what is held at a time is bounded by budget.
const (
	smallFile  = 1 << 20
	budget     = 32 << 20
	jobCost    = 2 << 10
	groupBytes = 8 << 20
	groupFiles = 2048
	groupAge   = 2 * time.Second
	workers    = 8
)

// A job is a file that is not known to be equal in both trees.
type job struct {
	want     entry
	have     *entry
	contents verdict // of have, against want
	same     bool    // the attributes are
	cost     int64

	ready   chan struct{} // closed when a worker is done with it
	data    []byte        // the contents of a small file, to be written
	outcome outcome
	err     error
	counted int64 // bytes that progress has of it
}

type outcome int

const (
	pending  outcome = iota // to be written by the committer
	finished                // written
	kept                    // there was nothing to write
	gone                    // it is not in the source any more
	failed
)

func (j *job) small() bool { return j.want.size >= 0 && j.want.size <= smallFile }

func (j *job) write() write {
	return write{want: j.want, have: j.have, data: j.data, keep: j.contents == equal}
}

// rest is what progress lacks of the file's bytes.
func (j *job) rest() int64 { return max(j.want.size, 0) - j.counted }

// transfer copies what differs: a planner finds it, workers read and compare, a committer writes, in the order of the paths, if the
// target takes groups; else the workers write too. They overlap within the budget.
func (r *run) transfer(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	work, order := make(chan *job), make(chan *job, 2*groupFiles)
	held := semaphore.NewWeighted(budget)
	g.Go(func() error {
		defer close(order)
		defer close(work)
		return r.plan(ctx, held, work, order)
	})
	for range workers {
		g.Go(func() error {
			for j := range work {
				r.prepare(ctx, j)
				close(j.ready)
			}
			return nil
		})
	}
	g.Go(func() error { return r.commit(ctx, held, order) })
	return g.Wait()
}

// plan finds the files that are not known to be equal.
func (r *run) plan(ctx context.Context, held *semaphore.Weighted, work, order chan<- *job) error {
	for p, err := range r.pairs(ctx) {
		if err != nil {
			return err
		}
		j := r.consider(p)
		if j == nil {
			continue
		}
		if err := held.Acquire(ctx, j.cost); err != nil {
			return err
		}
		for _, next := range []chan<- *job{order, work} {
			select {
			case next <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// consider returns a job, unless all is known of a pair already.
func (r *run) consider(p pair) *job {
	if p.want == nil {
		return nil
	}
	if e := p.want; e.note != nil {
		r.pass(e, e.note, e.benign)
		return nil
	}
	if err := r.to.check(*p.want); err != nil {
		r.pass(p.want, err, errors.Is(err, ErrLink) && !r.o.Links)
		return nil
	}
	j := &job{want: *p.want, have: p.have, contents: unequal, cost: jobCost, ready: make(chan struct{})}
	if j.have != nil {
		j.contents, j.same = r.to.compare(j.want, *j.have)
	}
	if j.contents == equal && j.same {
		r.unchanged(&j.want, j.rest())
		return nil
	}
	if j.small() {
		j.cost += j.want.size
	}
	return j
}

// pass passes over a file.
func (r *run) pass(e *entry, why error, benign bool) {
	if benign {
		r.skip(e, why)
		return
	}
	r.lose(e, max(e.size, 0), why)
}

// commit takes the jobs in their order and writes what the workers left to it.
func (r *run) commit(ctx context.Context, held *semaphore.Weighted, order <-chan *job) error {
	c := &committer{run: r, held: held}
	for j := range order {
		select {
		case <-j.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := c.take(ctx, j); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.flush(ctx)
}

// committer gathers writes into groups.
type committer struct {
	*run
	held  *semaphore.Weighted
	group []*job
	bytes int64
	begun time.Time
}

func (c *committer) take(ctx context.Context, j *job) error {
	if j.outcome != pending {
		err := c.settle(ctx, j)
		c.held.Release(j.cost)
		return err
	}
	if j.data == nil && j.contents != equal && !j.want.isLink() {
		if err := c.flush(ctx); err != nil {
			return err
		}
		c.stream(ctx, j)
		err := c.settle(ctx, j)
		c.held.Release(j.cost)
		return err
	}
	if len(c.group) == 0 {
		c.begun = time.Now()
	}
	c.group, c.bytes = append(c.group, j), c.bytes+j.cost
	if len(c.group) >= groupFiles || c.bytes >= groupBytes || time.Since(c.begun) > groupAge {
		return c.flush(ctx)
	}
	return nil
}

// flush writes the group in one commit.
func (c *committer) flush(ctx context.Context) error {
	if len(c.group) == 0 {
		return nil
	}
	writes := make([]write, len(c.group))
	for i, j := range c.group {
		writes[i] = j.write()
	}
	if err := c.to.apply(ctx, writes); err != nil {
		return err
	}
	for _, j := range c.group {
		j.outcome = finished
		if err := c.settle(ctx, j); err != nil {
			return err
		}
	}
	c.held.Release(c.bytes)
	c.group, c.bytes = c.group[:0], 0
	return nil
}

// settle counts a job that is done. An error ends the run.
func (r *run) settle(ctx context.Context, j *job) error {
	switch j.outcome {
	case finished:
		written := int64(0)
		if j.contents != equal {
			written = max(j.want.size, 0)
		}
		r.wrote(&j.want, j.have == nil, written, j.rest())
	case kept:
		r.unchanged(&j.want, j.rest())
	case gone:
		r.skip(&j.want, j.err)
	default:
		if err := ctx.Err(); err != nil {
			return err
		}
		if ends(j.err) {
			return j.err
		}
		r.lose(&j.want, j.rest(), j.err)
	}
	return nil
}
