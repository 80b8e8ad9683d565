package compact

import (
	"bytes"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/internal/vectors"
)

// FuzzDecode reads data as the fields that ops names. Whatever is read must fit in data, and must survive being
// written and read again.
func FuzzDecode(f *testing.F) {
	var w wireFile
	vectors.Load(f, "wire.json", &w)
	for _, c := range w.UintDecode {
		f.Add([]byte{0, 1, 2}, []byte(c.Hex))
	}
	for _, c := range w.Uint32Array {
		f.Add([]byte{7}, []byte(c.Hex))
	}
	for _, c := range w.Buffer {
		f.Add([]byte{5, 6, 5, 6}, append([]byte(c.Hex), c.Optional...))
	}
	f.Add([]byte{8, 9, 3, 4, 10}, []byte{3, 1, 2, 3, 1, 0, 7, 7})
	f.Fuzz(func(t *testing.T, ops, data []byte) {
		d := NewDecoder(data)
		out := 0
		for _, op := range ops {
			again, size := step(t, d, op)
			out += size
			if d.Err() == nil && again != nil && !again() {
				t.Fatalf("operation %d on %x does not survive a round trip", op, data)
			}
		}
		if out > 2*len(data) || d.Len() > len(data) {
			t.Fatalf("%d bytes handed out of %d", out, len(data))
		}
	})
}

// step runs one operation; it returns a check of the round trip and the bytes that were handed out.
func step(t *testing.T, d *Decoder, op byte) (again func() bool, size int) {
	switch op % 11 {
	case 0:
		v := d.Uint()
		return func() bool { return NewDecoder(AppendUint(nil, v)).Uint() == v }, 0
	case 1:
		v := d.Int()
		return func() bool { return NewDecoder(AppendInt(nil, v)).Int() == v }, 0
	case 2:
		v := d.Uint64()
		return func() bool { return NewDecoder(AppendUint64(nil, v)).Uint64() == v }, 0
	case 3:
		v := d.Bool()
		return func() bool { return NewDecoder(AppendBool(nil, v)).Bool() == v }, 0
	case 4:
		v := d.Fixed32()
		return func() bool { return NewDecoder(v[:]).Fixed32() == v }, 0
	case 5:
		v := d.Buffer()
		return func() bool { return bytes.Equal(NewDecoder(AppendBuffer(nil, v)).Buffer(), v) }, len(v)
	case 6:
		v := d.String()
		return func() bool { return NewDecoder(AppendString(nil, v)).String() == v }, len(v)
	case 7:
		v := d.Uint32Array()
		return func() bool { return slices.Equal(NewDecoder(AppendUint32Array(nil, v)).Uint32Array(), v) }, 4 * len(v)
	case 8:
		left := d.Len()
		if n := d.Count(34); n*34 > left || n > MaxArray {
			t.Fatalf("count %d in %d bytes", n, left)
		}
		return nil, 0
	case 9:
		return nil, len(d.Fixed(int(op)))
	default:
		return nil, len(d.Rest())
	}
}
