package core

import (
	"context"
	"sync"
)

// appendQueue gathers the appends of concurrent callers. Whoever finds it idle leads: it appends what is queued in one
// commit with one signature, then hands the lead to the first that came meanwhile. A lone caller meets nobody.
type appendQueue struct {
	mu      sync.Mutex
	busy    bool
	pending []*appendCall
}

type appendCall struct {
	core   *Core
	blocks [][]byte
	size   int // of the blocks in bytes
	first  uint64
	err    error
	lead   bool
	wake   chan struct{} // nil for one who found the queue idle
}

// A group is bounded, so that no commit grows without end.
const (
	groupCalls = 1024
	groupBytes = 16 << 20
)

// join queues a call and returns when it has been done, or when it is to lead.
func (q *appendQueue) join(ctx context.Context, call *appendCall) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	q.pending = append(q.pending, call)
	if !q.busy {
		q.busy, call.lead = true, true
		q.mu.Unlock()
		return nil
	}
	call.wake = make(chan struct{})
	q.mu.Unlock()
	select {
	case <-call.wake:
		return nil
	case <-ctx.Done():
	}
	if q.leave(call) {
		return ctx.Err()
	}
	<-call.wake // it is being done, or is to lead
	return nil
}

// leave takes a waiting call out of the queue, unless it is too late for that.
func (q *appendQueue) leave(call *appendCall) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, p := range q.pending {
		if p == call && !call.lead {
			q.pending = append(q.pending[:i], q.pending[i+1:]...)
			return true
		}
	}
	return false
}

// run does one group that begins with the leader's call, and hands the lead on.
func (q *appendQueue) run(l *log, leader *appendCall) {
	group := q.take()
	l.appendGroup(group)
	q.mu.Lock()
	if len(q.pending) == 0 {
		q.busy = false
	} else {
		q.pending[0].lead = true
		close(q.pending[0].wake)
	}
	q.mu.Unlock()
	for _, call := range group {
		if call != leader {
			close(call.wake)
		}
	}
}

// take removes the next group from the queue: the leading call, and those behind it that one signature can cover.
func (q *appendQueue) take() []*appendCall {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 1, q.pending[0].size
	for n < len(q.pending) && n < groupCalls && q.pending[n].core.signsAs(q.pending[0].core) {
		if size += q.pending[n].size; size > groupBytes {
			break
		}
		n++
	}
	group := q.pending[:n:n]
	if q.pending = q.pending[n:]; len(q.pending) == 0 {
		q.pending = nil
	}
	return group
}

// signsAs tells whether two handles sign alike.
func (c *Core) signsAs(o *Core) bool {
	return c == o || c.sign == nil && o.sign == nil && c.pair.Public == o.pair.Public
}
