package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/hypernode/hypernode/datastore"
)

// A view that reads many blocks ends after as many bytes or blocks, so that an engine is not held up.
const (
	chunkBytes  = 1 << 20
	chunkBlocks = 1024
	chunkFirst  = 64 // blocks that there is room for from the start
)

// Blocks up to a size share pieces of memory: to hold on to one of them holds on to its piece.
const (
	slabBlock = 512
	slabSize  = 4 << 10
)

// slab copies blocks.
type slab struct{ free []byte }

func (s *slab) clone(b []byte) []byte {
	if len(b) > slabBlock {
		return bytes.Clone(b)
	}
	if s.free == nil || len(s.free) < len(b) {
		s.free = make([]byte, slabSize)
	}
	n := copy(s.free, b)
	b, s.free = s.free[:n:n], s.free[n:]
	return b
}

// Blocks yields the blocks from start up to, not including, end, in order. Blocks that are missing are fetched, more and more
// of them ahead, up to 1,024 or about 16 MiB. After an error it ends; with ErrTruncated when the log is cut below what was
// yielded. Each block is the caller's.
func (c *Core) Blocks(ctx context.Context, start, end uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		w := c.walk(start)
		defer w.ahead.tasks.Wait()
		defer cancel()
		w.to(ctx, end, yield)
	}
}

// walk is a way along the blocks of a log, all of one history.
type walk struct {
	core  *Core
	epoch uint64 // of the log's cuts when the first block was read
	start uint64
	next  uint64 // the block to yield next
	ahead ahead
}

func (c *Core) walk(start uint64) *walk {
	return &walk{core: c, start: start, next: start, ahead: ahead{core: c}}
}

// to yields blocks up to end. It tells whether all of them were yielded and taken.
func (w *walk) to(ctx context.Context, end uint64, yield func([]byte, error) bool) bool {
	for w.next < end {
		epoch := w.core.log.epoch()
		blocks, err := w.chunk(ctx, end)
		if w.next == w.start {
			if w.core.log.settled(); w.core.log.epoch() != epoch {
				continue // nothing was yielded yet: it begins with the log as it is now
			}
			w.epoch = epoch
		} else if cut := w.uncut(); cut != nil {
			err = cut // what was read, or went wrong, may be of another history
		}
		if err != nil {
			yield(nil, err)
			return false
		}
		for _, b := range blocks {
			if b, err = w.core.open(w.next, b); !yield(b, err) || err != nil {
				return false
			}
			w.next++
		}
	}
	return true
}

// uncut tells whether what was yielded is still the beginning of the log.
func (w *walk) uncut() error {
	if w.next == w.start {
		return nil
	}
	return w.core.log.uncut(w.epoch, w.next)
}

// whileUncut returns a context that ends with ctx, and once what was yielded is not the beginning of the log any more.
func (w *walk) whileUncut(ctx context.Context) (_ context.Context, done func()) {
	if w.next == w.start {
		return ctx, func() {}
	}
	return w.core.log.untilCut(ctx, w.epoch, w.next)
}

// chunk returns the next blocks, as they are stored: as many as are here, up to the size of a chunk, at least one.
func (w *walk) chunk(ctx context.Context, end uint64) ([][]byte, error) {
	c := w.core
	run, err := c.run(ctx, w.next, min(end, w.next+chunkBlocks))
	if err != nil {
		return nil, err
	}
	if run == 0 || w.ahead.asked > 0 {
		w.ahead.reach(ctx, w.next+run, end)
	}
	if run == 0 {
		var done func()
		ctx, done = w.whileUncut(ctx)
		defer done()
		if err = w.ahead.arrives(ctx, w.next); err == nil {
			run, err = c.run(ctx, w.next, min(end, w.next+chunkBlocks))
		}
		if err != nil {
			return nil, err
		}
	}
	if run > 1 { // else it is got faster than iterated over
		if blocks, err := c.read(ctx, w.next, w.next+run); err != nil || len(blocks) > 0 {
			return blocks, err
		}
	}
	b, err := c.stored(ctx, w.next)
	return [][]byte{b}, err
}

// run returns how many blocks from start on are stored, up to end.
func (c *Core) run(ctx context.Context, start, end uint64) (uint64, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	if c.pin != nil {
		if end = min(end, c.pin.head.Length); start >= end {
			return 0, nil // stored tells why
		}
	}
	if contiguous := c.log.current.Load().contiguous; start < contiguous {
		return min(end, contiguous) - start, nil
	}
	list, err := c.Held(ctx, start, end)
	if err != nil || len(list) == 0 || list[0].Start != start {
		return 0, err
	}
	return list[0].End - start, nil
}

// read reads stored blocks in one view, up to the size of a chunk; it ends early before one that cannot be read, which
// stored then looks into.
func (c *Core) read(ctx context.Context, start, end uint64) (list [][]byte, err error) {
	l, size, next := c.log, 0, start
	list = make([][]byte, 0, min(end-start, chunkFirst))
	var memory slab
	prefix := dataKey(l.id)
	err = l.db.View(ctx, func(tx *datastore.Tx) error {
		for rec, err := range tx.Blocks(blockKey(l.id, start), blockKey(l.id, end)) {
			if errors.Is(err, datastore.ErrCorrupt) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("core: reading blocks: %w", err)
			}
			if i, _, ok := datastore.ParseUint(rec.Key[len(prefix):]); !ok || i != next {
				return nil
			}
			list = append(list, memory.clone(rec.Value))
			next++
			if size += len(rec.Value); size >= chunkBytes {
				return nil
			}
		}
		return nil
	})
	if err == nil && len(list) > 0 {
		err = c.pinned(next - 1)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Live yields the blocks from start on, and goes on with those that are appended later, which it asks peers for before they
// are there, until ctx ends: then it yields ctx's error. When the log is cut below what was yielded it ends with ErrTruncated.
func (c *Core) Live(ctx context.Context, start uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		w := c.walk(start)
		defer w.ahead.tasks.Wait()
		defer cancel()
		head := c.Head()
		w.ahead.follow(ctx, max(start, head.Length))
		for w.to(ctx, head.Length, yield) {
			next, err := c.Wait(ctx, head)
			if err == nil {
				err = w.uncut()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			head = next
		}
	}
}

// Wait returns the head as soon as it differs from since: at once, if it does already. That of a snapshot never does: then it
// ends with ErrTruncated, or with ctx.
func (c *Core) Wait(ctx context.Context, since Head) (Head, error) {
	for {
		changed := c.log.waitChange()
		if err := c.check(); err != nil {
			return Head{}, err
		}
		if h := c.Head(); h != since {
			return h, nil
		}
		if err := c.whole(); err != nil {
			return Head{}, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Head{}, ctx.Err()
		}
	}
}
