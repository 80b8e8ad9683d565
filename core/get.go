package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/bitfield"
)

// Get returns block i. One that is not stored is asked of the source, and Get returns when it came, or when ctx ends.
// A block whose stored bytes are corrupt counts as missing.
//
// It fails with ErrOutOfRange behind the end of the log, with ErrNotAvailable when there is no source, with a
// *CorruptError when a corrupt block cannot be had again, with ErrTruncated on a snapshot that was cut.
func (c *Core) Get(ctx context.Context, i uint64) ([]byte, error) {
	stored, err := c.stored(ctx, i)
	if err != nil {
		return nil, err
	}
	return c.open(i, stored)
}

// open decrypts a stored block, which it may overwrite.
func (c *Core) open(i uint64, stored []byte) ([]byte, error) {
	cipher := c.blockCipher()
	if cipher == nil {
		return stored, nil
	}
	plain, ok := cipher.open(i, stored)
	if !ok {
		return nil, fmt.Errorf("%w: block %d of %d bytes was not made by this encryption", ErrEncrypted, i, len(stored))
	}
	return plain, nil
}

// stored returns the bytes of a block as they are stored, fetching it when it is missing.
func (c *Core) stored(ctx context.Context, i uint64) ([]byte, error) {
	corrupt := false
	for {
		if err := errors.Join(c.check(), ctx.Err()); err != nil {
			return nil, err
		}
		b, err := c.local(ctx, i)
		var bad *CorruptError
		switch {
		case err == nil:
			return b, nil
		case errors.As(err, &bad):
			corrupt = true
		case !errors.Is(err, ErrNotAvailable):
			return nil, err
		}
		err = c.fetchBlock(ctx, i, bad != nil)
		if cut := c.pinned(i); cut != nil {
			return nil, cut
		}
		if corrupt && errors.Is(err, ErrNotAvailable) {
			return nil, &CorruptError{Block: i}
		}
		if err != nil {
			return nil, err
		}
	}
}

// fetchBlock returns when block i has come in, or is not worth waiting for any more.
func (c *Core) fetchBlock(ctx context.Context, i uint64, corrupt bool) error {
	ctx, done := c.whileWhole(ctx)
	defer done()
	return c.log.fetchBlock(ctx, i, corrupt)
}

// local reads a block from the store. Behind the end it is ErrOutOfRange if nobody can be asked for a longer log.
func (c *Core) local(ctx context.Context, i uint64) ([]byte, error) {
	if err := c.pinned(i); err != nil {
		return nil, err
	}
	b, err := c.current(ctx, i)
	if cut := c.pinned(i); cut != nil {
		return nil, cut // it came between: neither the block nor the error is about the snapshot
	}
	return b, err
}

// current reads a block of the log as it is now, whatever a snapshot holds on to.
func (c *Core) current(ctx context.Context, i uint64) ([]byte, error) {
	l := c.log
	st := l.current.Load()
	if i >= st.length {
		if c.pin == nil && l.source() != nil {
			return nil, ErrNotAvailable
		}
		return nil, outOfRange(i, st.length)
	}
	if err := l.need(ctx, i); err != nil {
		return nil, err
	}
	return l.read(ctx, i)
}

func outOfRange(i, length uint64) error {
	return fmt.Errorf("%w: block %d of %d", ErrOutOfRange, i, length)
}

// need fails with ErrNotAvailable when block i is not held.
func (l *log) need(ctx context.Context, i uint64) error {
	ok, err := l.has(ctx, i)
	if err != nil || ok {
		return err
	}
	return notHeld(i)
}

func notHeld(i uint64) error { return fmt.Errorf("%w: block %d", ErrNotAvailable, i) }

// read reads a block that is held. One that is corrupt, or is not there, is dropped, so that it can be fetched again.
func (l *log) read(ctx context.Context, i uint64) (b []byte, err error) {
	key := blockKey(l.id, i)
	err = l.db.View(ctx, func(tx *datastore.Tx) error {
		b, err = tx.Block(key)
		return err
	})
	if !lost(err) {
		return b, err
	}
	return l.recheck(ctx, i)
}

// lost tells whether a read failed because what was to be read is corrupt, or is not there.
func lost(err error) bool {
	return errors.Is(err, datastore.ErrCorrupt) || errors.Is(err, datastore.ErrNotFound)
}

// recheck looks again at a block that could not be read, with changes held off. If it is really bad it is dropped; if only
// its checksum is, which the tree tells, the block is stored anew.
func (l *log) recheck(ctx context.Context, i uint64) ([]byte, error) {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.alive(); err != nil {
		return nil, err
	}
	st := l.current.Load()
	if i >= st.length {
		return nil, outOfRange(i, st.length)
	}
	if err := l.need(ctx, i); err != nil {
		return nil, err
	}
	b, leaf, err := l.blockAndLeaf(ctx, i)
	var corrupt *datastore.CorruptError
	switch {
	case err == nil:
		return b, nil
	case errors.As(err, &corrupt) && corrupt.Value != nil && merkle.Leaf(i, corrupt.Value).Hash == leaf.Hash:
		return corrupt.Value, notWritten(l.restore(i, corrupt.Value))
	case !lost(err):
		return nil, err
	}
	if err := notWritten(l.drop(ctx, st, Range{i, i + 1}, Range{})); err != nil {
		return nil, err
	}
	return nil, &CorruptError{Block: i}
}

// notWritten leaves out the errors of a store that takes no writes: reading goes on without a repair.
func notWritten(err error) error {
	for _, e := range []error{datastore.ErrReadOnly, datastore.ErrNoSpace, datastore.ErrStoreFailed} {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

func (l *log) blockAndLeaf(ctx context.Context, i uint64) (b []byte, leaf merkle.Node, err error) {
	err = l.db.View(ctx, func(tx *datastore.Tx) error {
		nodes, err := l.nodeReader(tx).ReadNodes([]uint64{2 * i})
		if err != nil {
			return err
		}
		leaf = nodes[0]
		b, err = tx.Block(blockKey(l.id, i))
		return err
	})
	return b, leaf, err
}

// restore stores a block anew that was found to be right.
func (l *log) restore(i uint64, b []byte) error {
	return l.db.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.Lazy()
		tx.SetBlock(blockKey(l.id, i), b)
		return nil
	})
}

// drop forgets blocks and gives their space back, and that of the tree nodes below bare, where no block is held then. The
// caller holds write.
func (l *log) drop(ctx context.Context, st *state, r, bare Range) error {
	next := *st
	held, err := l.changeHeld(ctx, st, &next, nil, []Range{r})
	if err != nil {
		return err
	}
	pub := &publication{state: &next, held: held, dropped: []Range{r}, same: true}
	l.edge = nil
	return l.update(pub, func(tx *datastore.Tx) error {
		tx.Lazy()
		tx.DeleteBlocks(blockKey(l.id, r.Start), blockKey(l.id, r.End))
		clearNodes(tx, l.id, bare, st.length)
		held.write(tx, l)
		tx.Set(headKey(l.id), next.encode())
		return nil
	})
}

// Has tells whether all blocks from start up to, not including, end are stored here. It fails with ErrTruncated on a snapshot
// that was cut.
func (c *Core) Has(ctx context.Context, start, end uint64) (ok bool, err error) {
	if err := c.check(); err != nil {
		return false, err
	}
	if ok, err = c.has(ctx, start, end); err == nil {
		err = c.whole()
	}
	return ok && err == nil, err
}

func (c *Core) has(ctx context.Context, start, end uint64) (bool, error) {
	switch {
	case start >= end:
		return true, nil
	case c.pin != nil && end > c.pin.head.Length:
		return false, nil
	}
	return c.log.hasRange(ctx, start, end)
}

// Held returns the ranges of blocks that are stored here, within start and end, in ascending order. It fails with
// ErrTruncated on a snapshot that was cut.
func (c *Core) Held(ctx context.Context, start, end uint64) (list []Range, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.pin != nil {
		end = min(end, c.pin.head.Length)
	}
	err = c.log.withBits(ctx, func(b *bitfield.Bitfield) {
		st := c.log.current.Load()
		end := min(end, st.length)
		if start < st.contiguous && start < end {
			list = append(list, Range{start, min(end, st.contiguous)})
		}
		for from, to := range b.Runs(max(start, st.contiguous), end) {
			if n := len(list); n > 0 && list[n-1].End == from {
				list[n-1].End = to
				continue
			}
			list = append(list, Range{from, to})
		}
	})
	if err == nil {
		err = c.whole()
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}
