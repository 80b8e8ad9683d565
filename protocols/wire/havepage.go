package wire

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// thicken makes a bitmap of a page with many runs.
func (h *Have) thicken(page uint64) {
	if len(h.runs.on(page)) > maxPageRuns && len(h.pages) < MaxHavePages {
		h.addPage(page)
	}
}

// makeRoom makes a bitmap of the page with the most runs when there are hardly any runs left.
func (h *Have) makeRoom() {
	if len(h.runs) <= MaxHaveRuns-maxPageRuns || len(h.pages) >= MaxHavePages {
		return
	}
	if h.spared > 0 {
		h.spared--
		return
	}
	if page, n := h.runs.densest(); n > 1 {
		h.addPage(page)
	} else {
		h.spared = maxPageRuns / 2 // looking at all runs again for each message would cost more than the message
	}
}

// addPage makes a bitmap of a page.
func (h *Have) addPage(page uint64) {
	start, end := page*pageBits, (page+1)*pageBits
	for _, r := range h.runs.on(page) {
		h.bits.SetRange(max(r.start, start), min(r.end, end), true)
	}
	h.runs.remove(start, end)
	at, _ := slices.BinarySearch(h.pages, page)
	h.pages = slices.Insert(h.pages, at, page)
}

// thin gives a bitmap back that is empty or full.
func (h *Have) thin(page uint64) {
	start, end := page*pageBits, (page+1)*pageBits
	n := h.bits.Count(start, end)
	if n == 0 || n == pageBits && len(h.runs) < MaxHaveRuns {
		h.dropPages(start, end)
	}
	if n == pageBits && len(h.runs) < MaxHaveRuns {
		h.runs.add(start, end)
	}
}

// load makes the blocks from start on, all on one page, those of b. It returns false when some were forgotten.
func (h *Have) load(start uint64, b []byte) bool {
	h.makeRoom()
	page, end := start/pageBits, start+uint64(len(b))*8
	_, ok := slices.BinarySearch(h.pages, page)
	switch {
	case ok:
	case countRuns(b) <= maxPageRuns/2:
		return h.loadRuns(start, end, b)
	case len(h.pages) >= MaxHavePages:
		h.runs.remove(start, end)
		return false
	default:
		h.addPage(page)
	}
	p := h.bits.Page(page)
	copy(p[start%pageBits/8:], b)
	err := h.bits.LoadPage(page, p) // the size is right and the page below the limit
	h.thin(page)
	return err == nil
}

// loadRuns does what load does on a page that is no bitmap, for few runs.
func (h *Have) loadRuns(start, end uint64, b []byte) bool {
	kept := h.runs.remove(start, end)
	for i := nextBit(b, 0, true); i < len(b)*8; {
		to := nextBit(b, i, false)
		kept = h.runs.add(start+uint64(i), start+uint64(to)) && kept
		i = nextBit(b, to, true)
	}
	h.thicken(start / pageBits)
	return kept
}

// countRuns returns the number of runs of set bits in b, whose length is a multiple of 4.
func countRuns(b []byte) (n int) {
	before := uint32(0) // the last bit of the word before
	for ; len(b) >= 4; b = b[4:] {
		w := binary.LittleEndian.Uint32(b)
		n += bits.OnesCount32(w &^ (w<<1 | before))
		before = w >> 31
	}
	return n
}

// nextBit returns the first bit at or after i that is set, or not set, and the number of bits when there is none.
func nextBit(b []byte, i int, set bool) int {
	skip := byte(0xff)
	if set {
		skip = 0
	}
	for i < len(b)*8 {
		w := (b[i/8] ^ skip) >> (i % 8)
		if w != 0 {
			return i + bits.TrailingZeros8(w)
		}
		i += 8 - i%8
	}
	return i
}
