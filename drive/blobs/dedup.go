package blobs

import (
	"context"
	"fmt"

	"golang.org/x/crypto/blake2b"
)

// dedup remembers the chunks of a blob that is being written, and where blocks are that need not be written again.
type dedup struct {
	chunks []Chunk
	known  map[[32]byte]Chunk
}

func (d *dedup) list() []Chunk {
	if d == nil {
		return nil
	}
	return d.chunks
}

// note adds a block to the map of the blob. It tells whether it has to be written.
func (w *Writer) note(b []byte) (fresh bool, err error) {
	if err := w.lock(); err != nil {
		return false, err
	}
	if w.dedup == nil {
		if w.dedup, err = w.blobs.learn(w.ctx, w.options); err != nil {
			return false, err
		}
	}
	d := w.dedup
	if len(d.chunks) == MaxMapBlocks*MapChunks {
		return false, fmt.Errorf("%w: more than %d chunks", ErrInvalidMap, len(d.chunks))
	}
	c := Chunk{Block: w.next(), Size: uint64(len(b))}
	if w.options.Dedup {
		hash := blake2b.Sum256(b)
		if old, ok := d.known[hash]; ok {
			d.chunks = append(d.chunks, old)
			return false, nil
		}
		d.known[hash] = c
	}
	d.chunks = append(d.chunks, c)
	return true, nil
}

// next is the index that the next block will have.
func (w *Writer) next() uint64 { return w.tail.next() + uint64(len(w.blocks)) }

// learn reads the blocks that can be used again.
func (b *Blobs) learn(ctx context.Context, o WriterOptions) (*dedup, error) {
	d := &dedup{known: map[[32]byte]Chunk{}}
	if !o.Dedup || o.Base == nil {
		return d, nil
	}
	chunks, err := b.Map(ctx, *o.Base)
	if err != nil {
		return nil, fmt.Errorf("blobs: the blocks of %s: %w", o.Base, err)
	}
	for _, c := range chunks {
		data, err := b.core.Get(ctx, c.Block)
		if err != nil {
			return nil, fmt.Errorf("blobs: block %d of %s: %w", c.Block, o.Base, err)
		}
		if hash := blake2b.Sum256(data); uint64(len(data)) == c.Size {
			if _, ok := d.known[hash]; !ok {
				d.known[hash] = c
			}
		}
	}
	return d, nil
}
