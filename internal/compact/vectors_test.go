package compact

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/internal/vectors"
)

type wireFile struct {
	Uint []struct {
		Value uint64      `json:"value"`
		Hex   vectors.Hex `json:"hex"`
	} `json:"uint"`
	UintDecode []struct {
		Hex   vectors.Hex `json:"hex"`
		Value *uint64     `json:"value"`
		Error string      `json:"error"`
	} `json:"uintDecode"`
	Int []struct {
		Value int64       `json:"value"`
		Hex   vectors.Hex `json:"hex"`
	} `json:"int"`
	Uint64 []struct {
		Value uint64      `json:"value"`
		Hex   vectors.Hex `json:"hex"`
	} `json:"uint64"`
	String []struct {
		Value string      `json:"value"`
		Hex   vectors.Hex `json:"hex"`
	} `json:"string"`
	Buffer []struct {
		Value    vectors.Hex `json:"value"`
		Hex      vectors.Hex `json:"hex"`
		Optional vectors.Hex `json:"optional"`
	} `json:"buffer"`
	OptionalBufferNull vectors.Hex `json:"optionalBufferNull"`
	Uint32Array        []struct {
		Value []uint32    `json:"value"`
		Hex   vectors.Hex `json:"hex"`
	} `json:"uint32array"`
	Fixed32     vectors.Hex `json:"fixed32"`
	ArrayTooBig struct {
		Hex vectors.Hex `json:"hex"`
	} `json:"arrayTooBig"`
}

// both checks one value in both directions: want is its encoding, got what we appended, read how it decodes.
func both(t *testing.T, name string, want, got []byte, read func(*Decoder) bool) {
	t.Helper()
	if !bytes.Equal(want, got) {
		t.Errorf("%s: encoded as %x, want %x", name, got, want)
	}
	d := NewDecoder(want)
	if !read(d) || d.Err() != nil || d.Len() != 0 {
		t.Errorf("%s: %x decodes wrongly (error %v, %d bytes left)", name, want, d.Err(), d.Len())
	}
	for n := range want {
		if d := NewDecoder(want[:n]); read(d) || d.Err() == nil {
			t.Errorf("%s: the first %d bytes of %x are accepted", name, n, want)
		}
	}
}

func loadWire(t *testing.T) (w wireFile) {
	t.Helper()
	vectors.Load(t, "wire.json", &w)
	for name, n := range map[string]int{
		"uint": len(w.Uint), "uintDecode": len(w.UintDecode), "int": len(w.Int), "uint64": len(w.Uint64),
		"string": len(w.String), "buffer": len(w.Buffer), "uint32array": len(w.Uint32Array),
		"optionalBufferNull": len(w.OptionalBufferNull), "fixed32": len(w.Fixed32), "arrayTooBig": len(w.ArrayTooBig.Hex),
	} {
		if n == 0 {
			t.Fatalf("golden data: wire.json: no %s", name)
		}
	}
	return w
}

func TestVectorsNumbers(t *testing.T) {
	w := loadWire(t)
	for _, c := range w.Uint {
		both(t, "uint", c.Hex, AppendUint(nil, c.Value), func(d *Decoder) bool { return d.Uint() == c.Value && d.Err() == nil })
		if SizeUint(c.Value) != len(c.Hex) {
			t.Errorf("SizeUint(%d) = %d, want %d", c.Value, SizeUint(c.Value), len(c.Hex))
		}
	}
	for _, c := range w.Int {
		both(t, "int", c.Hex, AppendInt(nil, c.Value), func(d *Decoder) bool { return d.Int() == c.Value && d.Err() == nil })
	}
	for _, c := range w.Uint64 {
		both(t, "uint64", c.Hex, AppendUint64(nil, c.Value), func(d *Decoder) bool { return d.Uint64() == c.Value && d.Err() == nil })
	}
	for _, c := range w.UintDecode {
		d := NewDecoder(c.Hex)
		switch v := d.Uint(); {
		case c.Value == nil && d.Err() == nil:
			t.Errorf("uint %x accepted as %d, want error %q", c.Hex, v, c.Error)
		case c.Value != nil && (d.Err() != nil || v != *c.Value):
			t.Errorf("uint %x = %d, %v, want %d", c.Hex, v, d.Err(), *c.Value)
		case c.Value == nil && strings.Contains(c.Error, "ounds") != (d.Err() == ErrShort):
			t.Errorf("uint %x: %v, want %q", c.Hex, d.Err(), c.Error)
		}
	}
}

func TestVectorsBytes(t *testing.T) {
	w := loadWire(t)
	for _, c := range w.String {
		both(t, "string", c.Hex, AppendString(nil, c.Value), func(d *Decoder) bool { return d.String() == c.Value && d.Err() == nil })
	}
	for _, c := range w.Buffer {
		both(t, "buffer", c.Hex, AppendBuffer(nil, c.Value), func(d *Decoder) bool {
			return bytes.Equal(d.Buffer(), c.Value) && d.Err() == nil
		})
		both(t, "optional buffer", c.Optional, AppendOptionalBuffer(nil, c.Value), func(d *Decoder) bool {
			return bytes.Equal(d.OptionalBuffer(), c.Value) && d.Err() == nil
		})
	}
	both(t, "absent buffer", w.OptionalBufferNull, AppendOptionalBuffer(nil, nil), func(d *Decoder) bool {
		return d.OptionalBuffer() == nil && d.Err() == nil
	})
	both(t, "fixed32", w.Fixed32, w.Fixed32, func(d *Decoder) bool {
		v := d.Fixed32()
		return bytes.Equal(v[:], w.Fixed32) && d.Err() == nil
	})
}

func TestVectorsArrays(t *testing.T) {
	w := loadWire(t)
	for _, c := range w.Uint32Array {
		both(t, "uint32array", c.Hex, AppendUint32Array(nil, c.Value), func(d *Decoder) bool {
			return slices.Equal(d.Uint32Array(), c.Value) && d.Err() == nil
		})
	}
	d := NewDecoder(w.ArrayTooBig.Hex)
	if n := d.Count(0); n != 0 || d.Err() != ErrCount {
		t.Errorf("array of %x: count %d, error %v, want %v", w.ArrayTooBig.Hex, n, d.Err(), ErrCount)
	}
	d = NewDecoder(binary.LittleEndian.AppendUint32([]byte{tag32}, MaxArray))
	if n := d.Count(0); n != MaxArray || d.Err() != nil {
		t.Errorf("array of 2^20: count %d, error %v", n, d.Err())
	}
}
