package wire

import (
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// Range announces that the sender has, or no longer has, a run of blocks. Start+Length may be as large as 2^54.
type Range struct {
	Drop   bool // no longer has
	Start  uint64
	Length uint64
}

const (
	rangeDrop = 1
	rangeOne  = 2
)

// Append appends the wire form of m: flags | start | [length, when it is not 1].
func (m Range) Append(b []byte) []byte {
	b = compact.AppendUint(b, flag(m.Drop, rangeDrop)|flag(m.Length == 1, rangeOne))
	b = compact.AppendUint(b, m.Start)
	if m.Length != 1 {
		b = compact.AppendUint(b, m.Length)
	}
	return b
}

// DecodeRange reads what [Range.Append] writes.
func DecodeRange(b []byte) (Range, error) {
	d := compact.NewDecoder(b)
	flags := d.Uint()
	m := Range{Drop: flags&rangeDrop != 0, Start: d.Uint(), Length: 1}
	if flags&rangeOne == 0 {
		m.Length = d.Uint()
	}
	return m, finish(TypeRange, d)
}

// Bitfield tells of each block of a stretch whether the sender has it.
type Bitfield struct {
	Start uint64 // the first block, a multiple of 32
	Bits  []byte // of block Start+i at bit i%8 of byte i/8; a multiple of 4 bytes
}

// Append appends the wire form of m: start | words | the words of 4 bytes. Bytes beyond the last whole word are left out.
func (m Bitfield) Append(b []byte) []byte {
	words := len(m.Bits) / 4
	b = compact.AppendUint(b, m.Start)
	b = compact.AppendUint(b, uint64(words))
	return append(b, m.Bits[:words*4]...)
}

// DecodeBitfield reads what [Bitfield.Append] writes; Bits alias b. More than [MaxBitfieldBits] give [ErrLimit].
func DecodeBitfield(b []byte) (Bitfield, error) {
	d := compact.NewDecoder(b)
	m := Bitfield{Start: d.Uint()}
	switch words := d.Uint(); {
	case words > MaxBitfieldBits/32:
		d.Fail(fmt.Errorf("%w: %d words", ErrLimit, words))
	case words > 0:
		m.Bits = d.Fixed(int(words) * 4)
	}
	return m, finish(TypeBitfield, d)
}
