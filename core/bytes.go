package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Offset returns the number of bytes before block i, or all bytes for the length of the log. Tree nodes that are missing are
// fetched.
func (c *Core) Offset(ctx context.Context, i uint64) (uint64, error) {
	if c.pin != nil && i > c.pin.head.Length {
		return 0, c.pinned(i)
	}
	for try := 0; ; try++ {
		var offset uint64
		err := c.withTree(ctx, func(r merkle.Reader, t *merkle.Tree) (err error) {
			offset, err = merkle.ByteOffset(r, t, i)
			return err
		})
		switch {
		case err == nil:
			return offset - i*c.padding(), nil
		case errors.Is(err, merkle.ErrOutOfRange):
			return 0, fmt.Errorf("%w: %w", ErrOutOfRange, err)
		case !errors.Is(err, merkle.ErrMissingNode) && !errors.Is(err, merkle.ErrUnsureSize):
			return 0, err
		case try == maxTries:
			return 0, fmt.Errorf("%w: %w", ErrNotAvailable, err)
		}
		// The proof of a block brings the nodes, and proves their sizes: that of the block, or of the one before it where the
		// block is not the snapshot's.
		if c.pin != nil && i == c.pin.head.Length {
			_, err = c.stored(ctx, i-1)
		} else {
			_, err = c.stored(ctx, i)
		}
		if err != nil {
			return 0, err
		}
	}
}

// maxTries is how often tree nodes are asked for that are not there afterwards.
const maxTries = 64

// Seek returns the block that holds the byte at offset, and where in it the byte is. The end of the log is its length
// and 0; behind it is ErrOutOfRange. Tree nodes that are missing are fetched.
func (c *Core) Seek(ctx context.Context, offset uint64) (block, within uint64, err error) {
	for try := 0; ; try++ {
		err = c.withTree(ctx, func(r merkle.Reader, t *merkle.Tree) (err error) {
			block, within, err = merkle.Seek(r, c.pinnedTree(r, t), offset, c.padding())
			return err
		})
		switch {
		case err == nil && c.pin != nil && block >= c.pin.head.Length && (block > c.pin.head.Length || within > 0):
			return 0, 0, fmt.Errorf("%w: byte %d of a snapshot of %d blocks", ErrOutOfRange, offset, c.pin.head.Length)
		case err == nil:
			return block, within, nil
		case errors.Is(err, merkle.ErrOutOfRange):
			return 0, 0, fmt.Errorf("%w: byte %d of %d", ErrOutOfRange, offset, c.Head().ByteLength)
		case try == maxTries:
			err = fmt.Errorf("%w: %w", ErrNotAvailable, err)
		case errors.Is(err, merkle.ErrUnsureSize):
			// The sizes that led here were only claimed. The block that they lead to proves those on its path.
			if c.pin != nil {
				block = min(block, c.pin.head.Length-1) // whose proof brings the snapshot's own roots
			}
			_, err = c.stored(ctx, block)
		case errors.Is(err, merkle.ErrMissingNode):
			err = c.fetch(ctx, Want{Seek: &SeekWant{Bytes: offset, Padding: c.padding()}, Priority: 1})
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// pinnedTree is the tree of a snapshot, as far as its roots are here, else t.
func (c *Core) pinnedTree(r merkle.Reader, t *merkle.Tree) *merkle.Tree {
	if c.pin == nil || c.pin.head.Length >= t.Length {
		return t
	}
	if old, err := merkle.TreeAt(r, t, c.pin.head.Length); err == nil {
		return &old
	}
	return t
}

// withTree calls fn with the tree of the published state and its stored nodes, again when the log was cut meanwhile.
func (c *Core) withTree(ctx context.Context, fn func(r merkle.Reader, t *merkle.Tree) error) error {
	for {
		if err := errors.Join(c.check(), c.whole()); err != nil {
			return err
		}
		st, err := c.log.rooted(ctx)
		if err != nil {
			return err
		}
		t := st.tree()
		err = c.log.db.View(ctx, func(tx *datastore.Tx) error {
			r := c.log.nodeReader(tx)
			r.length = t.Length
			return fn(r, &t)
		})
		if cut := c.whole(); cut != nil {
			return cut // it came between: what was read may be of another fork
		}
		if c.log.settled(); c.log.current.Load().fork == st.fork {
			return err
		}
	}
}

// Bytes yields the bytes from offset on, n of them, in pieces that end where blocks end. They are those of the log as it is at
// the start: after an error it ends, with ErrTruncated when the log is cut below the length that it had then, ErrOutOfRange when
// offset is not in it, and io.ErrUnexpectedEOF when it has less than n bytes from there on.
func (c *Core) Bytes(ctx context.Context, offset, n uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if n == 0 {
			return
		}
		c := c.still() // where a byte is and what is there must be of one history
		block, skip, err := c.Seek(ctx, offset)
		if err != nil {
			yield(nil, err)
			return
		}
		for b, err := range c.Blocks(ctx, block, c.Head().Length) {
			if err != nil {
				yield(nil, err)
				return
			}
			b = b[min(skip, uint64(len(b))):]
			b, skip = b[:min(n, uint64(len(b)))], 0
			n -= uint64(len(b))
			if len(b) > 0 && !yield(b, nil) || n == 0 {
				return
			}
		}
		yield(nil, io.ErrUnexpectedEOF)
	}
}
