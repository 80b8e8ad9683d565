package bitfield

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", 0, "seed of the random operations; 0 takes a new one")

const windowPages = 6

// model is the plain form of a window of a bitmap: one bool for each bit.
type model struct {
	base uint64
	bits []bool
}

func newModel(base uint64) *model {
	return &model{base: base, bits: make([]bool, windowPages*PageBits)}
}

func (m *model) setRange(start, end uint64, on bool) {
	for i := start; i < end; i++ {
		if m.bits[i-m.base] != on {
			m.bits[i-m.base] = on
		}
	}
}

func (m *model) next(i uint64, on bool) (uint64, bool) {
	at := slices.Index(m.bits[i-m.base:], on)
	return i + uint64(at), at >= 0
}

func (m *model) count(start, end uint64) (n uint64) {
	for _, on := range m.bits[start-m.base : end-m.base] {
		if on {
			n++
		}
	}
	return n
}

func (m *model) page(n uint64) []byte {
	out := make([]byte, PageBytes)
	for i := range uint64(PageBits) {
		if m.bits[n*PageBits+i] {
			out[i/8] |= 1 << (i % 8)
		}
	}
	return out
}

func (m *model) runs() (runs [][2]uint64) {
	for i := 0; i < len(m.bits); i++ {
		if !m.bits[i] {
			continue
		}
		start := i
		for i < len(m.bits) && m.bits[i] {
			i++
		}
		runs = append(runs, [2]uint64{m.base + uint64(start), m.base + uint64(i)})
	}
	return runs
}

func newSeed() uint64 {
	if *seed != 0 {
		return *seed
	}
	return uint64(time.Now().UnixNano())
}

// bases are the first bit, one in the middle, and the last window of all.
func bases() []uint64 { return []uint64{0, 1 << 40, Limit - windowPages*PageBits} }

func TestModel(t *testing.T) {
	s := newSeed()
	for _, base := range bases() {
		t.Run(fmt.Sprintf("base=%d", base), func(t *testing.T) {
			t.Logf("seed %d", s)
			r := rand.New(rand.NewPCG(s, base))
			for range 40 {
				var b Bitfield
				m := newModel(base)
				for range r.IntN(40) {
					step(t, r, &b, m)
				}
				compare(t, &b, m)
			}
		})
	}
}

// step changes both by one operation and asks both one question.
func step(t *testing.T, r *rand.Rand, b *Bitfield, m *model) {
	t.Helper()
	start, end := randomRange(r, m)
	switch on := r.IntN(2) == 0; r.IntN(8) {
	case 0:
		b.Set(start)
		m.setRange(start, start+1, true)
	case 1:
		n := r.Uint64N(windowPages)
		page := m.page(r.Uint64N(windowPages))
		if err := b.LoadPage(m.base/PageBits+n, page); err != nil {
			t.Fatal(err)
		}
		for i := range uint64(PageBits) {
			m.bits[n*PageBits+i] = page[i/8]>>(i%8)&1 == 1
		}
	case 2: // the bits of a page one by one or all but one, so that it becomes full or empty on the way
		n := start / PageBits * PageBits
		b.SetRange(n, start, on)
		b.SetRange(start+1, n+PageBits, on)
		b.SetRange(start, start+1, on)
		m.setRange(n, n+PageBits, on)
	default:
		b.SetRange(start, end, on)
		m.setRange(start, end, on)
	}
	check(t, b)
	ask(t, r, b, m)
}

// randomRange returns a range of the window; often it begins or ends at a page or a word.
func randomRange(r *rand.Rand, m *model) (start, end uint64) {
	one := func() uint64 {
		i := r.Uint64N(uint64(len(m.bits)))
		switch r.IntN(4) {
		case 0:
			i -= i % PageBits
		case 1:
			i -= i % 64
		}
		return m.base + i
	}
	start, end = one(), one()
	if end < start {
		start, end = end, start
	}
	return start, end
}

func ask(t *testing.T, r *rand.Rand, b *Bitfield, m *model) {
	t.Helper()
	start, end := randomRange(r, m)
	if got, want := b.Has(start), m.bits[start-m.base]; got != want {
		t.Fatalf("Has(%d) = %t, want %t", start, got, want)
	}
	if got, want := b.Count(start, end), m.count(start, end); got != want {
		t.Fatalf("Count(%d, %d) = %d, want %d", start, end, got, want)
	}
	if got, want := b.HasRange(start, end), m.count(start, end) == end-start; got != want {
		t.Fatalf("HasRange(%d, %d) = %t, want %t", start, end, got, want)
	}
	wantSet, wantOK := m.next(start, true)
	if got, ok := b.NextSet(start); ok != wantOK || ok && got != wantSet {
		t.Fatalf("NextSet(%d) = %d, %t, want %d, %t", start, got, ok, wantSet, wantOK)
	}
	wantUnset, ok := m.next(start, false)
	if !ok {
		wantUnset = m.base + uint64(len(m.bits))
	}
	if got := b.NextUnset(start); got != wantUnset {
		t.Fatalf("NextUnset(%d) = %d, want %d", start, got, wantUnset)
	}
}

// compare holds all of b against the model.
func compare(t *testing.T, b *Bitfield, m *model) {
	t.Helper()
	var runs [][2]uint64
	for start, end := range b.Runs(0, Limit) {
		runs = append(runs, [2]uint64{start, end})
	}
	if want := m.runs(); !slices.Equal(runs, want) {
		t.Fatalf("%d runs, want %d: %v, want %v", len(runs), len(want), runs, want)
	}
	for n := range uint64(windowPages) {
		if !bytes.Equal(b.Page(m.base/PageBits+n), m.page(n)) {
			t.Fatalf("page %d differs", n)
		}
	}
}

// check holds b to the invariants of its extents.
func check(t *testing.T, b *Bitfield) {
	t.Helper()
	for i, e := range b.extents {
		switch {
		case e.first >= e.end, i > 0 && e.first < b.extents[i-1].end:
			t.Fatalf("extent %d is out of order", i)
		case e.words == nil && i > 0 && b.extents[i-1].words == nil && b.extents[i-1].end == e.first:
			t.Fatalf("full extents %d and %d are neighbours", i-1, i)
		case e.words != nil && (e.end != e.first+1 || e.count != e.words.count(0, PageBits)):
			t.Fatalf("extent %d has a wrong size or count", i)
		case e.words != nil && (e.count == 0 || e.count == PageBits):
			t.Fatalf("extent %d holds words for %d bits", i, e.count)
		}
	}
}

// Single bits all over the range of indexes, against a map.
func TestScattered(t *testing.T) {
	s := newSeed()
	t.Logf("seed %d", s)
	r := rand.New(rand.NewPCG(s, 1))
	var b Bitfield
	held := map[uint64]bool{}
	for range 4000 {
		i := r.Uint64N(Limit) >> r.IntN(40)
		held[i] = r.IntN(4) > 0
		b.SetRange(i, i+1, held[i])
	}
	check(t, &b)
	var want []uint64
	for i, on := range held {
		if b.Has(i) != on {
			t.Fatalf("Has(%d) = %t", i, !on)
		}
		if on {
			want = append(want, i)
		}
	}
	slices.Sort(want)
	var got []uint64
	for start, end := range b.Runs(0, Limit) {
		for i := start; i < end; i++ {
			got = append(got, i)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%d bits listed, want %d", len(got), len(want))
	}
}

// intervals are runs [start, end) of set bits in order: another plain form, for ranges of any size.
type intervals [][2]uint64

func (v intervals) setRange(start, end uint64, on bool) (out intervals) {
	if start >= end {
		return v
	}
	add := func(from, to uint64) {
		if n := len(out); n > 0 && out[n-1][1] >= from {
			out[n-1][1] = max(out[n-1][1], to)
		} else if from < to {
			out = append(out, [2]uint64{from, to})
		}
	}
	for _, r := range v {
		if r[0] < start {
			add(r[0], min(r[1], start))
		}
	}
	if on {
		add(start, end)
	}
	for _, r := range v {
		if r[1] > end {
			add(max(r[0], end), r[1])
		}
	}
	return out
}

// FuzzOperations reads operations of six bytes each: kind, start and length.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{0, 0, 0, 255, 255, 3, 1, 0, 128, 1, 0, 1})
	f.Add([]byte{0x40, 0, 128, 0, 128, 0, 0, 0, 0, 0, 128, 0, 1, 7, 0, 9, 0, 0, 2, 8, 0, 0, 0, 0})
	f.Add([]byte{0x80, 255, 255, 255, 255, 255, 0x81, 255, 255, 1, 0, 0, 0x7d, 1, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var b Bitfield
		var v intervals
		for ; len(ops) >= 6; ops = ops[6:] {
			kind := ops[0] // a bit for on or off, five to scale the length, two for the window
			start := bases()[int(kind>>6)%len(bases())] + uint64(ops[1]) + uint64(ops[2])<<8
			end := start + (uint64(ops[3])+uint64(ops[4])<<8+uint64(ops[5])<<16)<<(kind>>1&31)
			b.SetRange(start, end, kind&1 == 0)
			v = v.setRange(min(start, Limit), min(end, Limit), kind&1 == 0)
			check(t, &b)
		}
		n := uint64(0)
		var runs intervals
		for start, end := range b.Runs(0, Limit) {
			runs = append(runs, [2]uint64{start, end})
			n += end - start
		}
		if !slices.Equal(runs, v) {
			t.Fatalf("runs %v, want %v", runs, v)
		}
		if got := b.Count(0, Limit); got != n {
			t.Fatalf("Count = %d, want %d", got, n)
		}
	})
}
