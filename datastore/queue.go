package datastore

import (
	"context"
	"sync"
)

// request is one Update. It belongs to its caller until it joins the queue, then to the leader, and to its caller again
// once Update goes on.
type request struct {
	ctx context.Context
	fn  func(*Tx) error

	turn chan bool // true: lead; false: done. Only for a request that waits
	tx   Tx

	err      error
	panicked any
}

// queue makes updates follow one another. One caller leads: it runs and commits its own update and those that wait,
// then the oldest of those that came meanwhile leads. A lone caller always leads and hands nothing to anybody.
type queue struct {
	mu      sync.Mutex // guards the fields below
	led     bool
	waiting []*request // oldest first
}

// join returns true when r leads. Else r waits in the queue.
func (q *queue) join(r *request) (lead bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.led {
		q.led = true
		return true
	}
	r.turn = make(chan bool, 1)
	q.waiting = append(q.waiting, r)
	return false
}

// wait returns when r is done, or with true when r is to lead. When r's context is done first, r leaves the queue.
func (q *queue) wait(r *request) (lead bool) {
	select {
	case lead = <-r.turn:
		return lead
	case <-r.ctx.Done():
		if q.drop(r) {
			r.err = r.ctx.Err()
			return false
		}
		return <-r.turn // too late, a leader has it
	}
}

// drop takes r out of the queue, if it is still there.
func (q *queue) drop(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == r {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// next gives the leader the oldest request that waits, or nil.
func (q *queue) next() *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.popLocked()
}

// pass ends the caller's lead: the oldest request that waits leads now.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.popLocked(); r != nil {
		r.turn <- true // never blocks: the channel has room for the one message a request gets
		return
	}
	q.led = false
}

func (q *queue) popLocked() *request {
	if len(q.waiting) == 0 {
		return nil
	}
	r := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return r
}
