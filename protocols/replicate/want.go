package replicate

import (
	"slices"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/internal/bitfield"
)

// want is what one Fetch waits for.
type want struct {
	core.Want
	todo  bitfield.Bitfield // blocks in bulk that have not come
	left  uint64            // blocks that have not come, also the urgent ones
	total uint64
	turn  uint64        // of the last peer that was there before
	done  chan struct{} // closed when err is settled

	// Of what is measured.
	bytes  uint64 // of the blocks that came
	marked bool   // in scheduler.marked
	line   *line  // how far ahead it may ask; nil when it is not linear

	// Of a seek.
	seeking bool // a peer is asked
	found   bool
	refused map[*peer]int // how often a peer could not tell

	ended bool
	err   error
	tell  func(error) // is told of the end; nil when nobody is
}

// maxUrgent is the longest range that is fetched before all others; longer ones are bulk whatever their priority.
const maxUrgent = 4096

func newWant(w core.Want) *want {
	n := &want{Want: w, done: make(chan struct{}), refused: map[*peer]int{}}
	if w.Linear {
		n.line = new(line)
	}
	return n
}

func (w *want) finish(err error) {
	if !w.ended {
		w.ended, w.err = true, err
		close(w.done)
		if w.tell != nil {
			w.tell(err)
		}
	}
}

// urgentBlocks returns the blocks that overtake others; the rest of the want is set in todo.
func (w *want) split() (urgent []uint64) {
	first := func(start, end uint64) {
		if w.Priority > 0 && end-start <= maxUrgent {
			for i := start; i < end; i++ {
				urgent = append(urgent, i)
			}
			return
		}
		w.todo.SetRange(start, end, true)
	}
	for _, i := range w.Blocks {
		first(i, i+1)
	}
	for _, r := range w.Ranges {
		if r.End == 0 {
			r.End = bitfield.Limit
		}
		if r.Start < r.End {
			first(r.Start, r.End)
		}
	}
	w.left = w.todo.Count(0, bitfield.Limit)
	if w.line != nil {
		w.line.add(&w.todo)
	}
	return urgent
}

// drop takes the blocks that are held out of the bulk.
func (w *want) drop(held *bitfield.Bitfield) {
	for from, to := range w.todo.Runs(0, bitfield.Limit) {
		for start, end := range held.Runs(from, to) {
			w.todo.SetRange(start, end, false)
			w.left -= end - start
		}
	}
}

// lose puts blocks that had come and went back among those to come, and tells whether there are any.
func (w *want) lose(r core.Range) (lost bool) {
	for _, own := range w.Ranges {
		if own.End == 0 {
			own.End = bitfield.Limit
		}
		start, end := max(own.Start, r.Start), min(own.End, r.End)
		if start >= end || w.Priority > 0 && own.End-own.Start <= maxUrgent {
			continue
		}
		if n := end - start - w.todo.Count(start, end); n > 0 {
			w.todo.SetRange(start, end, true)
			w.left, lost = w.left+n, true
		}
	}
	return lost
}

// add takes a want in. Blocks that have come since the caller looked are not asked for: no peer might have them any more.
func (s *scheduler) add(w *want) {
	urgent := w.split()
	if !w.Anew {
		urgent = slices.DeleteFunc(urgent, s.held.Has)
		w.drop(&s.held)
	}
	for _, i := range urgent {
		w.left++
		if len(s.waiting[i]) == 0 && s.flying[i] == 0 {
			s.urgent = append(s.urgent, i)
		}
		s.waiting[i] = append(s.waiting[i], w)
	}
	w.total, w.turn = w.left, s.turns
	s.wants[w] = struct{}{}
	if w.Head {
		s.heads[w] = struct{}{}
	}
	if w.line != nil {
		s.lines++
	}
	s.mark(w)
	s.unplan(w)
	s.settle()
}

// unplan adds the bulk of a want to what is to be asked for, but for what is too far ahead.
func (s *scheduler) unplan(w *want) {
	end := uint64(bitfield.Limit)
	if w.line != nil {
		end = w.line.reset(&w.todo, s.blockSize())
	}
	s.plan(w, 0, end)
}

// plan adds the bulk of a want within [start, end) to what is to be asked for, but for what is under way.
func (s *scheduler) plan(w *want, start, end uint64) {
	for from, to := range w.todo.Runs(start, end) {
		s.bulk.SetRange(from, to, true)
	}
	for i := range s.flying {
		s.bulk.SetRange(i, i+1, false)
	}
}

// remove takes a want out; what nobody else wants is not asked for any more.
func (s *scheduler) remove(w *want) {
	if _, ok := s.wants[w]; !ok {
		return
	}
	if s.unlist(w); len(s.wants) == 0 {
		clear(s.exact)
		clear(s.struck)
	}
	for _, i := range w.Blocks {
		s.forgo(w, i)
	}
	for _, r := range w.Ranges {
		if w.Priority > 0 && r.End-r.Start <= maxUrgent {
			for i := r.Start; i < r.End; i++ {
				s.forgo(w, i)
			}
		}
	}
	if _, bulk := w.todo.NextSet(0); bulk {
		s.bulk = bitfield.Bitfield{}
		for other := range s.wants {
			s.unplan(other)
		}
	}
}

// unlist takes a want off the list.
func (s *scheduler) unlist(w *want) {
	delete(s.wants, w)
	delete(s.heads, w)
	if w.line != nil {
		s.lines--
	}
}

// forgo takes w off those that wait for block i.
func (s *scheduler) forgo(w *want, i uint64) {
	list := s.waiting[i]
	for k, other := range list {
		if other == w {
			list = append(list[:k:k], list[k+1:]...)
			break
		}
	}
	if s.waiting[i] = list; len(list) == 0 {
		delete(s.waiting, i)
	}
}

// came ends the wait for a block of a size.
func (s *scheduler) came(i uint64, size int) {
	s.bulk.SetRange(i, i+1, false)
	list := s.waiting[i]
	delete(s.waiting, i)
	for _, w := range list {
		s.count(w, size)
	}
	for w := range s.wants {
		if !w.todo.Has(i) {
			continue
		}
		w.todo.SetRange(i, i+1, false)
		s.count(w, size)
		if w.line != nil {
			if start, end := w.line.advance(&w.todo, s.blockSize()); start < end {
				s.plan(w, start, end)
			}
		}
	}
}

func (s *scheduler) count(w *want, size int) {
	w.left--
	w.bytes += uint64(size)
	s.mark(w)
	if w.Progress != nil {
		s.progress = append(s.progress, report{w.Progress, w.total - w.left, w.total})
	}
}

// report is a call of Want.Progress to be made.
type report struct {
	call        func(done, total uint64)
	done, total uint64
}

// again makes a block whose request came to nothing wanted as before.
func (s *scheduler) again(i uint64) {
	if s.flying[i] > 0 {
		return
	}
	if len(s.waiting[i]) > 0 {
		s.urgent = append(s.urgent, i)
		return
	}
	for w := range s.wants {
		if w.todo.Has(i) {
			s.bulk.SetRange(i, i+1, true)
			return
		}
	}
}

// settle ends the wants that have all they asked for.
func (s *scheduler) settle() {
	for w := range s.wants {
		if w.left > 0 || w.Head && !s.newest(w) || w.Seek != nil && !w.found {
			continue
		}
		s.unlist(w)
		s.ended = append(s.ended, w)
	}
}
