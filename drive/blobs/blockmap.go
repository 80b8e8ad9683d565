package blobs

import (
	"fmt"
	"iter"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/internal/compact"
)

// Chunk is one block of a blob that has a block map.
type Chunk struct {
	Block uint64 // its index in the core
	Size  uint64 // its bytes
}

// Limits of block maps: a map has up to 64 blocks of up to 8,192 chunks each.
const (
	MaxMapBlocks = 64
	MapChunks    = 8192
)

// A block of a map: uint version 0, uint count, then for each chunk uint block, uint size.
const mapVersion = 0

// EncodeMap returns the blocks of the map of a blob that consists of chunks.
func EncodeMap(chunks []Chunk) (blocks [][]byte) {
	for len(chunks) > 0 {
		n := min(len(chunks), MapChunks)
		b := compact.AppendUint(nil, mapVersion)
		b = compact.AppendUint(b, uint64(n))
		for _, c := range chunks[:n] {
			b = compact.AppendUint(compact.AppendUint(b, c.Block), c.Size)
		}
		blocks, chunks = append(blocks, b), chunks[n:]
	}
	return blocks
}

// DecodeMap appends the chunks of one block of a map. What is behind them is ignored. It fails with ErrInvalidMap when the block is
// none, is of a later version, has more than MapChunks chunks, or a chunk that no block can be.
func DecodeMap(chunks []Chunk, block []byte) ([]Chunk, error) {
	d := compact.NewDecoder(block)
	if v := d.Uint(); d.Err() == nil && v != mapVersion {
		return nil, fmt.Errorf("%w: version %d", ErrInvalidMap, v)
	}
	n := d.Count(2)
	if n > MapChunks {
		return nil, fmt.Errorf("%w: %d chunks in a block, at most %d", ErrInvalidMap, n, MapChunks)
	}
	for range n {
		c := Chunk{Block: d.Uint(), Size: d.Uint()}
		if c.Size > core.MaxBlock {
			return nil, fmt.Errorf("%w: a chunk of %d bytes", ErrInvalidMap, c.Size)
		}
		chunks = append(chunks, c)
	}
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidMap, err)
	}
	return chunks, nil
}

// decodeMaps reads the blocks of a map one after the other.
func decodeMaps(blocks iter.Seq2[[]byte, error]) (chunks []Chunk, err error) {
	for b, err := range blocks {
		if err != nil {
			return nil, err
		}
		if chunks, err = DecodeMap(chunks, b); err != nil {
			return nil, err
		}
	}
	return chunks, nil
}
