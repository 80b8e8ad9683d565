package replicate

import (
	"context"
	"errors"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// requests is what one peer has asked of one core and not been answered.
type requests struct {
	mu      sync.Mutex
	room    sync.Cond
	urgent  []*merkle.Request
	bulk    []*merkle.Request
	invalid int // that made no sense so far
	closed  bool
}

func (q *requests) init() { q.room.L = &q.mu }

// put adds a request in place of an older one of the same number. It waits while there are too many.
func (q *requests) put(r *merkle.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.urgent)+len(q.bulk) >= maxRequests && !q.closed {
		q.room.Wait()
	}
	if q.closed {
		return
	}
	if r.Priority > 0 {
		q.urgent = append(q.urgent, r)
	} else {
		q.bulk = append(q.bulk, r)
	}
}

// take returns the request to answer next, nil when there is none.
func (q *requests) take() (r *merkle.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, list := range []*[]*merkle.Request{&q.urgent, &q.bulk} {
		if len(*list) > 0 {
			r, *list = (*list)[0], (*list)[1:]
			q.room.Signal()
			return r
		}
	}
	return nil
}

// cancel forgets a request.
func (q *requests) cancel(id uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, list := range []*[]*merkle.Request{&q.urgent, &q.bulk} {
		for i, r := range *list {
			if r.ID == id {
				*list = append((*list)[:i:i], (*list)[i+1:]...)
				q.room.Signal()
				return
			}
		}
	}
}

func (q *requests) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.urgent, q.bulk = true, nil, nil
	q.room.Broadcast()
}

// strange counts a request that makes no sense and tells whether there were too many.
func (q *requests) strange() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.invalid++
	return q.invalid >= wire.MaxInvalid
}

// request takes a request in.
func (l *link) request(b []byte) error {
	q, err := merkle.DecodeRequest(b)
	if err != nil {
		return err
	}
	l.requests.put(q)
	l.wake()
	return nil
}

// answer returns what sends the answer to a request: the proof, or that there is none.
func (l *link) answer(ctx context.Context, c *mux.Channel, q *merkle.Request) func() error {
	p, err := l.prove(ctx, q)
	if err != nil {
		return l.refuse(c, q, err)
	}
	return func() error {
		err := c.Append(uint64(wire.TypeData), p.Size(), func(b []byte) []byte { return merkle.AppendProof(b, p) })
		if err == nil && p.Block != nil {
			l.replicator.sent(len(p.Block.Value))
		}
		return err
	}
}

func (l *link) prove(ctx context.Context, q *merkle.Request) (*merkle.Proof, error) {
	st, c := l.stream, l.replicator.core
	if upload := st.set.o.Upload; upload != nil && !upload(st.remote, c.DiscoveryKey()) {
		return nil, core.ErrNotAvailable
	}
	return c.Prove(ctx, q)
}

// refuse returns what says that a request gets no data.
func (l *link) refuse(c *mux.Channel, q *merkle.Request, err error) func() error {
	reason := wire.ReasonNotAvailable
	if errors.Is(err, merkle.ErrInvalidRequest) {
		if reason = wire.ReasonInvalid; l.requests.strange() {
			return func() error { l.stream.fail(ErrInvalidRequests); return ErrInvalidRequests }
		}
	}
	m := wire.NoData{Request: q.ID, Reason: reason}
	return func() error { return c.Append(uint64(wire.TypeNoData), 16, m.Append) }
}

func (r *Replicator) sent(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.BlocksOut++
	r.stats.BytesOut += uint64(bytes)
}
