package bee

import (
	"bytes"
	"context"
	"fmt"
)

// cursor walks along a tree in the order of its keys. Each frame of its stack is a node and the slot to look at next: even
// slots are children, odd ones keys, so that slot 2i+1 is key i and slots 2i and 2i+2 are the children on its sides. The
// same numbers stand in a hint of how far a reader has come.
type cursor struct {
	v       *view
	r       bounds
	reverse bool
	stack   []frame
	opened  bool
	done    bool
	last    []byte        // the key that was passed last
	passed  bool          // there is a last
	budget  uint64        // nodes that may still be entered: a tree has less than blocks
	entered func(n *node) // told of each node that is entered
}

type frame struct {
	n node
	i int
}

// usualHeight is for how many levels a cursor has room from the start.
const usualHeight = 8

// bounds limit the keys; nil is open.
type bounds struct {
	lo, hi         []byte
	loOpen, hiOpen bool // the bound itself is left out
}

// above tells whether a key is past the upper bound.
func (r *bounds) above(key []byte) bool {
	if r.hi == nil {
		return false
	}
	c := bytes.Compare(key, r.hi)
	return c > 0 || c == 0 && r.hiOpen
}

// below tells whether a key is before the lower bound.
func (r *bounds) below(key []byte) bool {
	if r.lo == nil {
		return false
	}
	c := bytes.Compare(key, r.lo)
	return c < 0 || c == 0 && r.loOpen
}

func (v *view) cursor(r bounds, reverse bool) *cursor {
	return &cursor{v: v, r: r, reverse: reverse, budget: v.version}
}

// enter puts a node on the stack, at its first slot.
func (c *cursor) enter(n *node) error {
	if c.budget == 0 || len(c.stack) >= maxHeight {
		return fmt.Errorf("%w: version %d: its tree has no end", ErrCorrupt, c.v.version)
	}
	c.budget--
	i := 0
	if c.reverse {
		i = 2 * n.width
	}
	if c.stack == nil {
		c.stack = make([]frame, 0, usualHeight)
	}
	c.stack = append(c.stack, frame{*n, i})
	if c.entered != nil {
		c.entered(&c.stack[len(c.stack)-1].n)
	}
	return nil
}

// open places the cursor at the end that it begins at.
func (c *cursor) open(ctx context.Context) error {
	var n node
	if ok, err := c.v.root(ctx, &n); !ok {
		return err
	}
	start, skip := c.r.lo, c.r.loOpen
	if c.reverse {
		start, skip = c.r.hi, c.r.hiOpen
	}
	if start == nil {
		return c.enter(&n)
	}
	return c.seek(ctx, &n, start, skip)
}

// seek goes down from n, which it overwrites, to where a key is, or would be.
func (c *cursor) seek(ctx context.Context, n *node, start []byte, skip bool) error {
	for range maxHeight {
		if err := c.enter(n); err != nil {
			return err
		}
		top := &c.stack[len(c.stack)-1]
		i, found, err := c.v.search(ctx, n, start)
		if err != nil {
			return err
		}
		if found != nil {
			top.i = c.beside(i, skip)
			return nil
		}
		if top.i = 2*i + c.step(); top.i < 0 || top.i > 2*n.width {
			c.stack = c.stack[:len(c.stack)-1]
		}
		if n.leaf() {
			return nil
		}
		if err := c.v.node(ctx, n.kid(i), n); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: version %d: more than %d levels", ErrCorrupt, c.v.version, maxHeight)
}

// beside returns the slot of key i, or the one after it.
func (c *cursor) beside(i int, skip bool) int {
	if skip {
		return 2*i + 1 + c.step()
	}
	return 2*i + 1
}

func (c *cursor) step() int {
	if c.reverse {
		return -1
	}
	return 1
}

// next returns the next block in range, or nil at the end.
func (c *cursor) next(ctx context.Context) (*block, error) {
	if !c.opened {
		if err := c.open(ctx); err != nil {
			return nil, err
		}
		c.opened = true
	}
	for len(c.stack) > 0 && !c.done {
		top := &c.stack[len(c.stack)-1]
		slot, n := top.i, &top.n
		switch {
		case slot < 0 || slot > 2*n.width:
			c.stack = c.stack[:len(c.stack)-1]
		case slot&1 == 0:
			if err := c.down(ctx, top); err != nil {
				return nil, err
			}
		default:
			b, err := c.v.block(ctx, n.places[slot/2])
			if err != nil {
				return nil, err
			}
			top.i += c.step()
			return c.pass(b)
		}
	}
	return nil, nil
}

// down enters the child in the slot of a frame, which moves on once the child is here.
func (c *cursor) down(ctx context.Context, top *frame) error {
	slot := top.i
	if top.n.leaf() {
		top.i += c.step()
		return nil
	}
	var kid node
	if err := c.v.node(ctx, top.n.kid(slot/2), &kid); err != nil {
		return err
	}
	top.i += c.step()
	return c.enter(&kid)
}

// pass takes a block unless it is past the end of the range, and holds its key against the one before.
func (c *cursor) pass(b *block) (*block, error) {
	if c.reverse && c.r.below(b.key) || !c.reverse && c.r.above(b.key) {
		c.done = true
		return nil, nil
	}
	if c.passed && bytes.Compare(c.last, b.key)*c.step() >= 0 {
		return nil, corrupt(b.seq, "its key is out of order in version %d", c.v.version)
	}
	c.last, c.passed = b.key, true
	return b, nil
}
