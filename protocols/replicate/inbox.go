package replicate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
)

// arrival is an answer that is to be applied.
type arrival struct {
	link  *link
	ask   *ask // nil for what was not asked for
	gift  bool // was pushed
	proof *merkle.Proof
	size  int
	loan  *mux.Loan // the memory of proof, when it is to be given back
	since time.Time // waits since; see Replicator.park
	err   error     // why
}

// release gives back the memory of an answer that was applied. What was applied of it is a copy by then, but for a signature
// and a manifest; and where something was wrong nothing is said of what is kept.
func (a *arrival) release(v core.Verdict) {
	if v.Err == nil && v.Next == nil && a.proof.Upgrade == nil && a.proof.Manifest == nil {
		a.loan.Release()
	}
	a.loan = nil
}

// arrivalCost is about what an answer takes in memory beside its bytes: a peer may send the smallest ones without an end.
const arrivalCost = 512

func (a *arrival) cost() int { return a.size + arrivalCost }

// inbox is the answers of one peer that wait to be applied.
type inbox struct {
	some chan struct{} // holds a token when there are some

	mu     sync.Mutex
	room   sync.Cond
	list   []arrival
	bytes  int
	closed bool
}

func (b *inbox) init() {
	b.room.L = &b.mu
	b.some = make(chan struct{}, 1)
}

// put adds answers. It waits while there are too many.
func (b *inbox) put(list []arrival) {
	if len(list) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes > maxInbox && !b.closed {
		b.room.Wait()
	}
	b.list = append(b.list, list...)
	for i := range list {
		b.bytes += list[i].cost()
	}
	select {
	case b.some <- struct{}{}:
	default:
	}
}

// take returns the leading answers of one core, as many as are applied together.
func (b *inbox) take() []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, size := 0, 0
	for n < len(b.list) && size < maxGroup && b.list[n].link.replicator == b.list[0].link.replicator {
		size += b.list[n].cost()
		n++
	}
	group := slices.Clone(b.list[:n])
	b.list = slices.Delete(b.list, 0, n)
	b.bytes -= size
	b.room.Broadcast()
	return group
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.room.Broadcast()
}

func (st *stream) applyAll(ctx context.Context) error {
	for {
		group := st.inbox.take()
		if len(group) == 0 {
			return nil
		}
		if err := passing(group[0].link.replicator.apply(ctx, group)); err != nil {
			return err
		}
	}
}

// passing returns an error of the store or of ctx; that a core takes nothing any more does not concern the stream.
func passing(err error) error {
	if errors.Is(err, core.ErrClosed) || errors.Is(err, core.ErrDeleted) || errors.Is(err, core.ErrConflict) {
		return nil
	}
	return err
}
