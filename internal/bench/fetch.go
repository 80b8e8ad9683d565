package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/core"
)

// tailSize is how many bytes the blocks have whose way to a reader is measured.
const tailSize = 32

// copyCore downloads a core, measured from before the connection is made to the last block.
func copyCore(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	b := t.Cores[0]
	return f, withPeer(ctx, t, func(ctx context.Context, p *peer) error {
		c, err := p.remote(ctx, b.Key)
		if err != nil {
			return err
		}
		w := startWatch()
		p.dial(ctx, t.Ports)
		if err := c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: b.Count}}}); err != nil {
			return err
		}
		w.span(f)
		if c.Contiguous() != b.Count {
			return fmt.Errorf("%d of %d blocks came", c.Contiguous(), b.Count)
		}
		checked := *t
		checked.Count, checked.Size = b.Count, b.Size
		return checked.checkTree(c)
	})
}

// followTail reads blocks as they are appended, and measures how long after the begin of their append they are here. Those
// that come first are not counted.
func followTail(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	took := make([]time.Duration, 0, t.Gets)
	err := withPeer(ctx, t, func(ctx context.Context, p *peer) error {
		c, err := p.remote(ctx, t.Cores[0].Key)
		if err != nil {
			return err
		}
		p.dial(ctx, t.Ports)
		if _, err := c.Wait(ctx, core.Head{}); err != nil {
			return err
		}
		start := c.Head().Length
		if start < t.Cores[0].Count {
			return fmt.Errorf("%d blocks are there, want %d", start, t.Cores[0].Count)
		}
		if err := say(hello{}); err != nil {
			return err
		}
		w := startWatch()
		for b, err := range c.Live(ctx, start) {
			if err != nil {
				return err
			}
			took = append(took, time.Since(time.Unix(0, int64(binary.LittleEndian.Uint64(b)))))
			if len(took) == t.Gets {
				break
			}
		}
		w.span(f)
		return nil
	})
	tailFigures(f, took)
	return f, err
}

// tailFigures are those of what comes after the first eleventh, in milliseconds.
func tailFigures(f figures, took []time.Duration) {
	took = took[len(took)/11:]
	f["tail.p50"], f["tail.p99"] = percentile(took, 50)/1000, percentile(took, 99)/1000
}

// sparseGets reads random blocks, all at once, of a core of which nothing is here, measured from before the connection is made.
func sparseGets(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	b := t.Cores[0]
	return f, withPeer(ctx, t, func(ctx context.Context, p *peer) error {
		c, err := p.remote(ctx, b.Key)
		if err != nil {
			return err
		}
		w := startWatch()
		p.dial(ctx, t.Ports)
		g, gctx := errgroup.WithContext(ctx)
		draw := rng(42)
		for range t.Gets {
			i := draw.next(b.Count)
			g.Go(func() error { return t.getOf(gctx, c, b, i) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		w.span(f)
		f["sparse"] = (f["end"] - f["start"]) * 1000
		return nil
	})
}

func (t *task) getOf(ctx context.Context, c *core.Core, b coreTask, i uint64) error {
	v, err := c.Get(ctx, i)
	if err == nil && !t.pool.is(v, i, b.Size) {
		err = fmt.Errorf("block %d has other bytes", i)
	}
	return err
}

// besideBulk measures single random gets of the second core, one after the other: first alone, then while the first core is
// downloaded over the same connection.
func besideBulk(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	bulk, small := t.Cores[0], t.Cores[1]
	return f, withPeer(ctx, t, func(ctx context.Context, p *peer) error {
		c, err := p.remote(ctx, bulk.Key)
		if err != nil {
			return err
		}
		s, err := p.remote(ctx, small.Key)
		if err != nil {
			return err
		}
		p.dial(ctx, t.Ports)
		if _, err := s.Wait(ctx, core.Head{}); err != nil {
			return err
		}
		next := spreadOver(small.Count)
		idle, err := t.latencies(ctx, s, next, func(n int) bool { return n < t.Gets })
		if err != nil {
			return err
		}
		w := startWatch()
		done := make(chan error, 1)
		go func() { done <- c.Download(ctx, core.Want{Ranges: []core.Range{{Start: 0, End: bulk.Count}}}) }()
		busy, err := t.latencies(ctx, s, next, func(int) bool { return len(done) == 0 })
		if err != nil {
			return err
		}
		w.span(f)
		f["bulk"] = float64(bulk.Count) * float64(bulk.Size) / (f["end"] - f["start"]) / (1 << 20)
		f["gets"] = float64(len(busy))
		f["idle.p50"], f["idle.p99"] = percentile(idle, 50)/1000, percentile(idle, 99)/1000
		f["busy.p50"], f["busy.p99"] = percentile(busy, 50)/1000, percentile(busy, 99)/1000
		f["beside"] = f["busy.p99"] / f["idle.p99"]
		return <-done
	})
}

// latencies gets blocks one after the other as long as more says so, told how many there were.
func (t *task) latencies(ctx context.Context, c *core.Core, next func() uint64, more func(int) bool) (took []time.Duration, err error) {
	for more(len(took)) {
		i := next()
		start := time.Now()
		if err := t.getOf(ctx, c, t.Cores[1], i); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}

// spreadOver draws numbers below n by chance, none twice before all were drawn.
func spreadOver(n uint64) func() uint64 {
	const step = 7_368_787 // a prime larger than any n
	i := uint64(0)
	return func() uint64 {
		i = (i + step) % n
		return i
	}
}
