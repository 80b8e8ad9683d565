package main

import (
	"context"
	"errors"
	"time"

	"github.com/hypernode/hypernode/core"
)

// appendBlocks fills a new store and measures that.
func appendBlocks(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	err := withBench(ctx, t, func(c *core.Core) error { return t.append(ctx, c, f) })
	if err != nil {
		return nil, err
	}
	f["disk."+t.Name], err = used(ctx, t)
	return f, err
}

// fill does the same and reads in the same process, the store as warm as it gets.
func fill(ctx context.Context, t *task) (figures, error) {
	f := figures{}
	err := withBench(ctx, t, func(c *core.Core) error {
		if err := t.append(ctx, c, f); err != nil {
			return err
		}
		return t.read(ctx, c, "warm", f)
	})
	if err != nil {
		return nil, err
	}
	f["disk."+t.Name], err = used(ctx, t)
	return f, err
}

// withBench opens the core for fn, and closes the store.
func withBench(ctx context.Context, t *task, fn func(c *core.Core) error) error {
	s, err := openStore(ctx, t)
	if err != nil {
		return err
	}
	c, err := s.bench(ctx)
	if err == nil {
		err = fn(c)
	}
	return errors.Join(err, s.Close())
}

// append appends the blocks of the task. Making them is part of what is measured.
func (t *task) append(ctx context.Context, c *core.Core, f figures) error {
	blocks := make([][]byte, t.Batch)
	took := make([]time.Duration, 0, t.Count/uint64(t.Batch)+1)
	watch := startWatch()
	for i := uint64(0); i < t.Count; {
		n := min(uint64(t.Batch), t.Count-i)
		for k := range blocks[:n] {
			blocks[k] = t.pool.block(blocks[k], i+uint64(k), t.Size)
		}
		call := time.Now()
		if _, err := c.Append(ctx, blocks[:n]...); err != nil {
			return err
		}
		took = append(took, time.Since(call))
		i += n
	}
	watch.stop(f, "append."+t.Name, t.Count, t.Size)
	f["append."+t.Name+".p50us"], f["append."+t.Name+".p99us"] = percentile(took, 50), percentile(took, 99)
	return t.checkTree(c)
}
