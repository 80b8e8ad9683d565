package core

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Reader reads the bytes of a log as one stream. It is an io.ReadSeeker and an io.WriterTo, for one goroutine.
type Reader struct {
	ctx   context.Context
	core  *Core
	head  Head
	epoch uint64 // of the log's cuts when head was taken
	pos   uint64
	block uint64 // the next one to read, if known
	known bool
	skip  uint64
	rest  []byte
}

// NewReader returns a reader over the bytes that the log has now. Its reads end with ctx, and fail with ErrTruncated once
// the log is cut below what it has now.
func (c *Core) NewReader(ctx context.Context) *Reader {
	epoch := c.log.epoch()
	return &Reader{ctx: ctx, core: c, head: c.Head(), epoch: epoch}
}

// Size returns the number of bytes that can be read.
func (r *Reader) Size() int64 { return int64(r.head.ByteLength) }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.rest) == 0 {
		if r.pos >= r.head.ByteLength {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest, r.pos = r.rest[n:], r.pos+uint64(n)
	return n, nil
}

// next reads the block at the position.
func (r *Reader) next() (err error) {
	if !r.known {
		if r.block, r.skip, err = r.core.Seek(r.ctx, r.pos); err != nil {
			return err
		}
		r.known = true
	}
	b, err := r.core.Get(r.ctx, r.block)
	if err == nil {
		err = r.core.log.uncut(r.epoch, r.head.Length)
	}
	if err != nil {
		return err
	}
	if r.skip > uint64(len(b)) {
		return fmt.Errorf("%w: block %d is shorter than its tree says", ErrCorrupt, r.block)
	}
	b = b[r.skip:]
	r.rest = b[:min(uint64(len(b)), r.head.ByteLength-r.pos)]
	r.block, r.skip = r.block+1, 0
	return nil
}

// Seek implements io.Seeker.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += int64(r.pos)
	case io.SeekEnd:
		offset += int64(r.head.ByteLength)
	default:
		return 0, fmt.Errorf("core: seek: whence %d", whence)
	}
	if offset < 0 {
		return 0, errors.New("core: seek: before the start")
	}
	if uint64(offset) != r.pos {
		r.pos, r.rest, r.known = uint64(offset), nil, false
	}
	return offset, nil
}

// WriteTo implements io.WriterTo: it writes what is left.
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	for r.pos < r.head.ByteLength {
		for b, err := range r.core.Bytes(r.ctx, r.pos, r.head.ByteLength-r.pos) {
			if err == nil {
				err = r.core.log.uncut(r.epoch, r.head.Length)
			}
			if err != nil {
				return written, err
			}
			n, err := w.Write(b)
			written += int64(n)
			r.pos, r.rest, r.known = r.pos+uint64(n), nil, false
			if err != nil {
				return written, err
			}
		}
	}
	return written, nil
}
