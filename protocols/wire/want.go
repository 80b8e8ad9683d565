package wire

import (
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/internal/compact"
)

// Want asks the receiver to announce the blocks that it has of a stretch, now and as they come. It is also the message
// that takes a want back, for which it must have the same numbers.
type Want struct {
	Start  uint64
	Length uint64
	Any    bool // a single block of the stretch will do
}

const wantAny = 1

// Append appends the wire form of m: start | length | [flags].
func (m Want) Append(b []byte) []byte {
	b = compact.AppendUint(b, m.Start)
	b = compact.AppendUint(b, m.Length)
	if m.Any {
		b = compact.AppendUint(b, wantAny)
	}
	return b
}

// DecodeWant reads what [Want.Append] writes.
func DecodeWant(b []byte) (Want, error) {
	d := compact.NewDecoder(b)
	m := Want{Start: d.Uint(), Length: d.Uint()}
	if d.Len() > 0 {
		m.Any = d.Uint()&wantAny != 0
	}
	return m, finish(TypeWant, d)
}

// Span returns the blocks [start, end) that m asks about. ok is false for more than [MaxWant], which get no answer. Of
// the others a length that is no power of two, or below [MinWant], or a start that is no multiple of the length, means
// every block. A want for any block is taken as it is.
func (m Want) Span() (start, end uint64, ok bool) {
	switch {
	case m.Length > MaxWant:
		return 0, 0, false
	case m.Any:
		return m.Start, m.Start + m.Length, true
	case m.Length < MinWant || m.Length&(m.Length-1) != 0 || m.Start%m.Length != 0:
		return 0, bitfield.Limit, true
	}
	return m.Start, m.Start + m.Length, true
}
