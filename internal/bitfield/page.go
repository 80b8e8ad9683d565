package bitfield

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// pageWords is how many words a page has.
const pageWords = PageBits / 64

// words are the bits of one page, bit i at bit i%64 of word i/64. Words from the last one that differs on are not held: they
// are all rest, which is 0 or all ones. So a few bits at the start of a page, and all but those, take a few bytes.
type words struct {
	first []uint64
	rest  uint64
}

// at returns word i.
func (w *words) at(i uint64) uint64 {
	if i < uint64(len(w.first)) {
		return w.first[i]
	}
	return w.rest
}

func (w *words) has(i uint64) bool { return w.at(i/64)>>(i%64)&1 == 1 }

// hold makes the first n words be held.
func (w *words) hold(n uint64) {
	for i := uint64(len(w.first)); i < n; i++ {
		w.first = append(w.first, w.rest)
	}
}

// set sets or clears [from, to), which is not empty, and returns how many bits that changed.
func (w *words) set(from, to uint64, on bool) (changed int) {
	end := (to-1)/64 + 1
	if to == PageBits {
		if end = from / 64; from%64 > 0 {
			end++
		}
		changed = w.setRest(end, on)
	}
	w.hold(end)
	for i := from / 64; i < end; i++ {
		old := w.first[i]
		if on {
			w.first[i] |= mask(i, from, to)
		} else {
			w.first[i] &^= mask(i, from, to)
		}
		changed += bits.OnesCount64(old ^ w.first[i])
	}
	return changed
}

// setRest sets or clears all from word i on, and returns how many bits that changed.
func (w *words) setRest(i uint64, on bool) (changed int) {
	w.hold(i)
	ones := 0
	for k := i; k < pageWords; k++ {
		ones += bits.OnesCount64(w.at(k))
	}
	w.first, w.rest = w.first[:i], 0
	if on {
		w.rest = ^uint64(0)
		return int(pageWords-i)*64 - ones
	}
	return ones
}

// count returns how many bits of [from, to), which is not empty, are set.
func (w *words) count(from, to uint64) (n int) {
	for i := from / 64; i <= (to-1)/64; i++ {
		n += bits.OnesCount64(w.at(i) & mask(i, from, to))
	}
	return n
}

// nextSet returns the first set bit at or after from, which is in the page, or PageBits.
func (w *words) nextSet(from uint64) uint64 { return w.next(from, 0) }

// nextUnset returns the first bit at or after from, which is in the page, that is not set, or PageBits.
func (w *words) nextUnset(from uint64) uint64 { return w.next(from, ^uint64(0)) }

func (w *words) next(from, flip uint64) uint64 {
	i := from / 64
	if word := (w.at(i) ^ flip) >> (from % 64); word != 0 {
		return from + uint64(bits.TrailingZeros64(word))
	}
	for i++; i < uint64(len(w.first)); i++ {
		if word := w.first[i] ^ flip; word != 0 {
			return i*64 + uint64(bits.TrailingZeros64(word))
		}
	}
	if i < pageWords && w.rest != flip {
		return i * 64
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
	out := new([PageBytes]byte)
	b.ReadPage(n, out)
	return out[:]
}

// ReadPage is Page with memory of the caller's for the bytes. What is in it does not matter.
func (b *Bitfield) ReadPage(n uint64, out *[PageBytes]byte) {
	clear(out[:])
	at, ok := b.find(n)
	if !ok {
		return
	}
	first, rest := []uint64(nil), ^uint64(0)
	if w := b.extents[at].words; w != nil {
		first, rest = w.first, w.rest
	}
	for i, word := range first {
		binary.LittleEndian.PutUint64(out[i*8:], word)
	}
	if rest == 0 {
		return
	}
	for i := len(first); i < pageWords; i++ {
		binary.LittleEndian.PutUint64(out[i*8:], rest)
	}
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
	w := newWords(p)
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

// newWords reads a page.
func newWords(p []byte) *words {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(p[i*8:]) }
	w := new(words)
	if last := word(pageWords - 1); last == ^uint64(0) {
		w.rest = last
	}
	held := pageWords
	for held > 0 && word(held-1) == w.rest {
		held--
	}
	w.first = make([]uint64, held)
	for i := range w.first {
		w.first[i] = word(i)
	}
	return w
}

// SetBits sets or clears the bits from one on up to, not including, another, of a page as it is written.
func SetBits(page *[PageBytes]byte, from, to uint64, on bool) {
	for ; from < to && from%8 != 0; from++ {
		setBit(page, from, on)
	}
	for ; to-from >= 8; from += 8 {
		page[from/8] = 0
		if on {
			page[from/8] = 0xff
		}
	}
	for ; from < to; from++ {
		setBit(page, from, on)
	}
}

func setBit(page *[PageBytes]byte, i uint64, on bool) {
	page[i/8] &^= 1 << (i % 8)
	if on {
		page[i/8] |= 1 << (i % 8)
	}
}
