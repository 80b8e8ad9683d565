package datastore

import "bytes"

// keySpace tells records from blocks, which have separate keys.
type keySpace int

const (
	recordSpace keySpace = iota
	blockSpace
)

func (k OpKind) space() keySpace {
	if k == OpSetBlock || k == OpDeleteBlocks {
		return blockSpace
	}
	return recordSpace
}

func (k OpKind) isRange() bool { return k == OpDeleteRange || k == OpDeleteBlocks }

// pending holds the writes of a group that are not committed yet, so that later closures of the group can read them.
type pending struct {
	ops    []Op
	bytes  int
	sets   int   // how many of ops set something
	ranges []int // which of ops remove a range, in ascending order
	arena  arena

	index   [2]map[string]int // key to its last op among the first indexed ones
	indexed int
}

// smallGroup is the number of ops up to which looking at each is cheaper than an index.
const smallGroup = 16

// mark is a point to roll back to.
type mark struct{ ops, bytes, sets, ranges int }

func (p *pending) mark() mark { return mark{len(p.ops), p.bytes, p.sets, len(p.ranges)} }

// since returns how many bytes were written since m, and whether all of it removes.
func (p *pending) since(m mark) (n int, removes bool) { return p.bytes - m.bytes, p.sets == m.sets }

func (p *pending) rollback(m mark) {
	clear(p.ops[m.ops:])
	p.ops, p.bytes, p.sets, p.ranges = p.ops[:m.ops], m.bytes, m.sets, p.ranges[:m.ranges]
	if p.indexed > m.ops {
		p.dropIndex()
	}
}

func (p *pending) reset() {
	p.rollback(mark{})
	p.arena.reset()
	if cap(p.ops) > 4*maxGroup {
		p.ops = nil
	}
}

func (p *pending) dropIndex() {
	p.indexed = 0
	clear(p.index[:])
}

// add appends op, whose Key and End it copies.
func (p *pending) add(op Op) {
	op.Key = p.arena.copy(op.Key)
	op.End = p.arena.copy(op.End)
	if op.Kind.isRange() {
		p.ranges = append(p.ranges, len(p.ops))
	}
	if op.Kind == OpSet || op.Kind == OpSetBlock {
		p.sets++
	}
	p.bytes += len(op.Key) + len(op.Value) + len(op.End)
	p.ops = append(p.ops, op)
}

// last returns the op that decides about key, or nil when none does.
func (p *pending) last(s keySpace, key []byte) *Op {
	i := p.exact(s, key)
	for j := len(p.ranges) - 1; j >= 0 && p.ranges[j] > i; j-- {
		if op := &p.ops[p.ranges[j]]; op.covers(s, key) {
			return op
		}
	}
	if i < 0 {
		return nil
	}
	return &p.ops[i]
}

func (op *Op) covers(s keySpace, key []byte) bool {
	return op.Kind.isRange() && op.Kind.space() == s && bytes.Compare(op.Key, key) <= 0 && bytes.Compare(key, op.End) < 0
}

// exact returns the last op of the very key, or -1.
func (p *pending) exact(s keySpace, key []byte) int {
	if len(p.ops) > smallGroup {
		p.reindex()
		if i, ok := p.index[s][string(key)]; ok {
			return i
		}
		return -1
	}
	for i := len(p.ops) - 1; i >= 0; i-- {
		if op := &p.ops[i]; !op.Kind.isRange() && op.Kind.space() == s && bytes.Equal(op.Key, key) {
			return i
		}
	}
	return -1
}

func (p *pending) reindex() {
	for ; p.indexed < len(p.ops); p.indexed++ {
		op := &p.ops[p.indexed]
		if op.Kind.isRange() {
			continue
		}
		s := op.Kind.space()
		if p.index[s] == nil {
			p.index[s] = make(map[string]int)
		}
		p.index[s][string(op.Key)] = p.indexed
	}
}
