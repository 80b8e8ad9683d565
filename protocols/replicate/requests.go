package replicate

import (
	"sync"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/wire"
)

// backlog bounds the requests of one peer, for all its cores, that are not answered. No more is read meanwhile.
type backlog struct {
	mu     sync.Mutex
	room   sync.Cond
	count  int
	closed bool
}

func (b *backlog) init() { b.room.L = &b.mu }

// enter waits for room and returns false when the stream is over.
func (b *backlog) enter(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.count >= maxRequests && !b.closed {
		b.room.Wait()
	}
	b.count += n
	return !b.closed
}

func (b *backlog) leave(n int) {
	b.mu.Lock()
	b.count -= n
	b.mu.Unlock()
	b.room.Broadcast()
}

// waiting tells whether there are any.
func (b *backlog) waiting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count > 0
}

func (b *backlog) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.room.Broadcast()
}

// requests is what one peer has asked of one core and not been answered, in the order in which it came.
type requests struct {
	backlog *backlog

	mu      sync.Mutex
	lists   [2][]*waiting // those that wait, and those that are urgent
	byID    map[uint64]*waiting
	invalid int // that made no sense so far
	closed  bool
}

// waiting is a request in a list; it is nil when it was cancelled or replaced.
type waiting struct{ request *merkle.Request }

func priority(urgent bool) int {
	if urgent {
		return 1
	}
	return 0
}

// put adds requests, in place of older ones of the same number. It waits while there are too many.
func (q *requests) put(list []*merkle.Request) {
	if !q.backlog.enter(len(list)) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		q.backlog.leave(len(list))
		return
	}
	if q.byID == nil {
		q.byID = map[uint64]*waiting{}
	}
	entries := make([]waiting, len(list))
	for i, r := range list {
		if old := q.byID[r.ID]; old != nil {
			old.request = nil
		}
		w := &entries[i]
		w.request = r
		q.byID[r.ID] = w
		k := priority(r.Priority > 0)
		q.lists[k] = append(q.lists[k], w)
	}
}

// take returns up to n requests, at most most of them for blocks.
func (q *requests) take(urgent bool, n, most int) (list []*merkle.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := &q.lists[priority(urgent)]
	gone := 0
	for len(*from) > 0 && len(list) < n && most > 0 {
		w := (*from)[0]
		(*from)[0] = nil
		*from = (*from)[1:]
		gone++
		if w.request == nil {
			continue
		}
		if w.request.Block != nil {
			most--
		}
		delete(q.byID, w.request.ID)
		list = append(list, w.request)
	}
	if gone > 0 {
		q.backlog.leave(gone)
	}
	return list
}

// waits tells whether there are requests to be answered.
func (q *requests) waits(urgent bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lists[priority(urgent)]) > 0
}

// count returns how many requests wait.
func (q *requests) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.byID)
}

// cancel forgets a request.
func (q *requests) cancel(id uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w := q.byID[id]; w != nil {
		w.request = nil
		delete(q.byID, id)
	}
}

func (q *requests) close() {
	q.mu.Lock()
	n := len(q.lists[0]) + len(q.lists[1])
	q.closed, q.lists, q.byID = true, [2][]*waiting{}, nil
	q.mu.Unlock()
	q.backlog.leave(n)
}

// strange counts a request that makes no sense and tells whether there were too many.
func (q *requests) strange() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.invalid++
	return q.invalid >= wire.MaxInvalid
}
