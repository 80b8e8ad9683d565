package blobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core"
)

// DefaultBlockSize is the size of the blocks that a blob is cut into, in bytes; the last one may be smaller.
const DefaultBlockSize = 64 << 10

// Options of New. The zero value holds the defaults.
type Options struct {
	// BlockSize in bytes; 0 means DefaultBlockSize.
	BlockSize int
}

// Blobs reads and writes the blobs of one core. Its methods may be called from several goroutines.
type Blobs struct {
	core *core.Core
	size int
	turn chan struct{} // holds a token while nobody writes through this value
}

// New returns the blobs of a core, which stays the caller's to close. It fails with ErrBlockSize.
func New(c *core.Core, o Options) (*Blobs, error) {
	if o.BlockSize == 0 {
		o.BlockSize = DefaultBlockSize
	}
	if o.BlockSize < 0 || o.BlockSize > core.MaxBlock/2 {
		return nil, fmt.Errorf("%w: %d", ErrBlockSize, o.BlockSize)
	}
	b := &Blobs{core: c, size: o.BlockSize, turn: make(chan struct{}, 1)}
	b.turn <- struct{}{}
	return b, nil
}

// Core returns the core that the blobs lie in.
func (b *Blobs) Core() *core.Core { return b.core }

// Put appends a blob. An empty one appends nothing.
func (b *Blobs) Put(ctx context.Context, data []byte) (ID, error) {
	t, err := b.Lock(ctx)
	if err != nil {
		return ID{}, err
	}
	defer t.Unlock()
	id := t.Put(data)
	return id, t.Flush(ctx)
}

// Has tells whether all blocks of a blob are stored here, and those of its map.
func (b *Blobs) Has(ctx context.Context, id ID) (bool, error) {
	if err := id.Check(); err != nil {
		return false, err
	}
	r := id.Blocks()
	ok, err := b.core.Has(ctx, r.Start, r.End)
	if err != nil || !ok || !id.BlockMap {
		return ok, err
	}
	chunks, err := b.Map(ctx, id)
	for _, c := range chunks {
		if ok, err := b.core.Has(ctx, c.Block, c.Block+1); err != nil || !ok {
			return false, err
		}
	}
	return err == nil, err
}

// Map returns the chunks that a blob consists of: what its block map says, or without one, each of its blocks, which are read for
// their sizes. It fails with ErrInvalidMap, with ErrInvalidID, or as core.Get does.
func (b *Blobs) Map(ctx context.Context, id ID) ([]Chunk, error) {
	if err := id.Check(); err != nil {
		return nil, err
	}
	r := id.Blocks()
	if id.BlockMap {
		if id.BlockLength > MaxMapBlocks {
			return nil, fmt.Errorf("%w: %d blocks, at most %d", ErrInvalidMap, id.BlockLength, MaxMapBlocks)
		}
		if err := b.fetch(ctx, r); err != nil {
			return nil, err
		}
		return decodeMaps(b.core.Blocks(ctx, r.Start, r.End))
	}
	var chunks []Chunk
	for data, err := range b.core.Blocks(ctx, r.Start, r.End) {
		if err != nil {
			return nil, fmt.Errorf("blobs: reading the sizes of the blocks of %s: %w", id, err)
		}
		chunks = append(chunks, Chunk{r.Start + uint64(len(chunks)), uint64(len(data))})
	}
	return chunks, nil
}

// Clear gives back the space of a blob's blocks. With a block map that is here, the blocks that it names are cleared too, also those
// that other blobs share. What was cleared can be fetched again from those who have it.
func (b *Blobs) Clear(ctx context.Context, id ID) error {
	ranges, err := b.Ranges(ctx, id, false)
	for _, r := range ranges {
		err = errors.Join(err, b.core.Clear(ctx, r.Start, r.End))
	}
	return err
}

// Ranges returns all blocks of a blob, in ascending order: those that the id names, and those that its block map names. The map is
// fetched if fetch is set; else one that is not here is left out.
func (b *Blobs) Ranges(ctx context.Context, id ID, fetch bool) ([]core.Range, error) {
	if err := id.Check(); err != nil {
		return nil, err
	}
	own := id.Blocks()
	if own.Start == own.End {
		return nil, nil
	}
	if !id.BlockMap {
		return []core.Range{own}, nil
	}
	if here, err := b.core.Has(ctx, own.Start, own.End); err != nil || !here && !fetch {
		return []core.Range{own}, err
	}
	chunks, err := b.Map(ctx, id)
	if err != nil {
		return []core.Range{own}, err
	}
	return ranges(own, chunks), nil
}

// ranges joins the blocks of chunks, and those of the map, into ranges.
func ranges(own core.Range, chunks []Chunk) []core.Range {
	list := make([]uint64, 0, len(chunks)+int(own.End-own.Start))
	for _, c := range chunks {
		list = append(list, c.Block)
	}
	for i := own.Start; i < own.End; i++ {
		list = append(list, i)
	}
	slices.Sort(list)
	var out []core.Range
	for _, i := range list {
		switch n := len(out); {
		case n > 0 && out[n-1].End > i:
		case n > 0 && out[n-1].End == i:
			out[n-1].End++
		default:
			out = append(out, core.Range{Start: i, End: i + 1})
		}
	}
	return out
}

// fetch has blocks come in together, if there are any to fetch.
func (b *Blobs) fetch(ctx context.Context, r core.Range) error {
	if here, err := b.core.Has(ctx, r.Start, r.End); err != nil || here {
		return err
	}
	err := b.core.Download(ctx, core.Want{Ranges: []core.Range{r}, Linear: true, Priority: 1})
	if errors.Is(err, core.ErrNotAvailable) {
		return nil // reading tells which block, or finds that it is behind the end
	}
	return err
}
