package wire

import (
	"iter"
	"slices"

	"github.com/hypernode/hypernode/internal/bitfield"
)

// Have is the set of blocks that one peer has announced for one core. The zero value is empty and ready to use. It is not
// safe for concurrent use.
//
// Blocks beyond the length that the peer claims are kept too: peers announce a block before they announce the length
// that it belongs to. Where the peer has stepped back, [Have.Drop] what it no longer claims.
//
// A run of blocks takes 16 bytes however long it is, and where many runs lie close together a page of 4 KiB holds 32,768
// blocks. Of both there are at most [MaxHaveRuns] and [MaxHavePages]. What a peer announces beyond that is forgotten,
// never invented: a Have may miss blocks that the peer has, and has none that it never announced. One message takes
// time for its own bytes and at most some tens of microseconds beside, and adds at most its own length and 8 KiB.
type Have struct {
	runs  runs
	pages []uint64          // in order; no run touches one of these pages
	bits  bitfield.Bitfield // of these pages alone

	spared int // messages until a page with many runs is looked for again
}

const pageBits = bitfield.PageBits

// Range takes in what m says. It returns false when some of it was forgotten.
func (h *Have) Range(m Range) bool { return h.set(m.Start, m.Start+m.Length, !m.Drop) }

// Drop takes the blocks [start, end) out.
func (h *Have) Drop(start, end uint64) { h.set(start, end, false) }

// Bitfield takes in what m says. A start that is no multiple of 32 is ignored. It returns false when some was forgotten.
func (h *Have) Bitfield(m Bitfield) bool {
	kept := true
	if m.Start%32 != 0 {
		return kept
	}
	for start, bits := m.Start, m.Bits; len(bits) > 0 && start < bitfield.Limit; {
		n := min((pageBits-int(start%pageBits))/8, len(bits))
		kept = h.load(start, bits[:n]) && kept
		start, bits = start+uint64(n)*8, bits[n:]
	}
	return kept
}

// Has tells whether block i is announced.
func (h *Have) Has(i uint64) bool { return h.NextUnset(i) > i }

// Contiguous returns how many blocks from the first on are announced without a gap.
func (h *Have) Contiguous() uint64 { return h.NextUnset(0) }

// NextSet returns the first announced block at or after i; ok is false when there is none.
func (h *Have) NextSet(i uint64) (next uint64, ok bool) {
	next, ok = h.bits.NextSet(i)
	if at := h.runs.find(i); at < len(h.runs) {
		if start := max(h.runs[at].start, i); !ok || start < next {
			return start, true
		}
	}
	return next, ok
}

// NextUnset returns the first block at or after i that is not announced.
func (h *Have) NextUnset(i uint64) uint64 {
	for {
		next := h.bits.NextUnset(i)
		if at := h.runs.find(next); at < len(h.runs) && h.runs[at].start <= next {
			next = h.runs[at].end
		}
		if next == i {
			return i
		}
		i = next
	}
}

// Runs yields the longest runs [start, end) of announced blocks within [from, to), in order. The set may change between
// two of them.
func (h *Have) Runs(from, to uint64) iter.Seq2[uint64, uint64] {
	return func(yield func(start, end uint64) bool) {
		for from < to {
			start, ok := h.NextSet(from)
			if !ok || start >= to {
				return
			}
			end := h.NextUnset(start)
			if !yield(start, min(end, to)) {
				return
			}
			from = end
		}
	}
}

// Count returns how many blocks of [start, end) are announced.
func (h *Have) Count(start, end uint64) uint64 {
	n := h.bits.Count(start, end)
	for _, r := range h.runs[h.runs.find(start):] {
		if r.start >= end {
			break
		}
		n += min(r.end, end) - max(r.start, start)
	}
	return n
}

// Size returns about how many bytes of memory the set takes.
func (h *Have) Size() int { return 16*cap(h.runs) + len(h.pages)*(bitfield.PageBytes+48) }

// set announces or drops [start, end).
func (h *Have) set(start, end uint64, on bool) bool {
	end = min(end, bitfield.Limit)
	if start >= end {
		return true
	}
	h.makeRoom()
	first, last := start/pageBits, (end-1)/pageBits
	if start%pageBits != 0 || first == last && end%pageBits != 0 {
		if to := min(end, (first+1)*pageBits); h.setOnPage(first, start, to, on) {
			start = to
		}
	}
	if end%pageBits != 0 && start < end && h.setOnPage(last, max(start, last*pageBits), end, on) {
		end = max(start, last*pageBits)
	}
	if start >= end {
		return true
	}
	h.dropPages(start, end)
	kept := h.runs.set(start, end, on)
	h.thicken(start / pageBits)
	h.thicken((end - 1) / pageBits)
	return kept
}

// setOnPage announces or drops a part of a page that is a bitmap, and tells whether it is one.
func (h *Have) setOnPage(page, start, end uint64, on bool) bool {
	if _, ok := slices.BinarySearch(h.pages, page); !ok {
		return false
	}
	h.bits.SetRange(start, end, on)
	h.thin(page)
	return true
}

// dropPages makes the bitmaps that lie within [start, end) go. One that is partly within must be no bitmap.
func (h *Have) dropPages(start, end uint64) {
	lo, _ := slices.BinarySearch(h.pages, start/pageBits)
	hi, _ := slices.BinarySearch(h.pages, (end-1)/pageBits+1)
	if lo < hi {
		h.pages = slices.Delete(h.pages, lo, hi)
		h.bits.SetRange(start, end, false)
	}
}
