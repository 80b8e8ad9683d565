package core

import "fmt"

// pin is what a snapshot holds on to: a head, and when it was taken.
type pin struct {
	head  Head
	epoch uint64 // of the log's cuts
}

// Snapshot returns a read-only handle on the log as it is now. It does not see later blocks, and once the log is cut
// below its length its reads fail with ErrTruncated: it never shows a block of another fork. It is cheap, and is closed
// like any handle.
func (c *Core) Snapshot() (*Core, error) { return c.At(1<<64 - 1) }

// At returns a snapshot of the first length blocks, or of all if there are fewer. Its byte length is not known, and 0,
// when it is shorter than the log.
func (c *Core) At(length uint64) (*Core, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	n, err := c.log.handle(Options{Encryption: c.enc, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if n.pin = c.pin; n.pin == nil {
		l := c.log
		l.mu.Lock()
		n.pin = &pin{head: c.head(l.current.Load()), epoch: l.cuts.epoch()}
		l.mu.Unlock()
	}
	if length < n.pin.head.Length {
		n.pin = &pin{head: Head{Fork: n.pin.head.Fork, Length: length}, epoch: n.pin.epoch}
	}
	return n, nil
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
	l.settled()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cuts.below(epoch, length) {
		return fmt.Errorf("%w below block %d", ErrTruncated, length)
	}
	return nil
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
