package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

const coreBlock = 100 // bytes of the one block in each of many cores

func coreName(i uint64) corestore.Ref { return corestore.Name(fmt.Sprintf("core-%d", i)) }

// createCores makes many cores of one block each.
func createCores(ctx context.Context, t *task) (figures, error) {
	s, err := openStore(ctx, t)
	if err != nil {
		return nil, err
	}
	watch := startWatch()
	var block []byte
	for i := uint64(0); err == nil && i < t.Count; i++ {
		block = t.pool.block(block, i, coreBlock)
		err = createCore(ctx, s, i, block)
	}
	f := figures{}
	watch.perOp(f, "cores.create", t.Count)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	f["disk.cores"], err = used(ctx, t)
	return f, err
}

func createCore(ctx context.Context, s *store, i uint64, block []byte) error {
	c, err := s.Open(ctx, coreName(i))
	if err != nil {
		return err
	}
	_, err = c.Append(ctx, block)
	return errors.Join(err, c.Close())
}

// openCores opens many cores and keeps them open, and tells what that takes beyond the open store.
func openCores(ctx context.Context, t *task) (figures, error) {
	s, err := openStore(ctx, t)
	if err != nil {
		return nil, err
	}
	handles := make([]*core.Core, t.Count)
	rss, heap, err := resident()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	watch := startWatch()
	for i := range handles {
		if handles[i], err = s.Open(ctx, coreName(uint64(i))); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	f, n := figures{}, float64(t.Count)
	watch.perOp(f, "cores.open", t.Count)
	allRSS, allHeap, err := resident()
	f["cores.rss"], f["cores.heap"] = (allRSS-rss)/n/1024, (allHeap-heap)/n/1024
	f["cores.goroutines"] = float64(runtime.NumGoroutine())
	for i, c := range handles {
		if err == nil {
			err = t.checkCore(ctx, c, uint64(i))
		}
	}
	return f, errors.Join(err, s.Close())
}

// checkCore compares the block of one of many cores.
func (t *task) checkCore(ctx context.Context, c *core.Core, i uint64) error {
	b, err := c.Get(ctx, 0)
	if err == nil && !t.pool.is(b, i, coreBlock) {
		err = fmt.Errorf("core %d has another block", i)
	}
	return err
}

// resident returns the memory of this process after a collection, and the part of it that is the heap, in bytes.
func resident() (rss, heap float64, err error) {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	heap = float64(m.HeapAlloc)
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return heap, heap, nil // a system without it: the heap alone
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0, 0, err
	}
	return pages * float64(os.Getpagesize()), heap, nil
}
