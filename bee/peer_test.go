package bee

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// wire joins one core to the core of a peer, in one process. What is sent takes as long as the delay.
type wire struct {
	far   *wire
	gifts bool // the other end takes blocks that it did not ask for
	wg    sync.WaitGroup

	mu       sync.Mutex
	slow     time.Duration
	changed  chan struct{}
	core     *core.Core
	handler  func(peer string, data []byte)
	trips    int // requests for blocks, as many as were sent at a time
	requests int // blocks asked for
	pushed   int
	hints    []*message
}

// join makes two sources that serve each other.
func join() (a, b *wire) {
	a, b = &wire{}, &wire{}
	a.far, b.far = b, a
	return a, b
}

func (w *wire) Attach(c *core.Core) core.Session { w.core = c; return w }
func (w *wire) Close() error                     { return nil }

// Changed wakes who waits for blocks.
func (w *wire) Changed(core.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// arrival is closed at the next change.
func (w *wire) arrival() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// await returns when the blocks are here, or after the time that a request takes.
func (w *wire) await(ctx context.Context, blocks []uint64) error {
	w.mu.Lock()
	trip := 2 * w.slow
	w.mu.Unlock()
	for answer := time.After(trip); ; {
		changed, missing := w.arrival(), false
		for _, i := range blocks {
			ok, err := w.core.Has(ctx, i, i+1)
			if err != nil {
				return err
			}
			missing = missing || !ok
		}
		if !missing {
			return nil
		}
		select {
		case <-changed:
		case <-answer:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *wire) Fetch(ctx context.Context, want core.Want) error {
	if want.Head {
		return w.upgrade(ctx)
	}
	w.mu.Lock()
	w.trips++
	w.requests += len(want.Blocks)
	w.mu.Unlock()
	for _, r := range want.Ranges {
		for i := r.Start; i < r.End; i++ {
			want.Blocks = append(want.Blocks, i)
		}
	}
	if err := w.await(ctx, want.Blocks); err != nil {
		return err
	}
	for _, i := range want.Blocks {
		if err := w.take(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) upgrade(ctx context.Context) error {
	have, head := w.core.Head(), w.far.core.Head()
	if head.Length == have.Length {
		return nil
	}
	return w.ask(ctx, &merkle.Request{ID: 1, Fork: head.Fork, Manifest: true,
		Upgrade: &merkle.UpgradeRequest{Start: have.Length, Length: head.Length - have.Length}})
}

// take brings a block here, unless it is.
func (w *wire) take(ctx context.Context, i uint64) error {
	if ok, err := w.core.Has(ctx, i, i+1); ok || err != nil {
		return err
	}
	n, err := w.core.MissingNodes(ctx, i)
	if err != nil {
		return err
	}
	return w.ask(ctx, &merkle.Request{ID: 1, Fork: w.core.Head().Fork, Block: &merkle.BlockRequest{Index: i, Nodes: n}})
}

func (w *wire) ask(ctx context.Context, q *merkle.Request) error {
	p, err := w.far.core.Prove(ctx, q)
	if err != nil {
		return err
	}
	v, err := w.core.Apply(ctx, p)
	if err == nil {
		err = v[0].Err
	}
	return err
}

func (w *wire) Send(_, name string, data []byte) {
	m, err := decodePayload(data)
	if name != extensionName || err != nil {
		panic(fmt.Sprint(name, err))
	}
	w.mu.Lock()
	w.hints = append(w.hints, m)
	w.mu.Unlock()
	w.later(func() {
		w.far.mu.Lock()
		handler := w.far.handler
		w.far.mu.Unlock()
		if handler != nil {
			handler("peer", data)
		}
	})
}

// later does what the other end will see once it has crossed the line.
func (w *wire) later(fn func()) {
	w.mu.Lock()
	slow := w.slow
	w.mu.Unlock()
	if slow == 0 {
		fn()
		return
	}
	w.wg.Go(func() {
		time.Sleep(slow)
		fn()
	})
}

func (w *wire) delay(d time.Duration) { w.mu.Lock(); w.slow = d; w.mu.Unlock() }
func (w *wire) forget()               { w.mu.Lock(); w.hints = nil; w.mu.Unlock() }
func (w *wire) told() int             { w.mu.Lock(); defer w.mu.Unlock(); return len(w.hints) }
func (w *wire) given() int            { w.mu.Lock(); defer w.mu.Unlock(); return w.pushed }
func (w *wire) wait()                 { w.wg.Wait() }

func (w *wire) Handle(_ string, receive func(peer string, data []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = receive
}

func (w *wire) Push(_ string, blocks []uint64) {
	if !w.gifts {
		return
	}
	w.later(func() {
		for _, i := range blocks {
			if err := w.far.take(context.Background(), i); errors.Is(err, core.ErrClosed) {
				return // the other end has gone meanwhile
			} else if err != nil {
				panic(err)
			}
			w.mu.Lock()
			w.pushed++
			w.mu.Unlock()
		}
	})
}

// remote makes a bee of n keys and a cold reader of it.
func remote(t *testing.T, n int, gifts bool) (writer, reader *Bee, w, r *wire) {
	t.Helper()
	w, r = join()
	w.gifts = gifts
	c := coreIn(t, memoryDB(t), core.Options{Pair: memoryPair(), Derived: true, Source: w})
	writer = openBee(t, c, Options{})
	fillKeys(t, writer, n)
	far := coreIn(t, memoryDB(t), core.Options{Key: c.Key(), Source: r})
	return writer, openBee(t, far, Options{}), w, r
}

func fillKeys(t testing.TB, b *Bee, n int) {
	t.Helper()
	for i := 0; i < n; i += 100 {
		err := b.Update(t.Context(), func(tx *Batch) error {
			for k := i; k < min(n, i+100); k++ {
				if err := tx.Put(fmt.Appendf(nil, "k%05d", k*7919%n), fmt.Appendf(nil, "v%d", k*7919%n)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
