package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// Reader reads one blob. It is an io.ReadSeekCloser, an io.ReaderAt and an io.WriterTo; ReadAt may be called from several
// goroutines, the rest from one. Nothing outside of the blob is ever read, whatever its id says.
//
// Blocks that are missing are fetched: those that one call needs together, and, while calls follow each other, more and more ahead
// of them.
type Reader struct {
	ctx    context.Context
	blobs  *Blobs
	id     ID
	layout layout
	ahead  *ahead
	pos    int64
	piece  piece // the block that was read last
}

// piece is one block of the blob: its place among the blocks, the offset of its first byte, its data.
type piece struct {
	place, start uint64
	data         []byte
}

func (p *piece) end() uint64 { return p.start + uint64(len(p.data)) }

// Open returns a reader of a blob, whose reads end with ctx. The block map is read if there is one. It fails with ErrInvalidID or
// ErrInvalidMap, or as core.Get does.
func (b *Blobs) Open(ctx context.Context, id ID) (*Reader, error) {
	if err := id.Check(); err != nil {
		return nil, err
	}
	r := &Reader{ctx: ctx, blobs: b, id: id, ahead: newAhead(ctx, b)}
	if !id.BlockMap {
		r.layout = newRunLayout(b.core, id, uint64(b.size))
		return r, nil
	}
	chunks, err := b.Map(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("blobs: the block map %s: %w", id, beyond(b.core, err))
	}
	r.layout = newMapLayout(chunks)
	return r, nil
}

// Get returns the bytes of a blob.
func (b *Blobs) Get(ctx context.Context, id ID) ([]byte, error) {
	r, err := b.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.bytes(0, r.Size())
}

// ReadRange returns n bytes of a blob from an offset on: fewer when it ends before, none behind its end. A negative n means all.
func (b *Blobs) ReadRange(ctx context.Context, id ID, offset, n int64) ([]byte, error) {
	r, err := b.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	offset = max(0, min(offset, r.Size()))
	if rest := r.Size() - offset; n < 0 || n > rest {
		n = rest
	}
	return r.bytes(offset, n)
}

// trusted is how much memory is taken on the word of an id, before there are bytes to fill it.
const trusted = 16 << 20

func (r *Reader) bytes(offset, n int64) ([]byte, error) {
	out := make([]byte, 0, min(n, trusted))
	err := r.walk(uint64(offset), uint64(n), func(p []byte) error {
		out = append(out, p...)
		return nil
	})
	return out, err
}

// Size returns the length of the blob in bytes.
func (r *Reader) Size() int64 { return int64(r.layout.size()) }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, r.usable()
	}
	n, err := r.read(p, r.pos, &r.piece)
	if n == 0 {
		return 0, err
	}
	r.ahead.after(r.layout, uint64(r.pos), uint64(r.pos)+uint64(n), r.piece.place)
	r.pos += int64(n)
	return n, nil
}

// ReadAt implements io.ReaderAt.
func (r *Reader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("blobs: read at a negative offset")
	}
	var at piece
	for n < len(p) && err == nil {
		var k int
		k, err = r.read(p[n:], off+int64(n), &at)
		n += k
	}
	if n > 0 {
		r.ahead.after(r.layout, uint64(off), uint64(off)+uint64(n), at.place)
	}
	return n, err
}

// read reads up to the end of one block. at is the last block read.
func (r *Reader) read(p []byte, off int64, at *piece) (int, error) {
	if err := r.usable(); err != nil {
		return 0, err
	}
	size := r.layout.size()
	if uint64(off) >= size {
		return 0, io.EOF
	}
	want := min(uint64(len(p)), size-uint64(off))
	if err := r.seek(uint64(off), want, at); err != nil {
		return 0, err
	}
	return copy(p[:want], at.data[uint64(off)-at.start:]), nil
}

// seek makes at the block that has the byte at an offset, of which, with those behind it, want bytes are needed.
func (r *Reader) seek(off, want uint64, at *piece) error {
	if at.data != nil && off >= at.start && off < at.end() {
		return nil
	}
	place, start := at.place+1, at.end()
	if at.data == nil || off != start {
		r.ahead.request(r.layout, off, want)
		var err error
		if place, start, err = r.layout.find(r.ctx, off); err != nil {
			return err
		}
	}
	if place >= r.layout.count() {
		return fmt.Errorf("%w: %s: its blocks have fewer bytes", ErrInvalidID, r.id)
	}
	for {
		data, err := r.get(place)
		if err != nil {
			return err
		}
		*at = piece{place, start, data}
		if off < at.end() {
			return nil
		}
		if place, start = place+1, at.end(); place >= r.layout.count() { // empty blocks are left out
			return fmt.Errorf("%w: %s: its blocks have fewer bytes", ErrInvalidID, r.id)
		}
	}
}

// get returns the block at a place.
func (r *Reader) get(place uint64) ([]byte, error) {
	index, size, known := r.layout.block(place)
	data, err := r.blobs.core.Get(r.ctx, index)
	if err != nil {
		return nil, fmt.Errorf("blobs: block %d of %s: %w", index, r.id, beyond(r.blobs.core, err))
	}
	if known && uint64(len(data)) != size {
		return nil, fmt.Errorf("%w: block %d has %d bytes, not %d", ErrInvalidMap, index, len(data), size)
	}
	return data, nil
}

// WriteTo implements io.WriterTo: it writes what is left.
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	left := r.Size() - r.pos
	if left <= 0 {
		return 0, r.usable()
	}
	err = r.walk(uint64(r.pos), uint64(left), func(p []byte) error {
		n, err := w.Write(p)
		written += int64(n)
		return err
	})
	r.pos += written
	return written, err
}

// Seek implements io.Seeker.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		if offset > math.MaxInt64-r.pos {
			return 0, errors.New("blobs: seek: too far")
		}
		offset += r.pos
	case io.SeekEnd:
		if offset > math.MaxInt64-r.Size() {
			return 0, errors.New("blobs: seek: too far")
		}
		offset += r.Size()
	default:
		return 0, fmt.Errorf("blobs: seek: whence %d", whence)
	}
	if offset < 0 {
		return 0, errors.New("blobs: seek: before the start")
	}
	r.pos = offset
	return offset, nil
}

// Close ends the reader, and what it fetches ahead. A second call does nothing.
func (r *Reader) Close() error {
	r.ahead.close()
	return nil
}

func (r *Reader) usable() error {
	if r.ahead.closed() {
		return ErrClosed
	}
	return r.ctx.Err()
}
