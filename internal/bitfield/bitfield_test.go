package bitfield

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func ExampleBitfield() {
	var held Bitfield
	held.SetRange(10, 1<<40, true)
	held.SetRange(500, 600, false)
	held.Set(555)
	for start, end := range held.Runs(0, 1000) {
		fmt.Println(start, end)
	}
	fmt.Println(held.Has(500), held.NextUnset(10), held.Count(0, 1000))
	// Output:
	// 10 500
	// 555 556
	// 600 1000
	// false 500 891
}

func TestHugeRangesAreCheap(t *testing.T) {
	var b Bitfield
	b.SetRange(3, 1<<52, true)
	b.SetRange(1<<30, 1<<45, false)
	b.SetRange(1<<31, 1<<31+5*PageBits, true)
	check(t, &b)
	if n := len(b.extents); n > 4 {
		t.Errorf("%d extents for three ranges", n)
	}
	if got, want := b.Count(0, Limit), uint64(1<<30-3+5*PageBits+(1<<52-1<<45)); got != want {
		t.Errorf("Count = %d, want %d", got, want)
	}
	if !b.HasRange(1<<45, 1<<52) || b.HasRange(1<<45, 1<<52+1) {
		t.Error("HasRange is wrong at the end of a huge range")
	}
	b.SetRange(0, Limit, false)
	if len(b.extents) != 0 {
		t.Errorf("%d extents after clearing all", len(b.extents))
	}
}

// TestFewBitsAreCheap holds what a core of a few blocks has, and what is wanted of it: all that is to come.
func TestFewBitsAreCheap(t *testing.T) {
	for name, set := range map[string]func(*Bitfield){
		"the first":            func(b *Bitfield) { b.SetRange(0, 5, true) },
		"all but the first":    func(b *Bitfield) { b.SetRange(5, Limit, true) },
		"all, then not":        func(b *Bitfield) { b.SetRange(0, Limit, true); b.SetRange(0, 5, false) },
		"some, one at a time":  func(b *Bitfield) { b.Set(0); b.Set(2); b.Set(4) },
		"cut short":            func(b *Bitfield) { b.SetRange(0, 5, true); b.SetRange(3, Limit, false) },
		"loaded":               func(b *Bitfield) { b.LoadPage(0, append([]byte{0x1f}, make([]byte, PageBytes-1)...)) },
		"loaded, all but some": func(b *Bitfield) { b.LoadPage(0, append([]byte{0}, bytes.Repeat([]byte{0xff}, PageBytes-1)...)) },
	} {
		var b Bitfield
		set(&b)
		words := 0
		for _, e := range b.extents {
			if e.words != nil {
				words += len(e.words.first)
			}
		}
		if words != 1 {
			t.Errorf("%s: %d words", name, words)
		}
	}
}

func TestAllocations(t *testing.T) {
	b := Bitfield{extents: make([]extent, 0, 8)}
	allocations := testing.AllocsPerRun(10, func() {
		b.SetRange(PageBits, 1<<40, true)
		b.SetRange(1<<20, 1<<30, false)
		b.SetRange(0, Limit, false)
	})
	if allocations > 0 {
		t.Errorf("%v allocations for whole pages", allocations)
	}
}

func TestLimit(t *testing.T) {
	var b Bitfield
	b.Set(Limit)
	b.Set(^uint64(0))
	b.SetRange(Limit, ^uint64(0), true)
	b.SetRange(7, 7, true)
	b.SetRange(9, 7, true)
	if len(b.extents) != 0 {
		t.Fatalf("%d extents for nothing", len(b.extents))
	}
	b.SetRange(Limit-1, ^uint64(0), true)
	if !b.Has(Limit-1) || b.Has(Limit) || b.Has(^uint64(0)) || b.HasRange(Limit-1, ^uint64(0)) {
		t.Error("the last index is wrong")
	}
	if got := b.NextUnset(Limit - 1); got != Limit {
		t.Errorf("NextUnset = %d, want the limit", got)
	}
	if got := b.NextUnset(^uint64(0)); got != ^uint64(0) {
		t.Errorf("NextUnset = %d past the limit", got)
	}
	if _, ok := b.NextSet(Limit); ok {
		t.Error("NextSet found an index past the limit")
	}
	if got := b.Count(0, ^uint64(0)); got != 1 {
		t.Errorf("Count = %d, want 1", got)
	}
	if !b.HasRange(5, 5) || !b.HasRange(6, 5) || b.Count(6, 5) != 0 {
		t.Error("an empty range is wrong")
	}
}

func TestPageIsLSBFirst(t *testing.T) {
	var b Bitfield
	for _, i := range []uint64{0, 9, 63, 64, PageBits - 1} {
		b.Set(2*PageBits + i)
	}
	want := make([]byte, PageBytes)
	want[0], want[1], want[7], want[8], want[PageBytes-1] = 1, 2, 0x80, 1, 0x80
	if !bytes.Equal(b.Page(2), want) {
		t.Error("the page has its bits elsewhere")
	}
}

func TestLoadPageErrors(t *testing.T) {
	var b Bitfield
	b.SetRange(1, 5, true)
	tests := []struct {
		name string
		page uint64
		size int
		want error
	}{
		{"none", 0, 0, ErrPageSize},
		{"short", 0, PageBytes - 1, ErrPageSize},
		{"long", 0, PageBytes + 1, ErrPageSize},
		{"past the last", Limit / PageBits, PageBytes, ErrPageRange},
		{"far past the last", ^uint64(0), PageBytes, ErrPageRange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := b.LoadPage(tt.page, make([]byte, tt.size)); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if b.Count(0, Limit) != 4 {
				t.Error("the bitmap has changed")
			}
		})
	}
}

func TestRunsStopAndMayChange(t *testing.T) {
	var b Bitfield
	for i := uint64(0); i < 100; i += 2 {
		b.Set(i)
	}
	seen := 0
	for start, end := range b.Runs(10, 1000) {
		b.SetRange(start, end, false)
		if seen++; seen == 5 {
			break
		}
	}
	if b.Count(10, 20) != 0 || b.Count(0, Limit) != 45 {
		t.Errorf("%d bits left after five runs", b.Count(0, Limit))
	}
}

func FuzzLoadPage(f *testing.F) {
	f.Add(uint64(0), bytes.Repeat([]byte{0xff}, PageBytes), uint64(3))
	f.Add(uint64(1), make([]byte, PageBytes), uint64(9))
	f.Add(uint64(Limit/PageBits), bytes.Repeat([]byte{0x5a}, PageBytes), uint64(64))
	f.Add(uint64(7), []byte{1}, uint64(1))
	f.Fuzz(func(t *testing.T, n uint64, p []byte, i uint64) {
		var b Bitfield
		b.SetRange(PageBits/2, 5*PageBits, true)
		if len(p) != PageBytes {
			p = slices.Concat(p, make([]byte, PageBytes))[:PageBytes]
		}
		if err := b.LoadPage(n, p); err != nil {
			return
		}
		check(t, &b)
		if !bytes.Equal(b.Page(n), p) {
			t.Fatal("the page reads otherwise than it was loaded")
		}
		i %= PageBits
		if got, want := b.Has(n*PageBits+i), p[i/8]>>(i%8)&1 == 1; got != want {
			t.Fatalf("Has(%d) = %t, want %t", i, got, want)
		}
	})
}

func BenchmarkSetInOrder(b *testing.B) {
	var f Bitfield
	for i := range uint64(b.N) {
		f.Set(i)
	}
}

func BenchmarkSetScattered(b *testing.B) {
	var f Bitfield
	for i := range uint64(b.N) {
		f.Set(i * 0x9e3779b97f4a7c15 % (1 << 24))
	}
}

func BenchmarkHas(b *testing.B) {
	var f Bitfield
	for i := range uint64(1 << 10) {
		f.Set(i * (PageBits + 7))
	}
	b.ResetTimer()
	held := 0
	for i := range uint64(b.N) {
		if f.Has(i * 0x9e3779b97f4a7c15 % (1 << 25)) {
			held++
		}
	}
	_ = held
}

func BenchmarkSetRangeHuge(b *testing.B) {
	var f Bitfield
	for b.Loop() {
		f.SetRange(5, 1<<40, true)
		f.SetRange(5, 1<<40, false)
	}
}

func BenchmarkNextUnset(b *testing.B) {
	var f Bitfield
	f.SetRange(0, PageBits-1, true)
	for b.Loop() {
		f.NextUnset(0)
	}
}

func BenchmarkPage(b *testing.B) {
	var f Bitfield
	f.SetRange(0, PageBits-1, true)
	b.SetBytes(PageBytes)
	for b.Loop() {
		f.Page(0)
	}
}
