package replicate

import "github.com/hypernode/hypernode/internal/bitfield"

// line bounds how far ahead of its first missing block a linear want asks.
type line struct {
	all   bitfield.Bitfield // blocks that were wanted in bulk, those that came too
	first uint64            // the first one that is missing
	next  uint64            // once the first one is here or behind, the edge moves
	edge  uint64            // nothing from here on is asked for
}

// What a linear want asks for at once: lineBytes, but from minLine to maxLine blocks.
const (
	lineBytes = 32 << 20
	minLine   = 256
	maxLine   = 16384
)

// ahead is how many blocks of a size may be asked for at once.
func ahead(size int) uint64 { return uint64(max(minLine, min(maxLine, lineBytes/size))) }

// add takes blocks in that are wanted.
func (l *line) add(todo *bitfield.Bitfield) {
	for start, end := range todo.Runs(0, bitfield.Limit) {
		l.all.SetRange(start, end, true)
	}
}

// reset places the edge anew, and returns it.
func (l *line) reset(todo *bitfield.Bitfield, size int) uint64 {
	l.first, l.next, l.edge = 0, 0, 0
	l.advance(todo, size)
	return l.edge
}

// advance moves the edge when the first missing block has moved far enough, and returns what it moved over: that may be asked
// for from then on.
func (l *line) advance(todo *bitfield.Bitfield, size int) (start, end uint64) {
	first, some := todo.NextSet(l.first)
	if !some {
		l.first = bitfield.Limit
		return 0, 0
	}
	l.first = first
	if first < l.next {
		return 0, 0
	}
	n, before := ahead(size), l.edge
	l.next, l.edge = l.step(first, n/4), l.step(first, n)
	return before, l.edge
}

// step returns the block behind the next n wanted ones from i on.
func (l *line) step(i, n uint64) uint64 {
	for start, end := range l.all.Runs(i, bitfield.Limit) {
		if end-start >= n {
			return start + n
		}
		n -= end - start
		i = end
	}
	return i
}

// stuck tells whether all that linear wants may ask for is what no peer has.
func (s *scheduler) stuck() bool {
	if s.lines == 0 || len(s.flying) > 0 {
		return false
	}
	for p := range s.peers {
		if !s.canAsk(p) || p.stalled {
			continue
		}
		if _, ok := s.takeBulk(p); ok {
			return false
		}
	}
	return true
}

// passHoles lets linear wants that are stuck go on at the next block that a peer has.
func (s *scheduler) passHoles(p *peer) (some bool) {
	for w := range s.wants {
		l := w.line
		if l == nil || l.edge >= s.reach(p) {
			continue
		}
		i, ok := nextOf(&w.todo, p, l.edge)
		if !ok {
			continue
		}
		before := l.edge
		l.next, l.edge = l.step(i, 1), l.step(i, ahead(s.blockSize()))
		s.plan(w, before, l.edge)
		some = true
	}
	return some
}

// nextOf returns the first block at or after i that is in a set and that a peer has.
func nextOf(set *bitfield.Bitfield, p *peer, i uint64) (uint64, bool) {
	for {
		j, ok := set.NextSet(i)
		if !ok {
			return 0, false
		}
		if i, ok = p.have.NextSet(j); !ok || i == j {
			return i, ok
		}
	}
}
