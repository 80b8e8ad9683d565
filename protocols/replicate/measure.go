package replicate

import "github.com/hypernode/hypernode/core"

// measured is a meter that is to be set.
type measured struct {
	meter    *core.Meter
	progress core.Progress
}

// mark has a want's meter set, if it has one.
func (s *scheduler) mark(w *want) {
	if w.Meter != nil && !w.marked {
		w.marked = true
		s.marked = append(s.marked, w)
	}
}

func (s *scheduler) markAll() {
	for w := range s.wants {
		s.mark(w)
	}
}

// measure returns the meters that are to be set.
func (s *scheduler) measure() (list []measured) {
	for _, w := range s.marked {
		w.marked = false
		list = append(list, measured{w.Meter, core.Progress{
			Blocks: w.total - w.left, Total: w.total, Bytes: w.bytes, Peers: len(s.peers),
		}})
	}
	s.marked = s.marked[:0]
	return list
}
