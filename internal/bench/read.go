package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/core"
)

// reopen reads a store that another process filled. What the kernel caches stays warm.
func reopen(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	err := withBench(ctx, t, func(c *core.Core) error {
		if err := t.read(ctx, c, "reopen", f); err != nil {
			return err
		}
		return t.checkTree(c)
	})
	return f, err
}

// read measures random reads, one after the other and by 32 workers, and reading all in order. Each block is compared.
func (t *task) read(ctx context.Context, c *core.Core, when string, f figures) error {
	name := "." + t.Name + "." + when
	draw, indexes := rng(42), make([]uint64, t.Gets)
	for i := range indexes {
		indexes[i] = draw.next(t.Count)
	}
	took := make([]time.Duration, len(indexes))
	watch := startWatch()
	for k, i := range indexes {
		call := time.Now()
		if err := t.get(ctx, c, i); err != nil {
			return err
		}
		took[k] = time.Since(call)
	}
	watch.stop(f, "get"+name, uint64(t.Gets), t.Size)
	f["get"+name+".p50us"], f["get"+name+".p99us"] = percentile(took, 50), percentile(took, 99)

	watch = startWatch()
	if err := t.getMany(ctx, c, indexes); err != nil {
		return err
	}
	watch.stop(f, "get32"+name, uint64(t.Gets), t.Size)

	watch = startWatch()
	if err := t.iterate(ctx, c); err != nil {
		return err
	}
	watch.stop(f, "iterate"+name, t.Count, t.Size)
	return nil
}

func (t *task) get(ctx context.Context, c *core.Core, i uint64) error {
	b, err := c.Get(ctx, i)
	if err == nil && !t.pool.is(b, i, t.Size) {
		err = fmt.Errorf("block %d has other bytes", i)
	}
	return err
}

// getMany has 32 workers read, each one block at a time.
func (t *task) getMany(ctx context.Context, c *core.Core, indexes []uint64) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range 32 {
		g.Go(func() error {
			for {
				k := next.Add(1) - 1
				if k >= int64(len(indexes)) {
					return nil
				}
				if err := t.get(ctx, c, indexes[k]); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

func (t *task) iterate(ctx context.Context, c *core.Core) error {
	i := uint64(0)
	for b, err := range c.Blocks(ctx, 0, t.Count) {
		if err != nil {
			return err
		}
		if !t.pool.is(b, i, t.Size) {
			return fmt.Errorf("block %d has other bytes", i)
		}
		i++
	}
	if i != t.Count {
		return fmt.Errorf("%d blocks came, want %d", i, t.Count)
	}
	return nil
}
