package blobs

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/hypernode/hypernode/core"
)

// groupBytes is how much a Writer gathers before it appends: one commit for many blocks. It holds two groups at most, one that is
// being filled and one that is being appended.
const groupBytes = 8 << 20

// WriterOptions say how a blob is written. The zero value cuts it into blocks of the usual size.
type WriterOptions struct {
	// Dedup writes no block twice, within the blob or when Base has it: the blob gets a block map, and Write cuts it where its
	// content says so (see Chunker).
	Dedup bool
	// Base is an earlier version of the blob, whose blocks are used again. It is read if it has no block map. Only with Dedup.
	Base *ID
	// BlockMap gives the blob a block map without looking for equal blocks.
	BlockMap bool
}

// Writer writes one blob of any length in bounded memory. It gathers groups of blocks and appends one while the next is being
// filled. From the first group on it has the right to write to the core alone, until it is closed or aborted. It is for one
// goroutine.
type Writer struct {
	ctx     context.Context
	blobs   *Blobs
	options WriterOptions
	tail    *Tail // nil until the first group is full
	id      ID
	blocks  [][]byte // of the present group
	size    int      // of blocks in bytes
	block   []byte   // the block that Write fills; nil between blocks
	free    [][]byte // blocks of groups that are appended, to be filled again
	flight  chan error
	chunker *Chunker
	dedup   *dedup
	err     error
	done    bool
}

// NewWriter returns a Writer. Its appends end with ctx.
func (b *Blobs) NewWriter(ctx context.Context, o WriterOptions) *Writer {
	w := &Writer{ctx: ctx, blobs: b, options: o}
	if o.Dedup {
		w.chunker = NewChunker()
	}
	return w
}

// Write implements io.Writer: it cuts what is written into blocks of the usual size, or with Dedup where the content says so.
func (w *Writer) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if err := w.usable(); err != nil {
			return n, err
		}
		k, full := w.cut(p[n:])
		if w.block == nil {
			w.begin(k)
		}
		w.block = append(w.block, p[n:n+k]...)
		if n += k; full {
			w.endBlock()
		}
	}
	return n, w.usable()
}

// cut returns how many bytes of p go into the present block, and whether they fill it.
func (w *Writer) cut(p []byte) (n int, full bool) {
	if w.chunker != nil {
		return w.chunker.Next(p)
	}
	n = min(len(p), w.blobs.size-len(w.block))
	return n, len(w.block)+n == w.blobs.size
}

// begin makes place for a new block: that of a block which is appended, if there is one.
func (w *Writer) begin(size int) {
	if n := len(w.free); n > 0 {
		w.block, w.free = w.free[n-1][:0], w.free[:n-1]
		return
	}
	w.block = make([]byte, 0, size)
}

// endBlock ends the block that Write fills.
func (w *Writer) endBlock() {
	b := w.block
	w.block = nil
	w.err = w.add(b)
}

// WriteBlock writes one block as it is, also an empty one; what Write had begun is a block before it. The data is copied.
func (w *Writer) WriteBlock(p []byte) error {
	if w.block != nil {
		w.endBlock()
	}
	if err := w.usable(); err != nil {
		return err
	}
	w.begin(len(p))
	w.block = append(w.block, p...)
	w.endBlock()
	return w.usable()
}

// ReadFrom implements io.ReaderFrom: it reads until the end.
func (w *Writer) ReadFrom(r io.Reader) (n int64, err error) {
	if w.chunker != nil {
		return io.Copy(writeOnly{w}, r)
	}
	for {
		if err := w.usable(); err != nil {
			return n, err
		}
		if w.block == nil {
			w.begin(w.blobs.size)
		}
		w.block = slices.Grow(w.block, w.blobs.size-len(w.block))
		k, err := io.ReadFull(r, w.block[len(w.block):w.blobs.size])
		w.block = w.block[:len(w.block)+k]
		n += int64(k)
		switch {
		case err == nil:
			w.endBlock()
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if len(w.block) == 0 {
				w.block = nil
			}
			return n, nil
		default:
			return n, err
		}
	}
}

// writeOnly hides ReadFrom.
type writeOnly struct{ io.Writer }

func (w *Writer) usable() error {
	if w.done {
		return ErrClosed
	}
	return w.err
}

// add takes a block to the present group, unless it is written already.
func (w *Writer) add(b []byte) error {
	if w.options.Dedup || w.options.BlockMap {
		fresh, err := w.note(b)
		if err == nil && !fresh {
			w.free = append(w.free, b)
		}
		if err != nil || !fresh {
			return err
		}
	}
	w.blocks = append(w.blocks, b)
	if w.size += len(b); w.size < groupBytes {
		return nil
	}
	return w.flush()
}

// flush begins to append the present group, once the one before is appended.
func (w *Writer) flush() error {
	if err := w.land(); err != nil {
		return err
	}
	if err := w.lock(); err != nil {
		return err
	}
	for _, b := range w.blocks {
		w.tail.add(b)
	}
	done, pending := make(chan error, 1), w.tail.Pending()
	go func() { done <- core.AppendTogether(w.ctx, pending) }()
	w.flight = done
	w.blocks, w.size = nil, 0
	return nil
}

// land waits for the group that is being appended.
func (w *Writer) land() error {
	if w.flight == nil {
		return nil
	}
	err := <-w.flight
	w.flight = nil
	if err == nil {
		w.free = w.tail.Appended()
	}
	return err
}

// lock gets the right to write, and with it the place where the blob begins.
func (w *Writer) lock() (err error) {
	if w.tail != nil {
		return nil
	}
	if w.tail, err = w.blobs.Lock(w.ctx); err == nil {
		w.id = ID{BlockOffset: w.tail.next(), ByteOffset: w.tail.bytes}
	}
	return err
}

// Finish ends the blob without appending its last blocks: they wait in the tail, which the caller has to Flush, or to append
// together with what tells of the blob, and then to Unlock. After an error there is no tail.
func (w *Writer) Finish() (ID, *Tail, error) {
	err := w.usable()
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		w.Abort()
		return ID{}, nil, err
	}
	w.done = true
	return w.id, w.tail, nil
}

func (w *Writer) finish() error {
	if w.block != nil {
		if w.endBlock(); w.err != nil {
			return w.err
		}
	}
	if err := w.land(); err != nil {
		return err
	}
	if err := w.lock(); err != nil {
		return err
	}
	for _, b := range w.blocks {
		w.tail.add(b)
	}
	if w.options.Dedup || w.options.BlockMap {
		w.id = ID{BlockOffset: w.tail.next(), ByteOffset: w.tail.bytes, BlockMap: true}
		for _, b := range EncodeMap(w.dedup.list()) {
			w.tail.add(b)
		}
	}
	w.id = w.tail.end(w.id)
	return nil
}

// Close ends the blob, which then is in the core.
func (w *Writer) Close() error {
	if w.done {
		return w.err
	}
	_, tail, err := w.Finish()
	if err == nil {
		err = tail.Flush(w.ctx)
		tail.Unlock()
	}
	w.err = err
	return err
}

// ID returns where the blob is, once it was closed.
func (w *Writer) ID() ID { return w.id }

// Abort gives the blob up. Blocks that were appended remain in the core, and nothing names them. After Close or Finish it does nothing.
func (w *Writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	if w.flight != nil {
		<-w.flight
		w.flight = nil
	}
	if w.tail != nil {
		w.tail.Unlock()
	}
}
