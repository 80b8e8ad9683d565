package replicate

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
)

// TestKeep has a want stand that no goroutine waits for: what comes is taken, until it is stopped.
func TestKeep(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	written := a.writer("core", 3)
	c := b.open(corestore.Key(written.Key()))
	r := b.set.Core(c.DiscoveryKey())
	before := runtime.NumGoroutine()
	part, everything := make(chan error, 2), make(chan error, 2)
	r.Keep(core.Want{Blocks: []uint64{1}, Ranges: []core.Range{{Start: 3, End: 5}}}, func(err error) { part <- err })
	stop := r.Keep(core.Want{Ranges: []core.Range{{}}}, func(err error) { everything <- err })
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines for two wants", n-before)
	}
	connect(t, a, b)
	mustHold(t, c, 3)
	grow(t, written, 2)
	mustHold(t, c, 5)
	select {
	case err := <-part:
		if err != nil {
			t.Errorf("all of it has come: %v", err)
		}
	case <-within(t).Done():
		t.Fatal("nobody says that all of it has come")
	}
	stop()
	grow(t, written, 2)
	mustReach(t, c, 7)
	mustGet(t, c, 6, block(6)) // asked for by itself
	if c.Contiguous() != 5 {
		t.Errorf("%d blocks after the end of the want", c.Contiguous())
	}
	if len(part)+len(everything) > 0 {
		t.Error("told of the end once more, or after stop")
	}
}

// TestBusy tells with whom something is under way: nobody before something is wanted that the peer has, and not when it is there.
func TestBusy(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{DownloadRate: NewRate(50_000, 5_000)})
	written := a.writer("core", 2000)
	c := b.open(corestore.Key(written.Key()))
	connect(t, a, b)
	mustReach(t, c, 2000)
	waitFor(t, "rest", func() bool { return len(a.set.Busy())+len(b.set.Busy()) == 0 })
	stop := b.set.Core(c.DiscoveryKey()).Keep(core.Want{Ranges: []core.Range{{}}}, func(error) {})
	waitFor(t, "a transfer", func() bool { return len(b.set.Busy()) == 1 })
	stop()
	waitFor(t, "its end", func() bool { return len(a.set.Busy())+len(b.set.Busy()) == 0 })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for ctx := within(t); !ok(); time.Sleep(100 * time.Microsecond) {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestKeepOfClosedCore tells of the end of the core.
func TestKeepOfClosedCore(t *testing.T) {
	b := newNode(t, Options{})
	c := b.open(corestore.Key(newNode(t, Options{}).writer("core", 1).Key()))
	r := b.set.Core(c.DiscoveryKey())
	ended := make(chan error, 2)
	r.Keep(core.Want{Ranges: []core.Range{{}}}, func(err error) { ended <- err })
	stopped := r.Keep(core.Want{Ranges: []core.Range{{}}}, func(err error) { ended <- err })
	stopped()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	r.Keep(core.Want{Blocks: []uint64{0}}, func(err error) { ended <- err })
	if one, two := <-ended, <-ended; !errors.Is(one, core.ErrClosed) || !errors.Is(two, core.ErrClosed) {
		t.Errorf("%v, %v", one, two)
	}
}

// mustHold waits until the first blocks of a core are there.
func mustHold(t *testing.T, c *core.Core, count uint64) {
	t.Helper()
	for ctx := within(t); c.Contiguous() < count; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("%d blocks of %d", c.Contiguous(), count)
		}
	}
}
