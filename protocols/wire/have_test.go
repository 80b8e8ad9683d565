package wire

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/hypernode/hypernode/internal/bitfield"
)

// havePair is a Have and the same set as a plain list.
type havePair struct {
	have Have
	want []byte // a 1 for each block that is in it
}

// modelBlocks is more than a step can reach.
const modelBlocks = 7 * pageBits

func newHavePair() *havePair { return &havePair{want: make([]byte, modelBlocks)} }

// place makes a block number from a byte, close to the borders of pages more often than not.
func place(a byte) uint64 {
	near := uint64(a&0x1f) * 2
	return uint64(a>>5&3)*pageBits + near + uint64(a>>7)*(pageBits-48)
}

func (p *havePair) step(op, a, b, c byte) {
	start := place(a)
	switch op % 4 {
	case 0, 1:
		length := uint64(b)
		if c%8 == 0 {
			length *= 300
		}
		p.have.Range(Range{Drop: op%4 == 1, Start: start, Length: length})
		p.model(start, start+length, op%4 == 0)
	case 2:
		start &^= 31
		m := Bitfield{Start: start, Bits: make([]byte, 4*(int(b)+1))}
		for i := range m.Bits {
			m.Bits[i] = c * byte(i|1)
		}
		p.have.Bitfield(m)
		for i := range uint64(len(m.Bits) * 8) {
			p.want[start+i] = m.Bits[i/8] >> (i % 8) & 1
		}
	case 3: // many short runs
		for i := range uint64(b) {
			p.have.Range(Range{Start: start + i*3, Length: 1})
			p.model(start+i*3, start+i*3+1, true)
		}
	}
}

func (p *havePair) model(start, end uint64, on bool) {
	fill := p.want[start:end]
	clear(fill)
	if on {
		for i := range fill {
			fill[i] = 1
		}
	}
}

func (p *havePair) check(t *testing.T) {
	t.Helper()
	at := uint64(0)
	for start, end := range p.have.Runs(0, bitfield.Limit) {
		if end > modelBlocks {
			t.Fatalf("blocks up to %d are invented", end)
		}
		if i := bytes.IndexByte(p.want[at:start], 1); i >= 0 {
			t.Fatalf("block %d is lost", at+uint64(i))
		}
		if i := bytes.IndexByte(p.want[start:end], 0); i >= 0 {
			t.Fatalf("block %d is invented", start+uint64(i))
		}
		at = end
	}
	if i := bytes.IndexByte(p.want[at:], 1); i >= 0 {
		t.Fatalf("block %d is lost", at+uint64(i))
	}
	n := uint64(bytes.Count(p.want, []byte{1}))
	if p.have.Count(0, bitfield.Limit) != n {
		t.Fatalf("%d blocks counted, want %d", p.have.Count(0, bitfield.Limit), n)
	}
	for i, r := range p.have.runs {
		if r.start >= r.end || i > 0 && p.have.runs[i-1].end >= r.start {
			t.Fatalf("runs %d: %v", i, p.have.runs)
		}
	}
	for _, page := range p.have.pages {
		if len(p.have.runs.on(page)) > 0 {
			t.Fatalf("page %d is kept twice", page)
		}
	}
}

func TestHaveModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 60 {
		p := newHavePair()
		for range 30 {
			p.step(byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()))
			for range 4 {
				i := r.Uint64N(modelBlocks)
				if p.have.Has(i) != (p.want[i] == 1) {
					t.Fatalf("block %d: %v", i, p.have.Has(i))
				}
			}
		}
		p.check(t)
	}
}

func TestHaveContiguous(t *testing.T) {
	var h Have
	h.Range(Range{Start: 0, Length: 1 << 40})
	if h.Contiguous() != 1<<40 || h.Has(1<<40) || !h.Has(1<<40-1) {
		t.Errorf("%d blocks", h.Contiguous())
	}
	h.Range(Range{Drop: true, Start: 70000, Length: 1})
	if h.Contiguous() != 70000 {
		t.Errorf("%d blocks before the gap", h.Contiguous())
	}
	h.Bitfield(Bitfield{Start: 32, Bits: []byte{1, 0, 0, 0}})
	if h.Contiguous() != 33 || !h.Has(64) {
		t.Errorf("%d blocks before the bitfield", h.Contiguous())
	}
	h.Bitfield(Bitfield{Start: 31, Bits: []byte{0, 0, 0, 0}})
	if h.Contiguous() != 33 {
		t.Error("a bitfield that is not aligned was taken")
	}
	h.Drop(10, bitfield.Limit)
	if h.Contiguous() != 10 || h.Count(0, bitfield.Limit) != 10 {
		t.Error("not stepped back")
	}
}

// hostile yields announcements made to cost as much as they can.
func hostile(r *rand.Rand) map[string]func(h *Have) {
	huge := func() uint64 { return r.Uint64N(1 << 53) }
	random := make([]byte, MaxBitfieldBits/8)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	return map[string]func(h *Have){
		"range":     func(h *Have) { h.Range(Range{Start: huge(), Length: huge()}) },
		"drop":      func(h *Have) { h.Range(Range{Drop: true, Start: huge(), Length: huge()}) },
		"scattered": func(h *Have) { h.Range(Range{Start: huge(), Length: 1}) },
		"pierced":   func(h *Have) { h.Range(Range{Drop: true, Start: huge(), Length: 1}) },
		"bitfield":  func(h *Have) { h.Bitfield(Bitfield{Start: huge() &^ 31, Bits: random}) },
		"words":     func(h *Have) { h.Bitfield(Bitfield{Start: huge() &^ 31, Bits: random[:4]}) },
		"pairs": func(h *Have) {
			h.Range(Range{Start: r.Uint64N(64*pageBits) * 2, Length: 1})
		},
	}
}

// No message may cost more than a millisecond or 64 KiB beside its own length, whatever its numbers. What counts is the
// fastest of several runs of messages: the machine may be busy.
func TestHaveCost(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for name, message := range hostile(rand.New(rand.NewPCG(seed, 2))) {
		runs, n, limit := 20, 1000, time.Millisecond
		if name == "bitfield" {
			n, limit = 10, 4*time.Millisecond // for 256 KiB of its own
		}
		var h Have
		if name == "pierced" {
			h.Range(Range{Length: bitfield.Limit})
		}
		best := time.Hour
		for range runs {
			start := time.Now()
			for range n {
				message(&h)
			}
			best = min(best, time.Since(start)/time.Duration(n))
		}
		t.Logf("%-9s %v a message, %d bytes", name, best, h.Size())
		if best > limit {
			t.Errorf("%s: %v a message", name, best)
		}
		checkSize(t, name, &h)
	}
}

func checkSize(t *testing.T, name string, h *Have) {
	t.Helper()
	const limit = MaxHaveRuns*16*2 + MaxHavePages*(bitfield.PageBytes+4096)
	if len(h.runs) > MaxHaveRuns || len(h.pages) > MaxHavePages || h.Size() > limit {
		t.Errorf("%s: %d runs, %d pages, %d bytes", name, len(h.runs), len(h.pages), h.Size())
	}
}

func TestHaveGrowth(t *testing.T) {
	var h Have
	var before, after runtime.MemStats
	r := rand.New(rand.NewPCG(1, 2))
	for name, message := range hostile(r) {
		if name == "bitfield" {
			continue // its own length is more
		}
		worst := uint64(0)
		for range 50 {
			runtime.ReadMemStats(&before)
			message(&h)
			runtime.ReadMemStats(&after)
			worst = max(worst, after.TotalAlloc-before.TotalAlloc)
		}
		if worst > 160<<10 {
			t.Errorf("%s: a message allocates %d bytes", name, worst)
		}
	}
}

// A peer that announces every other block of a long core, one by one and in no order, loses nothing.
func TestHaveScatteredButDense(t *testing.T) {
	const blocks = 400 * pageBits
	var h Have
	r := rand.New(rand.NewPCG(3, 4))
	want := map[uint64]bool{}
	for range 60000 {
		i := r.Uint64N(blocks)
		want[i] = true
		if !h.Range(Range{Start: i, Length: 1}) {
			t.Fatalf("block %d is forgotten, with %d runs and %d pages", i, len(h.runs), len(h.pages))
		}
	}
	if n := h.Count(0, blocks); n != uint64(len(want)) {
		t.Fatalf("%d blocks, want %d", n, len(want))
	}
}

func TestHaveFullForgets(t *testing.T) {
	var h Have
	for i := range uint64(MaxHaveRuns) {
		if !h.Range(Range{Start: i * pageBits * 2, Length: 1}) {
			t.Fatalf("run %d is forgotten", i)
		}
	}
	if h.Range(Range{Start: MaxHaveRuns * pageBits * 2, Length: 1}) {
		t.Error("one run too many is kept")
	}
	if !h.Range(Range{Start: 0, Length: 1 << 50}) || h.Contiguous() != 1<<50 {
		t.Error("a long run does not replace the short ones")
	}
}
