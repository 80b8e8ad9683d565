package pebble

import (
	"encoding/binary"
	"fmt"

	"github.com/hypernode/hypernode/datastore"
)

// The first byte of a key in Pebble tells what it names.
const (
	spaceRecord  = 'r' // r key                    → the record's value
	spaceBlock   = 'b' // b key                    → where the block is, see blockRecord
	spacePlace   = 'p' // p segment(4) offset(4)   → length(4) key: which block lies there
	spaceSegment = 's' // s segment(4)             → end(4) live(8), of every segment but the active one
	spaceMeta    = 'm' // m                        → see meta
)

var metaKey = []byte{spaceMeta}

// place is a run of bytes in a segment.
type place struct {
	segment, offset, length uint32
}

func (p place) end() uint32 { return p.offset + p.length }

// blockRecord is what Pebble holds of a block: its bytes themselves, or where they are.
type blockRecord struct {
	sum    uint32
	inline bool
	bytes  []byte // of an inline block
	place  place  // of another
}

// Block records are tag(1) sum(4), then the bytes of an inline block, or segment(4) offset(4) length(4), all numbers
// little-endian.
const (
	tagInline = 0
	tagPlaced = 1

	inlineHeader = 5
	placedLength = 17
)

func appendInline(b []byte, sum uint32, data []byte) []byte {
	b = append(b, tagInline)
	b = binary.LittleEndian.AppendUint32(b, sum)
	return append(b, data...)
}

func appendPlaced(b []byte, sum uint32, p place) []byte {
	b = append(b, tagPlaced)
	b = binary.LittleEndian.AppendUint32(b, sum)
	b = binary.LittleEndian.AppendUint32(b, p.segment)
	b = binary.LittleEndian.AppendUint32(b, p.offset)
	return binary.LittleEndian.AppendUint32(b, p.length)
}

// parseBlock reads a block record; bytes aliases v.
func parseBlock(v []byte) (blockRecord, error) {
	if len(v) < inlineHeader {
		return blockRecord{}, fmt.Errorf("block record of %d bytes", len(v))
	}
	r := blockRecord{sum: binary.LittleEndian.Uint32(v[1:])}
	switch {
	case v[0] == tagInline:
		r.inline, r.bytes = true, v[inlineHeader:]
	case v[0] == tagPlaced && len(v) == placedLength:
		r.place = place{
			segment: binary.LittleEndian.Uint32(v[5:]),
			offset:  binary.LittleEndian.Uint32(v[9:]),
			length:  binary.LittleEndian.Uint32(v[13:]),
		}
	default:
		return blockRecord{}, fmt.Errorf("block record of kind %d and %d bytes", v[0], len(v))
	}
	return r, nil
}

// placeKey is the key of the entry that tells whose bytes begin at offset. Entries of a segment sort by offset, so the
// gaps between them are what is dead.
func placeKey(b []byte, segment, offset uint32) []byte {
	b = append(b, spacePlace)
	b = binary.BigEndian.AppendUint32(b, segment)
	return binary.BigEndian.AppendUint32(b, offset)
}

func appendPlace(b []byte, length uint32, key []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(b, length), key...)
}

// parsePlace reads an entry that placeKey and appendPlace made; key aliases v.
func parsePlace(k, v []byte) (p place, key []byte, err error) {
	if len(k) != 9 || k[0] != spacePlace || len(v) < 4 {
		return place{}, nil, fmt.Errorf("place entry of %d and %d bytes", len(k), len(v))
	}
	p = place{
		segment: binary.BigEndian.Uint32(k[1:]),
		offset:  binary.BigEndian.Uint32(k[5:]),
		length:  binary.LittleEndian.Uint32(v),
	}
	return p, v[4:], nil
}

// segmentInfo tells how much of a segment is written, and how much of that still belongs to blocks.
type segmentInfo struct {
	end  uint32
	live uint64
}

func segmentKey(b []byte, segment uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, spaceSegment), segment)
}

func appendSegment(b []byte, s segmentInfo) []byte {
	b = binary.LittleEndian.AppendUint32(b, s.end)
	return binary.LittleEndian.AppendUint64(b, s.live)
}

func parseSegment(k, v []byte) (segment uint32, s segmentInfo, err error) {
	if len(k) != 5 || k[0] != spaceSegment || len(v) != 12 {
		return 0, segmentInfo{}, fmt.Errorf("segment entry of %d and %d bytes", len(k), len(v))
	}
	s = segmentInfo{end: binary.LittleEndian.Uint32(v), live: binary.LittleEndian.Uint64(v[4:])}
	return binary.BigEndian.Uint32(k[1:]), s, nil
}

// meta is written with every commit, so that Pebble's state tells which commit it is of.
type meta struct {
	seq    uint64 // of the last commit
	active uint32 // the segment that is appended to; 0 when there is none yet
	info   segmentInfo
}

func appendMeta(b []byte, m meta) []byte {
	b = binary.LittleEndian.AppendUint64(b, m.seq)
	b = binary.LittleEndian.AppendUint32(b, m.active)
	return appendSegment(b, m.info)
}

func parseMeta(v []byte) (meta, error) {
	if len(v) != 24 {
		return meta{}, fmt.Errorf("%w: engine record of %d bytes", datastore.ErrCorrupt, len(v))
	}
	return meta{
		seq:    binary.LittleEndian.Uint64(v),
		active: binary.LittleEndian.Uint32(v[8:]),
		info:   segmentInfo{end: binary.LittleEndian.Uint32(v[12:]), live: binary.LittleEndian.Uint64(v[16:])},
	}, nil
}

// inSpace appends the key of Pebble for a caller's key.
func inSpace(b []byte, space byte, key []byte) []byte {
	return append(append(b, space), key...)
}
