package bee

import (
	"sync/atomic"
)

// A node has at most this many keys, and splits when one more comes; every node but the root has at least minKeys.
const (
	maxKeys = 8
	minKeys = 4
)

// maxHeight is more levels than a tree of 2^53 keys has.
const maxHeight = 32

// block is one decoded block of a bee: a put or a delete, and the nodes of the tree that it changed. It does not change,
// but for nodes, which are decoded when they are first asked for.
//
// What a block says is suspect: it is signed by the writer, and that is all.
type block struct {
	seq   uint64
	key   []byte
	value []byte // nil without a value
	index []byte

	levels atomic.Pointer[[]level]
}

// level is where the node at one offset of the index lies.
type level struct {
	start, end uint32
	node       atomic.Pointer[node]
}

// node is one node of the tree as a block has it. It does not change.
type node struct {
	seq, off uint64
	keys     []uint64 // the blocks that hold the keys
	kids     []uint64 // pairs of block and offset, one more than keys; none in a leaf
}

// link names a node.
type link struct{ seq, off uint64 }

func (n *node) link() link        { return link{n.seq, n.off} }
func (n *node) leaf() bool        { return len(n.kids) == 0 }
func (n *node) kid(i int) link    { return link{n.kids[2*i], n.kids[2*i+1]} }
func (n *node) weight() int       { return 128 + 8*(len(n.keys)+len(n.kids)) }
func (b *block) weight() int      { return 160 + len(b.key) + len(b.value) + len(b.index) }
func (b *block) deleted() bool    { return b.value == nil && !b.holdsOwn() }
func (b *block) entry() (e Entry) { return newEntry(b.seq, b.key, b.value) }

// decodeBlock reads a block. The result aliases raw.
func decodeBlock(seq uint64, raw []byte) (*block, error) {
	b := &block{seq: seq}
	for rest := raw; len(rest) > 0; {
		f, next, err := nextField(rest)
		if err != nil {
			return nil, corrupt(seq, "%v", err)
		}
		rest = next
		if f.kind != kindBytes {
			continue
		}
		switch f.number {
		case 1:
			b.index = f.data
		case 2:
			b.key = f.data
		case 3:
			b.value = f.data
		}
	}
	if b.index == nil || b.key == nil {
		return nil, corrupt(seq, "no index or no key")
	}
	return b, nil
}

// layout finds the levels of the index, once.
func (b *block) layout() ([]level, error) {
	if l := b.levels.Load(); l != nil {
		return *l, nil
	}
	n, err := b.eachLevel(func(int, int) {})
	if err != nil {
		return nil, err
	}
	// All nodes but a few have keys, so small levels cannot be many.
	if n > 64+len(b.index)/8 {
		return nil, corrupt(b.seq, "%d levels in %d bytes", n, len(b.index))
	}
	list := make([]level, 0, n)
	if _, err := b.eachLevel(func(start, end int) {
		list = list[:len(list)+1]
		l := &list[len(list)-1]
		l.start, l.end = uint32(start), uint32(end)
	}); err != nil {
		return nil, err
	}
	b.levels.Store(&list)
	return list, nil
}

// eachLevel tells where the levels lie in the index, and counts them.
func (b *block) eachLevel(fn func(start, end int)) (n int, err error) {
	for rest := b.index; len(rest) > 0; {
		f, next, err := nextField(rest)
		if err != nil {
			return 0, corrupt(b.seq, "index: %v", err)
		}
		if rest = next; f.is(1, kindBytes) {
			end := len(b.index) - len(rest)
			fn(end-len(f.data), end)
			n++
		}
	}
	return n, nil
}

// node returns the node at an offset of the index; decoded is its weight if it was decoded just now.
func (b *block) node(off uint64) (n *node, decoded int, err error) {
	list, err := b.layout()
	if err != nil {
		return nil, 0, err
	}
	if off >= uint64(len(list)) {
		return nil, 0, corrupt(b.seq, "no node %d", off)
	}
	l := &list[off]
	if n := l.node.Load(); n != nil {
		return n, 0, nil
	}
	n, err = decodeNode(b.seq, off, b.index[l.start:l.end])
	if err != nil {
		return nil, 0, err
	}
	l.node.Store(n)
	return n, n.weight(), nil
}

func decodeNode(seq, off uint64, raw []byte) (*node, error) {
	var room [3*maxKeys + 2]uint64
	keys, kids, err := decodeLevel(raw, room[:0:maxKeys], room[maxKeys:maxKeys])
	if err != nil {
		return nil, corrupt(seq, "node %d: %v", off, err)
	}
	if len(keys) > maxKeys || len(kids) > 0 && len(kids) != 2*len(keys)+2 {
		return nil, corrupt(seq, "node %d: %d keys and %d numbers of children", off, len(keys), len(kids))
	}
	slab := make([]uint64, len(keys)+len(kids))
	n := &node{seq: seq, off: off, keys: slab[:len(keys):len(keys)], kids: slab[len(keys):]}
	copy(n.keys, keys)
	copy(n.kids, kids)
	return n, n.check()
}

// decodeLevel reads keys and children of a level, appending to what it is given.
func decodeLevel(raw []byte, keys, kids []uint64) ([]uint64, []uint64, error) {
	for len(raw) > 0 {
		f, rest, err := nextField(raw)
		if err != nil {
			return nil, nil, err
		}
		switch raw = rest; f.number {
		case 1:
			keys, err = f.numbers(keys)
		case 2:
			kids, err = f.numbers(kids)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return keys, kids, nil
}

// check refuses what points to the header or forward: a block speaks of what was before it.
func (n *node) check() error {
	for _, seq := range n.keys {
		if seq == 0 || seq > n.seq {
			return corrupt(n.seq, "node %d: its key is block %d", n.off, seq)
		}
	}
	for i := 0; i < len(n.kids); i += 2 {
		if seq := n.kids[i]; seq == 0 || seq > n.seq || seq == n.seq && n.kids[i+1] == n.off {
			return corrupt(n.seq, "node %d: its child is in block %d", n.off, seq)
		}
	}
	return nil
}

// holdsOwn tells whether a node of the block has the block's own key, which tells a put without a value from a delete.
func (b *block) holdsOwn() bool {
	found := false
	_, err := b.eachLevel(func(start, end int) {
		keys, _, err := decodeLevel(b.index[start:end], nil, nil)
		for _, seq := range keys {
			found = found || err == nil && seq == b.seq
		}
	})
	return err == nil && found
}
