package datastore

import (
	"bytes"
	"slices"
)

// overlay is what a scan lays over the state before the group: the writes within its bounds at its start.
type overlay struct {
	ops     []Op // one for each key that is set or deleted, in the order of the scan
	ranges  []Op // removed from the state before the group
	reverse bool
}

func (p *pending) overlay(s keySpace, lo, hi []byte, reverse bool) *overlay {
	o := &overlay{reverse: reverse}
	for i := range p.ops {
		op := p.ops[i]
		switch {
		case op.Kind.space() != s:
		case op.Kind.isRange():
			o.ranges = append(o.ranges, op)
		case bytes.Compare(lo, op.Key) <= 0 && bytes.Compare(op.Key, hi) < 0 && p.last(s, op.Key) == &p.ops[i]:
			o.ops = append(o.ops, op)
		}
	}
	slices.SortFunc(o.ops, func(a, b Op) int { return o.compare(a.Key, b.Key) })
	return o
}

func (o *overlay) compare(a, b []byte) int {
	if o.reverse {
		return bytes.Compare(b, a)
	}
	return bytes.Compare(a, b)
}

// before takes the ops off whose keys come before key, or all when key is nil.
func (o *overlay) before(key []byte) (ops []Op) {
	n := len(o.ops)
	if key != nil {
		n, _ = slices.BinarySearchFunc(o.ops, key, func(op Op, k []byte) int { return o.compare(op.Key, k) })
	}
	ops, o.ops = o.ops[:n], o.ops[n:]
	return ops
}

// hides tells whether the group has changed key, which must not come before a key that before was asked for.
func (o *overlay) hides(s keySpace, key []byte) bool {
	if len(o.ops) > 0 && bytes.Equal(o.ops[0].Key, key) {
		return true
	}
	for i := range o.ranges {
		if o.ranges[i].covers(s, key) {
			return true
		}
	}
	return false
}
