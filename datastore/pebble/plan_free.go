package pebble

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// free notes that the block that it stands on goes away.
func (p *plan) free(it *pebble.Iterator) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	r, err := parseBlock(v)
	if err != nil {
		return corrupt("%w", err)
	}
	if !r.inline {
		p.freed = append(p.freed, r.place)
	}
	return nil
}

// minRun is how many neighbouring places are removed as a range.
const minRun = 16

// finishFreed removes the entries of the places that were freed, neighbours at once.
func (p *plan) finishFreed() error {
	slices.SortFunc(p.freed, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.offset, b.offset))
	})
	p.freed = slices.Compact(p.freed)
	for from := 0; from < len(p.freed); {
		to := from + 1
		for to < len(p.freed) && p.freed[to].segment == p.freed[from].segment && p.freed[to].offset == p.freed[to-1].end() {
			to++
		}
		if err := p.removePlaces(p.freed[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// removePlaces removes the entries of a run of places.
func (p *plan) removePlaces(run []place) error {
	for _, r := range run {
		p.lose(r)
	}
	if len(run) >= minRun {
		p.key = placeKey(p.key[:0], run[0].segment, run[0].offset)
		p.end = placeKey(p.end[:0], run[0].segment, run[len(run)-1].end())
		p.tombs = append(p.tombs, keyRange{bytes.Clone(p.key), bytes.Clone(p.end)})
		return p.batch.DeleteRange(p.key, p.end, nil)
	}
	for _, r := range run {
		p.key = placeKey(p.key[:0], r.segment, r.offset)
		if err := p.batch.Delete(p.key, nil); err != nil {
			return err
		}
	}
	return nil
}

// lose counts the bytes of a place as dead.
func (p *plan) lose(r place) {
	if r.segment == p.meta.active {
		p.meta.info.live -= min(p.meta.info.live, uint64(r.length))
		return
	}
	s := p.segment(r.segment)
	s.live -= min(s.live, uint64(r.length))
	p.setSegment(r.segment, s)
}

func (p *plan) segment(n uint32) segmentInfo {
	if s, ok := p.segments[n]; ok {
		return s
	}
	return p.e.sealed[n]
}

func (p *plan) setSegment(n uint32, s segmentInfo) {
	if p.segments == nil {
		p.segments = map[uint32]segmentInfo{}
	}
	p.segments[n] = s
}
