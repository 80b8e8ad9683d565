package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/internal/compact"
)

func TestWantSpan(t *testing.T) {
	for _, c := range []struct {
		want       Want
		start, end uint64
		ok         bool
	}{
		{Want{Start: 0, Length: MaxWant}, 0, MaxWant, true},
		{Want{Start: 3 * MaxWant, Length: MaxWant}, 3 * MaxWant, 4 * MaxWant, true},
		{Want{Start: 64, Length: 32}, 64, 96, true},
		{Want{Start: 0, Length: 2 * MaxWant}, 0, 0, false},
		{Want{Start: 0, Length: MaxWant + 1}, 0, 0, false},
		{Want{Start: 16, Length: 32}, 0, bitfield.Limit, true},
		{Want{Start: 0, Length: 16}, 0, bitfield.Limit, true},
		{Want{Start: 0, Length: 48}, 0, bitfield.Limit, true},
		{Want{Start: 0, Length: 0}, 0, bitfield.Limit, true},
		{Want{Start: 10, Length: 5, Any: true}, 10, 15, true},
	} {
		if start, end, ok := c.want.Span(); start != c.start || end != c.end || ok != c.ok {
			t.Errorf("%+v: [%d, %d) %v", c.want, start, end, ok)
		}
	}
}

func TestLimits(t *testing.T) {
	bits := Bitfield{Bits: make([]byte, MaxBitfieldBits/8)}.Append(nil)
	if m, err := DecodeBitfield(bits); err != nil || len(m.Bits) != MaxBitfieldBits/8 {
		t.Errorf("a bitfield of the greatest size: %v", err)
	}
	bits = Bitfield{Bits: make([]byte, MaxBitfieldBits/8+4)}.Append(nil)
	if _, err := DecodeBitfield(bits); !errors.Is(err, ErrLimit) || !errors.Is(err, ErrMessage) {
		t.Errorf("a bitfield above the greatest size: %v", err)
	}
	name := string(bytes.Repeat([]byte{'n'}, MaxExtensionName))
	if m, err := DecodeExtension(Extension{Name: name}.Append(nil)); err != nil || m.Name != name {
		t.Errorf("the longest name: %v", err)
	}
	if _, err := DecodeExtension(Extension{Name: name + "n"}.Append(nil)); !errors.Is(err, ErrLimit) {
		t.Errorf("a longer name: %v", err)
	}
}

// Every number in place of a length is refused before anything is allocated for it.
func TestLengthBombs(t *testing.T) {
	bomb := compact.AppendUint(nil, compact.MaxSafe)
	for _, b := range [][]byte{append([]byte{0}, bomb...), bomb} {
		if n := testing.AllocsPerRun(5, func() { _, _ = DecodeBitfield(b) }); n > 12 {
			t.Errorf("bitfield %x: %v allocations", b, n)
		}
		if _, err := DecodeBitfield(b); !errors.Is(err, ErrMessage) {
			t.Errorf("bitfield %x: %v", b, err)
		}
	}
	if _, err := DecodeExtension(bomb); !errors.Is(err, ErrMessage) {
		t.Errorf("extension: %v", err)
	}
}

func TestTypeNames(t *testing.T) {
	if got := Type(99).String(); got != "type 99" {
		t.Error(got)
	}
	_, err := DecodeSync(nil)
	if err == nil || err.Error() != "decode sync: wire: broken message: compact: out of bounds" {
		t.Error(err)
	}
}

func BenchmarkHaveRange(b *testing.B) {
	var h Have
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Range(Range{Start: uint64(i*7919) % (1 << 24), Length: 1})
	}
}
