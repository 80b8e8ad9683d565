package replicate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// arrival is an answer that is to be applied.
type arrival struct {
	link  *link
	ask   *ask // nil for what was not asked for
	proof *merkle.Proof
	size  int
	since time.Time // waits since; see Replicator.park
	err   error     // why
}

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

// put adds an answer. It waits while there are too many.
func (b *inbox) put(a arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes > maxInbox && !b.closed {
		b.room.Wait()
	}
	b.list = append(b.list, a)
	b.bytes += a.size
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
		size += b.list[n].size
		n++
	}
	group := b.list[:n:n]
	b.list = b.list[n:]
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

// applyLoop applies what comes in until ctx ends, and looks after what is late.
func (st *stream) applyLoop(ctx context.Context) {
	defer st.inbox.close()
	ticks := time.NewTicker(tickEvery)
	defer ticks.Stop()
	for {
		select {
		case <-st.inbox.some:
		case now := <-ticks.C:
			if err := st.tick(ctx, now); err != nil {
				st.fail(err)
				return
			}
		case <-ctx.Done():
			return
		}
		if err := st.applyAll(ctx); err != nil {
			st.fail(err)
			return
		}
	}
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
