package discovery

import (
	"container/heap"
	"context"
	"time"
)

// kind is one of the two things that are done for a topic.
type kind uint8

const (
	looking kind = iota
	announcing
	kinds
)

// subject is a topic that has members, or of which others are still to be told that it has none any more.
type subject struct {
	topic   Topic
	members []*Membership
	asked   [kinds]uint64 // how often each kind was called for
	duties  []duty        // one of each kind in each network
	changed chan struct{} // closed when one of them has come to an end; nil when nobody waits
}

// wants tells whether a member wants something of a kind.
func (s *subject) wants(k kind) bool {
	for _, m := range s.members {
		if m.wants(k) {
			return true
		}
	}
	return false
}

// hurried tells whether a member wants it before those who can wait.
func (s *subject) hurried(k kind) bool {
	for _, m := range s.members {
		if m.wants(k) && !m.o.Background {
			return true
		}
	}
	return false
}

// changedLocked wakes who waits for a duty.
func (s *subject) changedLocked() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// place is where a duty is.
type place uint8

const (
	nowhere place = iota // there is nothing to do
	queued               // it waits for its time, or its turn
	parked               // there is nobody to ask
	underway
)

// duty is one kind of work for one topic in one network.
type duty struct {
	s        *subject
	router   int
	kind     kind
	place    place
	hurried  bool          // it goes before those that are not
	told     bool          // others may have been told of the topic: Withdraw is owed once nobody wants that
	withdraw bool          // the attempt that runs is a withdrawal
	due      time.Duration // not before, in the Finder's time
	at       int           // in the queue
	pause    time.Duration // until the next attempt
	begun    uint64        // subject.asked when the last attempt began
	done     uint64        // the same, of the last one that has ended or had nobody to ask
	stop     context.CancelFunc
}

// queue is a heap of duties: those that are hurried first, then by their time.
type queue []*duty

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, k int) bool {
	if q[i].hurried != q[k].hurried {
		return q[i].hurried
	}
	return q[i].due < q[k].due
}
func (q queue) Swap(i, k int) { q[i], q[k] = q[k], q[i]; q[i].at, q[k].at = i, k }
func (q *queue) Push(x any) {
	d := x.(*duty)
	d.at = len(*q)
	*q = append(*q, d)
}
func (q *queue) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return d
}

// soonest is when the first duty is due.
func (q queue) soonest() (due time.Duration, ok bool) {
	if len(q) == 0 {
		return 0, false
	}
	return q[0].due, true
}

// queueLocked has a duty done after a time; at once means before those that only repeat what was done.
func (f *Finder) queueLocked(d *duty, after time.Duration) {
	f.unqueueLocked(d)
	d.place, d.due = queued, f.now()+after
	d.hurried = after == 0 && (d.s.hurried(d.kind) || !d.s.wants(d.kind))
	heap.Push(&f.queues[d.kind], d)
	f.poke()
}

// unqueueLocked takes a duty from where it waits.
func (f *Finder) unqueueLocked(d *duty) {
	switch d.place {
	case queued:
		heap.Remove(&f.queues[d.kind], d.at)
	case parked:
		delete(f.gates[d.router].parked, d)
	}
	d.place = nowhere
}

// adjustLocked brings the duties of a topic into line with what its members want.
func (f *Finder) adjustLocked(s *subject) {
	for i := range s.duties {
		d := &s.duties[i]
		switch {
		case s.wants(d.kind):
			if d.place != underway && d.done < s.asked[d.kind] {
				d.pause = f.o.Again
				f.queueLocked(d, 0)
			}
		case d.place == underway:
			d.stop()
		case d.told:
			f.queueLocked(d, 0)
		default:
			f.unqueueLocked(d)
		}
	}
	f.dropLocked(s)
}

// dropLocked forgets a topic with which nobody has to do any more.
func (f *Finder) dropLocked(s *subject) {
	if len(s.members) > 0 {
		return
	}
	for i := range s.duties {
		if s.duties[i].place != nowhere {
			return
		}
	}
	delete(f.subjects, s.topic)
}
