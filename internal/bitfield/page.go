package bitfield

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// words are the bits of one page, bit i at bit i%64 of word i/64.
type words [PageBits / 64]uint64

func (w *words) has(i uint64) bool { return w[i/64]>>(i%64)&1 == 1 }

// set sets or clears [from, to), which is not empty, and returns how many bits that changed.
func (w *words) set(from, to uint64, on bool) (changed int) {
	for i := from / 64; i <= (to-1)/64; i++ {
		old := w[i]
		if on {
			w[i] |= mask(i, from, to)
		} else {
			w[i] &^= mask(i, from, to)
		}
		changed += bits.OnesCount64(old ^ w[i])
	}
	return changed
}

// count returns how many bits of [from, to), which is not empty, are set.
func (w *words) count(from, to uint64) (n int) {
	for i := from / 64; i <= (to-1)/64; i++ {
		n += bits.OnesCount64(w[i] & mask(i, from, to))
	}
	return n
}

// nextSet returns the first set bit at or after from, which is in the page, or PageBits.
func (w *words) nextSet(from uint64) uint64 { return w.next(from, 0) }

// nextUnset returns the first bit at or after from, which is in the page, that is not set, or PageBits.
func (w *words) nextUnset(from uint64) uint64 { return w.next(from, ^uint64(0)) }

func (w *words) next(from, flip uint64) uint64 {
	word := (w[from/64] ^ flip) >> (from % 64)
	if word != 0 {
		return from + uint64(bits.TrailingZeros64(word))
	}
	for i := from/64 + 1; i < uint64(len(w)); i++ {
		if word := w[i] ^ flip; word != 0 {
			return i*64 + uint64(bits.TrailingZeros64(word))
		}
	}
	return PageBits
}

// mask is the part of word i that lies in [from, to).
func mask(i, from, to uint64) uint64 {
	m := ^uint64(0)
	if i == from/64 {
		m <<= from % 64
	}
	if i == (to-1)/64 {
		m &= ^uint64(0) >> (63 - (to-1)%64)
	}
	return m
}

// Page returns the PageBytes bytes of page n, which holds the bits from n*PageBits on, LSB first. The bytes are the
// caller's.
func (b *Bitfield) Page(n uint64) []byte {
	out := make([]byte, PageBytes)
	at, ok := b.find(n)
	if !ok {
		return out
	}
	w := b.extents[at].words
	for i := range PageBits / 64 {
		word := ^uint64(0)
		if w != nil {
			word = w[i]
		}
		binary.LittleEndian.PutUint64(out[i*8:], word)
	}
	return out
}

// LoadPage makes page n hold exactly the bits of p, which has the form that Page returns and is not kept. The page does
// not become dirty by it. An error (ErrPageSize, ErrPageRange) leaves the bitmap as it was.
func (b *Bitfield) LoadPage(n uint64, p []byte) error {
	if len(p) != PageBytes {
		return fmt.Errorf("loading page %d of %d bytes: %w", n, len(p), ErrPageSize)
	}
	if n >= Limit/PageBits {
		return fmt.Errorf("loading page %d: %w", n, ErrPageRange)
	}
	w := new(words)
	for i := range w {
		w[i] = binary.LittleEndian.Uint64(p[i*8:])
	}
	switch count := w.count(0, PageBits); count {
	case 0:
		b.setPages(n, n+1, false)
	case PageBits:
		b.setPages(n, n+1, true)
	default:
		b.insert(extent{first: n, end: n + 1, words: w, count: count})
	}
	return nil
}
