package compact

import "encoding/binary"

// A Decoder reads values from a byte slice, one after the other. After the first error every method returns the zero
// value of its kind, and [Decoder.Err] tells the error. The zero Decoder has nothing to read.
//
// Bytes after the last value read are not an error; a format that forbids them checks [Decoder.Len].
type Decoder struct {
	b   []byte // what is left; nil after an error, so that every further read ends at its length check
	err error
}

// NewDecoder returns a Decoder that reads b. The Decoder never writes to b, and hands out parts of it.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Err returns the first error, nil when all went well so far.
func (d *Decoder) Err() error { return d.err }

// Fail stops the Decoder with err, for a value that a format refuses. Only the first error is kept; nil is ignored.
func (d *Decoder) Fail(err error) {
	if d.err == nil && err != nil {
		d.err, d.b = err, nil
	}
}

// Len returns the number of bytes left, 0 after an error.
func (d *Decoder) Len() int { return len(d.b) }

// Rest returns all bytes that are left, which alias the input, and leaves none.
func (d *Decoder) Rest() []byte {
	b := d.b
	d.b = d.b[len(d.b):]
	return b
}

// Fixed returns the next n bytes, which alias the input.
func (d *Decoder) Fixed(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.Fail(ErrShort)
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// Fixed32 returns a copy of the next 32 bytes.
func (d *Decoder) Fixed32() (v [32]byte) {
	copy(v[:], d.Fixed(32))
	return v
}

// Byte returns the next byte.
func (d *Decoder) Byte() byte {
	if b := d.Fixed(1); b != nil {
		return b[0]
	}
	return 0
}

// Bool reads a byte; only 1 is true.
func (d *Decoder) Bool() bool { return d.Byte() == 1 }

// Uint reads a number of one to nine bytes. Forms longer than needed are accepted, numbers above [MaxSafe] are not.
func (d *Decoder) Uint() uint64 {
	switch c := d.Byte(); c {
	case tag16:
		return d.word(2)
	case tag32:
		return d.word(4)
	case tag64:
		return d.word(8)
	default:
		return uint64(c)
	}
}

// Uint64 reads a number of eight bytes; above [MaxSafe] it is refused.
func (d *Decoder) Uint64() uint64 { return d.word(8) }

// word reads a number of 2, 4 or 8 bytes.
func (d *Decoder) word(n int) (v uint64) {
	b := d.Fixed(n)
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if v > MaxSafe {
		d.Fail(ErrRange)
		return 0
	}
	return v
}

// Int reads a signed number: the uint 2v for v, -2v-1 for a negative v.
func (d *Decoder) Int() int64 {
	u := d.Uint()
	return int64(u>>1) ^ -int64(u&1)
}

// Buffer reads a length and that many bytes, which alias the input. An empty buffer is nil.
func (d *Decoder) Buffer() []byte {
	n := d.Uint()
	if n > uint64(len(d.b)) {
		d.Fail(ErrShort)
		return nil
	}
	if n == 0 {
		return nil
	}
	return d.Fixed(int(n))
}

// OptionalBuffer reads a buffer that may be absent: nil, which is also what an empty one reads as.
func (d *Decoder) OptionalBuffer() []byte { return d.Buffer() }

// String reads a length in bytes and that many bytes. They are not checked to be UTF-8.
func (d *Decoder) String() string { return string(d.Buffer()) }

// Count reads the number of items of an array whose items take at least itemBytes bytes each (0 when nothing is known).
// A count above [MaxArray], or above what the bytes left can hold, is refused, so a caller may allocate for it.
func (d *Decoder) Count(itemBytes int) int {
	n := d.Uint()
	if n > MaxArray {
		d.Fail(ErrCount)
		return 0
	}
	if itemBytes > 0 && n > uint64(len(d.b)/itemBytes) {
		d.Fail(ErrShort)
		return 0
	}
	return int(n)
}

// Uint32Array reads a number of words and that many words of four bytes each. An empty array is nil.
func (d *Decoder) Uint32Array() []uint32 {
	n := d.Uint()
	if n > uint64(len(d.b)/4) {
		d.Fail(ErrShort)
		return nil
	}
	if n == 0 {
		return nil
	}
	v := make([]uint32, n)
	for i, b := 0, d.Fixed(int(n)*4); i < len(v); i, b = i+1, b[4:] {
		v[i] = binary.LittleEndian.Uint32(b)
	}
	return v
}
