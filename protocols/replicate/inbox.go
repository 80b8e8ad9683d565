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

// inbox is the answers of one peer that wait to be applied. Urgent ones are applied first.
type inbox struct {
	some chan struct{} // holds a token when there are some

	mu     sync.Mutex
	room   sync.Cond
	lists  [2][]arrival // those that take their turn, and those that are urgent
	bytes  int
	closed bool
}

// arrivalCost is about what an answer takes in memory beside its bytes: a peer may send the smallest ones without an end.
const arrivalCost = 512

func (a *arrival) cost() int { return a.size + arrivalCost }

// urgent tells whether an answer is to be applied before others: somebody waits for it, and it rests on none of those.
func (a *arrival) urgent() bool {
	return a.ask != nil && a.ask.request.Priority > 0 && !a.ask.predicted
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
	for i := range list {
		k := priority(list[i].urgent())
		b.lists[k] = append(b.lists[k], list[i])
		b.bytes += list[i].cost()
	}
	select {
	case b.some <- struct{}{}:
	default:
	}
}

// take returns the leading answers of one core: urgent ones, else about as many bytes as most.
func (b *inbox) take(most int) []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := &b.lists[0]
	if len(b.lists[1]) > 0 {
		list, most = &b.lists[1], maxGroup
	}
	n, size := 0, 0
	for n < len(*list) && size < most && (*list)[n].link.replicator == (*list)[0].link.replicator {
		size += (*list)[n].cost()
		n++
	}
	group := slices.Clone((*list)[:n])
	*list = slices.Delete(*list, 0, n)
	b.bytes -= size
	b.room.Broadcast()
	return group
}

func (b *inbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes == 0
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.room.Broadcast()
}

func (st *stream) applyAll(ctx context.Context) error {
	st.applying.take()
	defer st.applying.pass()
	for {
		most := maxGroup
		if st.haste.is(time.Now()) {
			most = hastyGroup
		}
		group := st.inbox.take(most)
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
