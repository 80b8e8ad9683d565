package blobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/internal/compact"
)

// ID says where a blob lies in its core. Bytes are counted without the padding of encrypted blocks. With BlockMap set the blocks
// named are those of a block map, which says where the blob's own blocks are, and ByteLength is the size of the map.
type ID struct {
	BlockOffset uint64 // the first block
	ByteOffset  uint64 // how many bytes of the core lie before it
	BlockLength uint64 // how many blocks
	ByteLength  uint64 // how many bytes in them
	BlockMap    bool
}

// Blocks returns the range of blocks that the id names.
func (id ID) Blocks() core.Range {
	return core.Range{Start: id.BlockOffset, End: id.BlockOffset + id.BlockLength}
}

// Check tells whether a writer may have made the id: no number above 2^53-1, no sum of them, no bytes without blocks, no more bytes
// than blocks can hold. Whether the blocks exist shows when they are read. The error is ErrInvalidID.
func (id ID) Check() error {
	for _, n := range []uint64{id.BlockOffset, id.ByteOffset, id.BlockLength, id.ByteLength} {
		if n > compact.MaxSafe {
			return fmt.Errorf("%w: %s: a number above 2^53-1", ErrInvalidID, id)
		}
	}
	if id.BlockOffset+id.BlockLength > compact.MaxSafe || id.ByteOffset+id.ByteLength > compact.MaxSafe {
		return fmt.Errorf("%w: %s: it ends above 2^53-1", ErrInvalidID, id)
	}
	if id.ByteLength/core.MaxBlock > id.BlockLength || id.BlockLength == 0 && id.ByteLength > 0 {
		return fmt.Errorf("%w: %s: more bytes than the blocks can hold", ErrInvalidID, id)
	}
	return nil
}

// String returns the JSON form.
func (id ID) String() string { return string(id.AppendJSON(nil)) }

// AppendJSON appends the JSON form as it stands in the entries of a drive:
// {"blockOffset":0,"byteOffset":0,"blockLength":1,"byteLength":5}, with ,"blockMap":true behind for a block map.
func (id ID) AppendJSON(b []byte) []byte {
	b = strconv.AppendUint(append(b, `{"blockOffset":`...), id.BlockOffset, 10)
	b = strconv.AppendUint(append(b, `,"byteOffset":`...), id.ByteOffset, 10)
	b = strconv.AppendUint(append(b, `,"blockLength":`...), id.BlockLength, 10)
	b = strconv.AppendUint(append(b, `,"byteLength":`...), id.ByteLength, 10)
	if id.BlockMap {
		b = append(b, `,"blockMap":true`...)
	}
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler with AppendJSON.
func (id ID) MarshalJSON() ([]byte, error) { return id.AppendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler. It takes any order of the fields, ignores others, and refuses with ErrInvalidID what
// Check refuses, and numbers that are not whole.
func (id *ID) UnmarshalJSON(b []byte) error {
	// A map, since the names count as they are spelled.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidID, err)
	}
	if fields == nil {
		return fmt.Errorf("%w: null", ErrInvalidID)
	}
	var got ID
	for name, to := range map[string]*uint64{"blockOffset": &got.BlockOffset, "byteOffset": &got.ByteOffset,
		"blockLength": &got.BlockLength, "byteLength": &got.ByteLength} {
		n, err := strconv.ParseUint(string(bytes.TrimSpace(fields[name])), 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %s is %.30q", ErrInvalidID, name, fields[name])
		}
		*to = n
	}
	// Anything but these counts as true, as it does for the writers of the format.
	switch string(bytes.TrimSpace(fields["blockMap"])) {
	case "", "false", "null", "0", `""`:
	default:
		got.BlockMap = true
	}
	if err := got.Check(); err != nil {
		return err
	}
	*id = got
	return nil
}
