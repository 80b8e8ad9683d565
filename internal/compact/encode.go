package compact

import "encoding/binary"

// MaxSafe is the largest number the format carries, 2^53-1: the largest whole number that every peer can represent.
const MaxSafe = 1<<53 - 1

// MaxArray is the largest number of items of an array, 2^20.
const MaxArray = 0x100000

// The first byte of a uint: a value up to 0xfc stands for itself, the others announce 2, 4 or 8 bytes.
const (
	tag16 = 0xfd
	tag32 = 0xfe
	tag64 = 0xff
)

// SizeUint returns the number of bytes, 1, 3, 5 or 9, that [AppendUint] appends for v.
func SizeUint(v uint64) int {
	switch {
	case v < tag16:
		return 1
	case v <= 0xffff:
		return 3
	case v <= 0xffffffff:
		return 5
	default:
		return 9
	}
}

// AppendUint appends v in the shortest of the four forms. Callers keep v at or below [MaxSafe]: a larger one is
// written as it is, and every decoder refuses it.
func AppendUint(b []byte, v uint64) []byte {
	switch {
	case v < tag16:
		return append(b, byte(v))
	case v <= 0xffff:
		return binary.LittleEndian.AppendUint16(append(b, tag16), uint16(v))
	case v <= 0xffffffff:
		return binary.LittleEndian.AppendUint32(append(b, tag32), uint32(v))
	default:
		return binary.LittleEndian.AppendUint64(append(b, tag64), v)
	}
}

// AppendInt appends v as the uint 2v, or -2v-1 when v is negative. Callers keep that uint at or below [MaxSafe].
func AppendInt(b []byte, v int64) []byte {
	return AppendUint(b, uint64(v)<<1^uint64(v>>63))
}

// AppendUint64 appends the eight bytes of v. Callers keep v at or below [MaxSafe].
func AppendUint64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// AppendBool appends 1 for true, 0 for false.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendBuffer appends the length of v as a uint, then v.
func AppendBuffer(b, v []byte) []byte { return append(AppendUint(b, uint64(len(v))), v...) }

// AppendOptionalBuffer appends v as [AppendBuffer] does. An absent buffer (nil) and an empty one are the same single
// zero byte, which reads back as absent.
func AppendOptionalBuffer(b, v []byte) []byte { return AppendBuffer(b, v) }

// AppendString appends the length of s in bytes as a uint, then s.
func AppendString(b []byte, s string) []byte { return append(AppendUint(b, uint64(len(s))), s...) }

// AppendUint32Array appends the number of words as a uint, then the words of four bytes each.
func AppendUint32Array(b []byte, v []uint32) []byte {
	b = AppendUint(b, uint64(len(v)))
	for _, w := range v {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}
