package blobs

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/hypernode/hypernode/core"
)

// layout tells where the blocks of a blob are. Places count the blob's blocks from 0.
type layout interface {
	size() uint64                                               // of the blob in bytes
	count() uint64                                              // of blocks
	block(place uint64) (index uint64, size uint64, known bool) // in the core; the size only if it is known
	// guess returns the place that probably has the byte at an offset; find the right one, and the offset of its first byte.
	guess(offset uint64) uint64
	find(ctx context.Context, offset uint64) (place, start uint64, err error)
	// ranges returns blocks of the core: those of the places from start up to, not including, end.
	ranges(start, end uint64) []core.Range
}

// runLayout is that of a blob whose blocks follow each other.
type runLayout struct {
	core *core.Core
	id   ID
	unit uint64 // the size of all blocks but the last, if they are as usual; else 0
}

func newRunLayout(c *core.Core, id ID, unit uint64) *runLayout {
	if (id.ByteLength+unit-1)/unit != id.BlockLength {
		unit = 0
	}
	return &runLayout{core: c, id: id, unit: unit}
}

func (l *runLayout) size() uint64  { return l.id.ByteLength }
func (l *runLayout) count() uint64 { return l.id.BlockLength }

func (l *runLayout) block(place uint64) (uint64, uint64, bool) {
	return l.id.BlockOffset + place, 0, false
}

func (l *runLayout) guess(offset uint64) uint64 {
	unit := l.unit
	if unit == 0 {
		unit = max(l.id.ByteLength/l.id.BlockLength, 1)
	}
	return min(offset/unit, l.id.BlockLength-1)
}

// find confirms the guess by the sizes in the tree, which came with the proof of the block, and seeks only if it is wrong.
func (l *runLayout) find(ctx context.Context, offset uint64) (place, start uint64, err error) {
	place = l.guess(offset)
	if offset == 0 && place == 0 {
		return 0, 0, nil
	}
	first, data, err := l.span(ctx, place)
	if err != nil {
		return 0, 0, err
	}
	if at := l.id.ByteOffset + offset; at < first || at >= first+data {
		block, within, err := l.core.Seek(ctx, at)
		if err != nil {
			return 0, 0, fmt.Errorf("blobs: looking for byte %d of %s: %w", offset, l.id, beyond(l.core, err))
		}
		if block < l.id.BlockOffset || block >= l.id.BlockOffset+l.id.BlockLength || within > offset {
			return 0, 0, fmt.Errorf("%w: %s: byte %d is in block %d", ErrInvalidID, l.id, offset, block)
		}
		return block - l.id.BlockOffset, offset - within, nil
	}
	if first < l.id.ByteOffset {
		return 0, 0, fmt.Errorf("%w: %s: its first block begins before it", ErrInvalidID, l.id)
	}
	return place, first - l.id.ByteOffset, nil
}

// span returns the offset in the core of a block, and its size.
func (l *runLayout) span(ctx context.Context, place uint64) (first, size uint64, err error) {
	index := l.id.BlockOffset + place
	data, err := l.core.Get(ctx, index)
	if err != nil {
		return 0, 0, fmt.Errorf("blobs: block %d: %w", index, beyond(l.core, err))
	}
	if first, err = l.core.Offset(ctx, index); err != nil {
		return 0, 0, fmt.Errorf("blobs: the offset of block %d: %w", index, beyond(l.core, err))
	}
	return first, uint64(len(data)), nil
}

func (l *runLayout) ranges(start, end uint64) []core.Range {
	return []core.Range{{Start: l.id.BlockOffset + start, End: l.id.BlockOffset + end}}
}

// mapLayout is that of a blob with a block map.
type mapLayout struct {
	chunks []Chunk
	ends   []uint64 // ends[i] is the offset behind chunk i
}

func newMapLayout(chunks []Chunk) *mapLayout {
	l := &mapLayout{chunks: chunks, ends: make([]uint64, len(chunks))}
	var at uint64
	for i, c := range chunks {
		at += c.Size
		l.ends[i] = at
	}
	return l
}

func (l *mapLayout) size() uint64 {
	if len(l.ends) == 0 {
		return 0
	}
	return l.ends[len(l.ends)-1]
}

func (l *mapLayout) count() uint64 { return uint64(len(l.chunks)) }

func (l *mapLayout) block(place uint64) (uint64, uint64, bool) {
	return l.chunks[place].Block, l.chunks[place].Size, true
}

func (l *mapLayout) guess(offset uint64) uint64 {
	return uint64(sort.Search(len(l.ends), func(i int) bool { return l.ends[i] > offset }))
}

func (l *mapLayout) find(_ context.Context, offset uint64) (place, start uint64, err error) {
	place = l.guess(offset)
	return place, l.ends[place] - l.chunks[place].Size, nil
}

func (l *mapLayout) ranges(start, end uint64) []core.Range {
	return ranges(core.Range{}, l.chunks[start:end])
}

// beyond says of a block behind the end of the core that the id is at fault, or, of a core that others write, that the block is not
// known yet.
func beyond(c *core.Core, err error) error {
	switch {
	case !errors.Is(err, core.ErrOutOfRange):
		return err
	case c.Signs():
		return fmt.Errorf("%w: %w", ErrInvalidID, err)
	}
	return fmt.Errorf("%w: %w", core.ErrNotAvailable, err)
}
