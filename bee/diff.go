package bee

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/hypernode/hypernode/core"
)

// Difference is a key that two versions have different entries for. The entry of a version that lacks the key is nil; equal
// values that were put anew are a difference.
type Difference struct{ Left, Right *Entry }

// Diff yields the keys within a range for which b (left) and old (right) have different entries, in ascending order; the
// order is the same with Reverse. Parts of the tree that both versions share are not read. Both must be of one core, and if
// they are subs, of one prefix. After an error it ends.
func (b *Bee) Diff(ctx context.Context, old *Bee, r Range) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		if b.s.core.DiscoveryKey() != old.s.core.DiscoveryKey() || !bytes.Equal(b.prefix, old.prefix) || r.Limit < 0 {
			yield(Difference{}, fmt.Errorf("%w: of a difference", ErrOptions))
			return
		}
		d := &diff{b: b, limit: r.Limit, yield: yield}
		end, err := d.begin(ctx, old, b.bounds(&r))
		if err == nil {
			err = d.run(ctx)
		}
		if end(); err != nil {
			yield(Difference{}, err)
		}
	}
}

// diff walks along two versions at once.
type diff struct {
	b           *Bee
	left, right *side
	limit       int // 0 is none
	n           int
	yield       func(Difference, error) bool
}

// side is the walk along one version. What it stands before is a key, a child that was not entered, or the end.
type side struct {
	*cursor
	height int // of the tree
}

// begin opens both versions at the start of a range.
func (d *diff) begin(ctx context.Context, old *Bee, r bounds) (end func(), err error) {
	var ends []func()
	end = func() {
		for _, fn := range ends {
			fn()
		}
	}
	for i, b := range []*Bee{d.b, old} {
		v, err := b.view(ctx)
		if err != nil {
			return end, err
		}
		ends = append(ends, v.end)
		v.sparse = true
		s := &side{cursor: v.cursor(r, false)}
		a := aheadOf(ctx, v, r)
		ends = append(ends, a.end)
		s.entered = a.node
		if err := s.open(ctx); err != nil {
			return end, err
		}
		if s.height, err = v.height(ctx); err != nil {
			return end, err
		}
		if i == 0 {
			d.left = s
		} else {
			d.right = s
		}
	}
	if d.left.v.fork != d.right.v.fork {
		return end, fmt.Errorf("%w: the versions are of two forks", core.ErrTruncated)
	}
	return end, nil
}

// height counts the levels of the tree along its first children.
func (v *view) height(ctx context.Context) (int, error) {
	var n node
	if ok, err := v.root(ctx, &n); !ok {
		return 0, err
	}
	for h := range maxHeight {
		if n.leaf() {
			return h + 1, nil
		}
		if err := v.node(ctx, n.kid(0), &n); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: version %d: more than %d levels", ErrCorrupt, v.version, maxHeight)
}

// run compares until both walks have ended.
func (d *diff) run(ctx context.Context) error {
	for {
		l, r := d.left.head(), d.right.head()
		var err error
		switch {
		case l == atEnd && r == atEnd:
			return nil
		case l == atChild && r == atChild:
			err = d.children(ctx)
		case l == atChild:
			err = d.left.into(ctx)
		case r == atChild:
			err = d.right.into(ctx)
		default:
			var more bool
			if more, err = d.keys(ctx, l, r); !more {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// children skips a part that both versions share. Otherwise it enters the child that is higher, or both, so that the walks
// come to stand before the same parts again.
func (d *diff) children(ctx context.Context) error {
	a, b := d.left.child(), d.right.child()
	if a == b {
		d.left.skip()
		d.right.skip()
		return nil
	}
	l, r := d.left.height-len(d.left.stack), d.right.height-len(d.right.stack)
	if l >= r {
		if err := d.left.into(ctx); err != nil {
			return err
		}
	}
	if r >= l {
		return d.right.into(ctx)
	}
	return nil
}

// keys compares two keys, or one with the end of the other version. It tells whether to go on.
func (d *diff) keys(ctx context.Context, l, r place) (bool, error) {
	var a, b *block
	var err error
	if l == atKey && r == atKey && d.left.seq() == d.right.seq() {
		d.left.skip()
		d.right.skip()
		return true, nil
	}
	if l == atKey {
		if a, err = d.left.v.block(ctx, d.left.seq()); err != nil {
			return false, err
		}
	}
	if r == atKey {
		if b, err = d.right.v.block(ctx, d.right.seq()); err != nil {
			return false, err
		}
	}
	if a != nil && b != nil {
		switch c := bytes.Compare(a.key, b.key); {
		case c < 0:
			b = nil
		case c > 0:
			a = nil
		}
	}
	return d.tell(a, b)
}

// tell yields a difference and moves on the sides that have it.
func (d *diff) tell(a, b *block) (bool, error) {
	var x Difference
	for _, s := range []struct {
		side  *side
		block *block
		entry **Entry
	}{{d.left, a, &x.Left}, {d.right, b, &x.Right}} {
		if s.block == nil {
			continue
		}
		if s.side.r.above(s.block.key) {
			return false, nil
		}
		if _, err := s.side.pass(s.block); err != nil {
			return false, err
		}
		s.side.skip()
		e := d.b.part(s.block.entry())
		*s.entry = &e
	}
	if d.n++; !d.yield(x, nil) {
		return false, nil
	}
	return d.limit == 0 || d.n < d.limit, nil
}

// place says what a side stands before.
type place int

const (
	atEnd place = iota
	atKey
	atChild
)

// head returns what the side stands before. It leaves nodes that have no more.
func (s *side) head() place {
	for len(s.stack) > 0 {
		top := &s.stack[len(s.stack)-1]
		switch {
		case top.i > 2*top.n.width:
			s.stack = s.stack[:len(s.stack)-1]
		case top.i&1 == 1:
			return atKey
		case top.n.leaf():
			top.i++
		default:
			return atChild
		}
	}
	return atEnd
}

func (s *side) top() *frame { return &s.stack[len(s.stack)-1] }
func (s *side) skip()       { s.top().i++ }
func (s *side) seq() uint64 { return s.top().n.places[s.top().i/2] }
func (s *side) child() link { return s.top().n.kid(s.top().i / 2) }

// into enters the child that the side stands before.
func (s *side) into(ctx context.Context) error { return s.down(ctx, s.top()) }
