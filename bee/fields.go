package bee

import "errors"

// The fields of a message are tagged with number<<3 | kind; numbers and tags are little-endian base 128.
const (
	kindVarint = 0
	kind64     = 1
	kindBytes  = 2
	kind32     = 5
)

// maxSafe is the greatest number of the format: what every implementation can represent.
const maxSafe = 1<<53 - 1

var (
	errShort  = errors.New("it ends within a field")
	errNumber = errors.New("a number is above 2^53-1")
	errMany   = errors.New("more numbers than a node has")
	errKind   = errors.New("a field is of an unknown kind")
)

// varint reads a number from the front of b and returns what follows it.
func varint(b []byte) (v uint64, rest []byte, err error) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), b[1:], nil
	}
	return longVarint(b)
}

func longVarint(b []byte) (v uint64, rest []byte, err error) {
	for i, shift := 0, 0; i < len(b) && shift <= 63; i, shift = i+1, shift+7 {
		v |= uint64(b[i]&0x7f) << shift
		if b[i] < 0x80 {
			if v > maxSafe || shift == 63 && b[i] > 1 {
				return 0, nil, errNumber
			}
			return v, b[i+1:], nil
		}
	}
	if len(b) >= 10 {
		return 0, nil, errNumber
	}
	return 0, nil, errShort
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func sizeVarint(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// field is one field of a message: a number, or bytes that alias the message.
type field struct {
	number uint64
	kind   byte
	value  uint64
	data   []byte
}

// nextField reads the field at the front of b. Fields of a fixed width are skipped over by who reads: none is used.
func nextField(b []byte) (f field, rest []byte, err error) {
	tag, rest, err := varint(b)
	if err != nil {
		return f, nil, err
	}
	f.number, f.kind = tag>>3, byte(tag&7)
	switch f.kind {
	case kindVarint:
		f.value, rest, err = varint(rest)
		return f, rest, err
	case kindBytes:
		var n uint64
		if n, rest, err = varint(rest); err != nil {
			return f, nil, err
		}
		return f.take(rest, n)
	case kind64:
		return f.take(rest, 8)
	case kind32:
		return f.take(rest, 4)
	}
	return f, nil, errKind
}

func (f field) take(b []byte, n uint64) (field, []byte, error) {
	if n > uint64(len(b)) {
		return f, nil, errShort
	}
	f.data = b[:n:n]
	return f, b[n:], nil
}

// is tells whether this is field number n of the kind that it must have.
func (f field) is(n uint64, kind byte) bool { return f.number == n && f.kind == kind }

// numbers appends the numbers of a repeated field, packed or single, to list.
func (f field) numbers(list []uint64) ([]uint64, error) {
	if f.kind == kindVarint {
		return append(list, f.value), nil
	}
	if f.kind != kindBytes {
		return nil, errKind
	}
	for b := f.data; len(b) > 0; {
		v, rest, err := varint(b)
		if err != nil {
			return nil, err
		}
		list, b = append(list, v), rest
	}
	return list, nil
}

// fill puts the numbers of a repeated field, packed or single, into room behind the n that are there.
func (f field) fill(room []uint64, n int) (int, error) {
	if f.kind == kindVarint {
		if n == len(room) {
			return n, errMany
		}
		room[n] = f.value
		return n + 1, nil
	}
	if f.kind != kindBytes {
		return n, errKind
	}
	for b := f.data; len(b) > 0; n++ {
		v, rest, err := varint(b)
		if err != nil {
			return n, err
		}
		if n == len(room) {
			return n, errMany
		}
		room[n], b = v, rest
	}
	return n, nil
}

func appendTag(b []byte, number uint64, kind byte) []byte {
	return appendVarint(b, number<<3|uint64(kind))
}

func appendNumber(b []byte, number, v uint64) []byte {
	return appendVarint(appendTag(b, number, kindVarint), v)
}

func appendBytes(b []byte, number uint64, v []byte) []byte {
	return append(appendVarint(appendTag(b, number, kindBytes), uint64(len(v))), v...)
}

// appendPacked appends numbers as one packed field, or nothing when there are none.
func appendPacked(b []byte, number uint64, list []uint64) []byte {
	if len(list) == 0 {
		return b
	}
	b = appendVarint(appendTag(b, number, kindBytes), uint64(sizeNumbers(list)))
	for _, v := range list {
		b = appendVarint(b, v)
	}
	return b
}

func sizeNumbers(list []uint64) (n int) {
	for _, v := range list {
		n += sizeVarint(v)
	}
	return n
}
