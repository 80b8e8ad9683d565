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
	core  *Core  // the log as it was when the reader was made
	size  uint64 // once it was measured
	sized bool
	pos   uint64
	block uint64 // the next one to read, if known
	known bool
	skip  uint64
	rest  []byte
}

// NewReader returns a reader over the bytes that the log has now. Its reads end with ctx, and fail with ErrTruncated once
// the log is cut below what it has now.
func (c *Core) NewReader(ctx context.Context) *Reader {
	return &Reader{ctx: ctx, core: c.still()}
}

// Size returns the number of bytes that can be read. It is 0 when the tree nodes that tell it cannot be had; then reads say why.
func (r *Reader) Size() int64 {
	_ = r.measure()
	return int64(r.size)
}

// measure finds out the size. The head of a snapshot that is shorter than the log does not have it.
func (r *Reader) measure() (err error) {
	if r.sized {
		return nil
	}
	if p := r.core.pin; p.state != nil {
		r.size = p.head.ByteLength
	} else if r.size, err = r.core.Offset(r.ctx, p.head.Length); err != nil {
		return err
	}
	r.sized = true
	return nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.measure(); err != nil {
		return 0, err
	}
	for len(r.rest) == 0 {
		if r.pos >= r.size {
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
	if err != nil {
		return err
	}
	if r.skip > uint64(len(b)) {
		return fmt.Errorf("%w: block %d is shorter than its tree says", ErrCorrupt, r.block)
	}
	b = b[r.skip:]
	r.rest = b[:min(uint64(len(b)), r.size-r.pos)]
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
		if err := r.measure(); err != nil {
			return 0, err
		}
		offset += int64(r.size)
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
	if err := r.measure(); err != nil {
		return 0, err
	}
	for r.pos < r.size {
		for b, err := range r.core.Bytes(r.ctx, r.pos, r.size-r.pos) {
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
