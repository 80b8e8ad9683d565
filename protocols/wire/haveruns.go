package wire

import (
	"slices"
	"sort"
)

// run is the blocks [start, end), never none.
type run struct{ start, end uint64 }

// runs are in order and do not touch.
type runs []run

// find returns the index of the first run that ends after i.
func (r runs) find(i uint64) int {
	return sort.Search(len(r), func(k int) bool { return r[k].end > i })
}

// set adds or takes out [start, end), which is not empty. It returns false when something was forgotten because there
// are too many runs.
func (r *runs) set(start, end uint64, on bool) bool {
	if on {
		return r.add(start, end)
	}
	return r.remove(start, end)
}

func (r *runs) add(start, end uint64) bool {
	lo := 0
	if start > 0 {
		lo = r.find(start - 1) // one that ends at start touches
	}
	hi := lo
	for hi < len(*r) && (*r)[hi].start <= end {
		hi++
	}
	if lo == hi && len(*r) >= MaxHaveRuns {
		return false
	}
	if lo < hi {
		start, end = min(start, (*r)[lo].start), max(end, (*r)[hi-1].end)
	}
	*r = slices.Replace(*r, lo, hi, run{start, end})
	return true
}

func (r *runs) remove(start, end uint64) bool {
	lo := r.find(start)
	hi := lo
	for hi < len(*r) && (*r)[hi].start < end {
		hi++
	}
	if lo == hi {
		return true
	}
	var rest [2]run
	kept := rest[:0]
	if first := (*r)[lo]; first.start < start {
		kept = append(kept, run{first.start, start})
	}
	if last := (*r)[hi-1]; last.end > end {
		kept = append(kept, run{end, last.end})
	}
	fits := len(*r)-(hi-lo)+len(kept) <= MaxHaveRuns
	if !fits {
		kept = kept[:1] // the part behind the gap is forgotten
	}
	*r = slices.Replace(*r, lo, hi, kept...)
	return fits
}

// on returns the runs that lie on a page, whole or in part.
func (r runs) on(page uint64) runs {
	lo := r.find(page * pageBits)
	hi := lo + sort.Search(len(r)-lo, func(k int) bool { return r[lo+k].start >= (page+1)*pageBits })
	return r[lo:hi]
}

// densest returns the page on which the most runs start, and how many do.
func (r runs) densest() (page uint64, most int) {
	for i := 0; i < len(r); {
		at, from := r[i].start/pageBits, i
		for i < len(r) && r[i].start/pageBits == at {
			i++
		}
		if i-from > most {
			page, most = at, i-from
		}
	}
	return page, most
}
