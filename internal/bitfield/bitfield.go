package bitfield

import (
	"iter"
	"slices"
)

const (
	// PageBits is the number of bits of a page.
	PageBits = 1 << 15

	// PageBytes is the number of bytes of a page.
	PageBytes = PageBits / 8

	// Limit is the first index that is never set: indexes are below 2^53. Setting bits from there on does nothing.
	Limit = 1 << 53
)

// Bitfield is a set of indexes below Limit. The zero value is empty and ready to use. It is not safe for concurrent
// use. A copy shares its pages with the original: of the two only one may be used on.
//
// Finding a page is a binary search over the extents; a page that becomes or ceases to be one moves the entries (32
// bytes each) behind it.
type Bitfield struct {
	extents []extent // in order, apart; full neighbours are one
}

// extent is a run of pages [first, end) with every bit set, or one page that is partly set.
type extent struct {
	first, end uint64
	words      *words // nil when full
	count      int    // of the set bits of words, never 0 and never PageBits
}

// Has tells whether bit i is set.
func (b *Bitfield) Has(i uint64) bool {
	at, ok := b.find(i / PageBits)
	return ok && (b.extents[at].words == nil || b.extents[at].words.has(i%PageBits))
}

// HasRange tells whether all of [start, end) is set. It is true for an empty range.
func (b *Bitfield) HasRange(start, end uint64) bool {
	return start >= end || b.NextUnset(start) >= end
}

// Set sets bit i.
func (b *Bitfield) Set(i uint64) {
	if i < Limit {
		b.SetRange(i, i+1, true)
	}
}

// SetRange sets or clears all of [start, end). Pages that are cleared as a whole are given back.
func (b *Bitfield) SetRange(start, end uint64, on bool) {
	end = min(end, Limit)
	if start >= end {
		return
	}
	first, last := start/PageBits, (end-1)/PageBits
	from, to := start%PageBits, (end-1)%PageBits+1
	if first == last {
		b.setBits(first, from, to, on)
		return
	}
	if from > 0 {
		b.setBits(first, from, PageBits, on)
		first++
	}
	if to < PageBits {
		b.setBits(last, 0, to, on)
		last--
	}
	if first <= last {
		b.setPages(first, last+1, on)
	}
}

// Count returns how many bits of [start, end) are set.
func (b *Bitfield) Count(start, end uint64) (n uint64) {
	end = min(end, Limit)
	if start >= end {
		return 0
	}
	at, _ := b.find(start / PageBits)
	for _, e := range b.extents[at:] {
		base := e.first * PageBits
		from, to := max(start, base), min(end, e.end*PageBits)
		switch {
		case from >= to:
			return n
		case e.words == nil:
			n += to - from
		case to-from == PageBits:
			n += uint64(e.count)
		default:
			n += uint64(e.words.count(from-base, to-base))
		}
	}
	return n
}

// NextSet returns the first set index at or after i; ok is false when there is none.
func (b *Bitfield) NextSet(i uint64) (next uint64, ok bool) {
	at, _ := b.find(i / PageBits)
	for _, e := range b.extents[at:] {
		base := e.first * PageBits
		next = max(i, base)
		if e.words == nil {
			return next, true
		}
		if bit := e.words.nextSet(next - base); bit < PageBits {
			return base + bit, true
		}
	}
	return 0, false
}

// NextUnset returns the first index at or after i that is not set. There always is one: Limit and all above.
func (b *Bitfield) NextUnset(i uint64) uint64 {
	at, _ := b.find(i / PageBits)
	for _, e := range b.extents[at:] {
		base := e.first * PageBits
		if i < base {
			break
		}
		if e.words != nil {
			if bit := e.words.nextUnset(i - base); bit < PageBits {
				return base + bit
			}
		}
		i = e.end * PageBits
	}
	return i
}

// Runs yields the longest runs [start, end) of set bits within [from, to), in order. The bitmap may change between
// two of them: each run is looked up when its turn comes.
func (b *Bitfield) Runs(from, to uint64) iter.Seq2[uint64, uint64] {
	return func(yield func(start, end uint64) bool) {
		for from < to {
			start, ok := b.NextSet(from)
			if !ok || start >= to {
				return
			}
			end := b.NextUnset(start)
			if !yield(start, min(end, to)) {
				return
			}
			from = end
		}
	}
}

// find returns the index of the first extent that ends after a page, and whether the page lies in it.
func (b *Bitfield) find(page uint64) (at int, ok bool) {
	lo, hi := 0, len(b.extents)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if b.extents[mid].end <= page {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(b.extents) && b.extents[lo].first <= page
}

// setBits sets or clears the bits [from, to) of one page.
func (b *Bitfield) setBits(page, from, to uint64, on bool) {
	at, ok := b.find(page)
	if !ok || b.extents[at].words == nil {
		if ok == on {
			return // full already, or empty
		}
		at = b.split(page, ok)
	}
	e := &b.extents[at]
	changed := e.words.set(from, to, on)
	if changed == 0 {
		return
	}
	if !on {
		changed = -changed
	}
	e.count += changed
	if e.count == 0 || e.count == PageBits {
		b.setPages(page, page+1, on)
	}
}

// split gives an empty or full page words of its own and returns the index of its extent.
func (b *Bitfield) split(page uint64, full bool) int {
	e := extent{first: page, end: page + 1, words: new(words)}
	if full {
		e.words.rest, e.count = ^uint64(0), PageBits
	}
	return b.insert(e)
}

// insert puts in a page that is partly set, in place of what was there, and returns its index.
func (b *Bitfield) insert(e extent) int {
	b.setPages(e.first, e.end, false)
	at, _ := b.find(e.first)
	b.extents = slices.Insert(b.extents, at, e)
	return at
}

// setPages makes the pages [first, end) full or empty.
func (b *Bitfield) setPages(first, end uint64, on bool) {
	lo, ok := b.find(first)
	if on && ok && b.extents[lo].words == nil && b.extents[lo].end >= end {
		return
	}
	hi := lo
	for hi < len(b.extents) && b.extents[hi].first < end {
		hi++
	}
	if !on && lo == hi {
		return
	}
	var rest [3]extent
	kept := rest[:0]
	if lo < hi && b.extents[lo].first < first {
		kept = append(kept, extent{first: b.extents[lo].first, end: first})
	}
	if on {
		kept = append(kept, extent{first: first, end: end})
	}
	if lo < hi && b.extents[hi-1].end > end {
		kept = append(kept, extent{first: end, end: b.extents[hi-1].end})
	}
	b.extents = slices.Replace(b.extents, lo, hi, kept...)
	if on {
		b.join(max(lo-1, 0), min(lo+len(kept)+1, len(b.extents)))
	}
}

// join makes one extent of neighbours that are full, among those with index [lo, hi).
func (b *Bitfield) join(lo, hi int) {
	joined := b.extents[lo : lo+1]
	for _, e := range b.extents[lo+1 : hi] {
		last := &joined[len(joined)-1]
		if last.words == nil && e.words == nil && last.end == e.first {
			last.end = e.end
		} else {
			joined = append(joined, e)
		}
	}
	b.extents = slices.Delete(b.extents, lo+len(joined), hi)
}
