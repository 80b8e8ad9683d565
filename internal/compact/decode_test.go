package compact

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func TestErrorSticks(t *testing.T) {
	refused := errors.New("refused")
	d := NewDecoder([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	d.Fail(nil)
	if d.Byte() != 1 || d.Err() != nil {
		t.Fatalf("a nil error stops the decoder: %v", d.Err())
	}
	d.Fail(refused)
	d.Fail(ErrRange)
	if d.Uint() != 0 || d.Int() != 0 || d.Uint64() != 0 || d.Byte() != 0 || d.Bool() || d.Count(0) != 0 || d.String() != "" {
		t.Error("a value after an error")
	}
	if d.Buffer() != nil || d.Fixed(1) != nil || len(d.Rest()) != 0 || d.Uint32Array() != nil || d.Fixed32() != [32]byte{} || d.Len() != 0 {
		t.Error("bytes after an error")
	}
	if d.Err() != refused {
		t.Errorf("error %v, want the first one", d.Err())
	}
}

func TestHostileLengths(t *testing.T) {
	huge := AppendUint(nil, MaxSafe)
	for _, c := range []struct {
		name string
		in   []byte
		read func(*Decoder)
		want error
	}{
		{"buffer", huge, func(d *Decoder) { d.Buffer() }, ErrShort},
		{"string", huge, func(d *Decoder) { _ = d.String() }, ErrShort},
		{"uint32array", huge, func(d *Decoder) { d.Uint32Array() }, ErrShort},
		{"uint32array one short", append([]byte{2}, make([]byte, 7)...), func(d *Decoder) { d.Uint32Array() }, ErrShort},
		{"count", AppendUint(nil, MaxArray+1), func(d *Decoder) { d.Count(0) }, ErrCount},
		{"count of nodes", append([]byte{2}, make([]byte, 67)...), func(d *Decoder) { d.Count(34) }, ErrShort},
		{"fixed", []byte{1}, func(d *Decoder) { d.Fixed(2) }, ErrShort},
		{"fixed, negative", []byte{1}, func(d *Decoder) { d.Fixed(-1) }, ErrShort},
		{"uint64", []byte{0, 0, 0, 0, 0, 0, 0x20, 0}, func(d *Decoder) { d.Uint64() }, ErrRange},
	} {
		d := new(Decoder)
		if n := testing.AllocsPerRun(10, func() { *d = Decoder{b: c.in}; c.read(d) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		if d.Err() != c.want {
			t.Errorf("%s: error %v, want %v", c.name, d.Err(), c.want)
		}
	}
}

func TestHandedOutPartsAreBounded(t *testing.T) {
	in := []byte{2, 7, 8, 9}
	v := NewDecoder(in).Buffer()
	_ = append(v, 0xff)
	if in[3] != 9 {
		t.Error("appending to a buffer writes into the input")
	}
	d := NewDecoder(in)
	d.Byte()
	if r := d.Rest(); !bytes.Equal(r, in[1:]) || d.Len() != 0 || d.Err() != nil {
		t.Errorf("rest %x, %d left, error %v", r, d.Len(), d.Err())
	}
}

func TestRandomNumbers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 10000 {
		u := r.Uint64() & MaxSafe >> r.UintN(53)
		i := int64(u>>1) * (1 - 2*int64(r.UintN(2)))
		b := AppendInt(AppendUint(AppendBool(nil, u&1 == 1), u), i)
		d := NewDecoder(b)
		if d.Bool() != (u&1 == 1) || d.Uint() != u || d.Int() != i || d.Len() != 0 || d.Err() != nil {
			t.Fatalf("%d and %d do not survive %x", u, i, b)
		}
		if len(b) != 1+SizeUint(u)+len(AppendInt(nil, i)) {
			t.Fatalf("SizeUint(%d) = %d", u, SizeUint(u))
		}
	}
}
