package core

import (
	"context"
	"fmt"
	"slices"
)

// pin is what a snapshot holds on to: a head, and when it was taken.
type pin struct {
	head  Head
	epoch uint64 // of the log's cuts
	state *state // of which head is the head; nil for the beginning of it
}

// Snapshot returns a read-only handle on the log as it is now. It does not see later blocks, and once the log is cut
// below its length its reads fail with ErrTruncated: it never shows a block of another fork. It is cheap, and is closed
// like any handle.
func (c *Core) Snapshot() (*Core, error) { return c.At(1<<64 - 1) }

// At returns a snapshot of the first length blocks, or of all if there are fewer. When it is shorter than the log its head
// has no byte length, and it has no tree hash and no signature.
func (c *Core) At(length uint64) (*Core, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	n, err := c.log.handle(Options{Encryption: c.enc, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if n.pin = c.hold(); length < n.pin.head.Length {
		n.pin = &pin{head: Head{Fork: n.pin.head.Fork, Length: length}, epoch: n.pin.epoch}
	}
	return n, nil
}

// hold returns a pin of what the handle shows now.
func (c *Core) hold() *pin {
	if c.pin != nil {
		return c.pin
	}
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.current.Load()
	return &pin{head: c.head(st), epoch: l.cuts.epoch(), state: st}
}

// still is a snapshot for the time of one operation: it is not closed, and can be used for as long as the handle that it was
// made of is open.
func (c *Core) still() *Core {
	if c.of != nil {
		return c
	}
	return &Core{log: c.log, enc: c.enc, readOnly: true, weak: true, of: c, pin: c.hold()}
}

// pinned tells why a snapshot cannot read block i, if so. What was read before it is of the snapshot's fork when it
// returns nil.
func (c *Core) pinned(i uint64) error {
	if c.pin == nil {
		return nil
	}
	if i >= c.pin.head.Length {
		return fmt.Errorf("%w: block %d of a snapshot of %d", ErrOutOfRange, i, c.pin.head.Length)
	}
	return c.whole()
}

// whole tells whether a snapshot was cut.
func (c *Core) whole() error {
	if c.pin == nil {
		return nil
	}
	return c.log.uncut(c.pin.epoch, c.pin.head.Length)
}

// epoch returns the number of the last cut.
func (l *log) epoch() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cuts.epoch()
}

// uncut tells whether the log was cut below length since an epoch. What was read before it belongs to the log as it was
// then when it returns nil.
func (l *log) uncut(epoch, length uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cutting := l.cutting; cutting != nil {
		l.mu.Unlock()
		<-cutting
		l.mu.Lock()
	}
	if l.cuts.below(epoch, length) {
		return fmt.Errorf("%w below block %d", ErrTruncated, length)
	}
	return nil
}

// watch is somebody who waits for what comes only as long as the log is not cut below a length after an epoch.
type watch struct {
	epoch, length uint64
	cancel        context.CancelFunc
}

// untilCut returns a context that ends with ctx, and with a cut below length that came after an epoch. Call done when it is not
// needed any more.
func (l *log) untilCut(ctx context.Context, epoch, length uint64) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	w := &watch{epoch, length, cancel}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cuts.below(epoch, length) {
		cancel()
	}
	l.watches = append(l.watches, w)
	return ctx, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.watches = slices.DeleteFunc(l.watches, func(o *watch) bool { return o == w }); len(l.watches) == 0 {
			l.watches = nil
		}
	}
}

// endWaitsLocked ends the waits that a cut has made vain.
func (l *log) endWaitsLocked() {
	for _, w := range l.watches {
		if l.cuts.below(w.epoch, w.length) {
			w.cancel()
		}
	}
}

// whileWhole returns a context that ends with ctx and, for a snapshot, once that is cut.
func (c *Core) whileWhole(ctx context.Context) (_ context.Context, done func()) {
	if c.pin == nil {
		return ctx, func() {}
	}
	return c.log.untilCut(ctx, c.pin.epoch, c.pin.head.Length)
}

// cuts remembers the truncations since the log was opened. Of two cuts the later and deeper one stands for both, so
// lengths ascend.
type cuts struct{ list []cut }

type cut struct {
	epoch  uint64 // counts the cuts
	length uint64
}

func (c *cuts) epoch() uint64 {
	if len(c.list) == 0 {
		return 0
	}
	return c.list[len(c.list)-1].epoch
}

func (c *cuts) add(length uint64) {
	epoch := c.epoch() + 1
	for len(c.list) > 0 && c.list[len(c.list)-1].length >= length {
		c.list = c.list[:len(c.list)-1]
	}
	c.list = append(c.list, cut{epoch, length})
}

// below tells whether the log was cut below length after an epoch.
func (c *cuts) below(epoch, length uint64) bool {
	for _, x := range c.list {
		if x.epoch > epoch {
			return x.length < length
		}
	}
	return false
}
