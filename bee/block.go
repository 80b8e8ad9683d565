package bee

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// A node has at most this many keys, and splits when one more comes; every node but the root has at least minKeys.
const (
	maxKeys = 8
	minKeys = 4
)

// maxHeight is more levels than a tree of 2^53 keys has.
const maxHeight = 32

// block is one block of a bee, taken apart as far as its fields: a put or a delete, and the nodes of the tree that it changed.
// It does not change. Nodes are decoded each time they are visited, which takes less than to keep them all.
//
// What a block says is suspect: it is signed by the writer, and that is all.
type block struct {
	seq   uint64
	key   []byte
	value []byte // nil without a value
	index []byte

	levels atomic.Pointer[[]level] // of a long index, once it was asked for
}

// level is where the node at one offset of the index lies.
type level struct{ start, end uint32 }

// longIndex is the length from which on it is remembered where the levels of an index lie, in bytes.
const longIndex = 2 << 10

// link names a node.
type link struct{ seq, off uint64 }

// node is one node of the tree as a block has it. It is a value: who visits a node has its own.
type node struct {
	link
	width  int // the number of keys
	inner  bool
	places [maxKeys]uint64 // the blocks that hold the keys
	links  [maxKeys + 1]link
}

func (n *node) leaf() bool        { return !n.inner }
func (n *node) keys() []uint64    { return n.places[:n.width] }
func (n *node) kid(i int) link    { return n.links[i] }
func (b *block) deleted() bool    { return b.value == nil && !b.holdsOwn() }
func (b *block) entry() (e Entry) { return newEntry(b.seq, b.key, b.value) }

// kids returns the children, one more than keys; none of a leaf.
func (n *node) kids() []link {
	if !n.inner {
		return nil
	}
	return n.links[:n.width+1]
}

// weight is how many bytes a block takes in memory, about.
func (b *block) weight() int {
	n := 112 + len(b.key) + len(b.value) + len(b.index)
	if len(b.index) > longIndex {
		n += len(b.index) + 512
	}
	return n
}

// decodeBlock reads a block. The result aliases raw.
func decodeBlock(seq uint64, raw []byte) (*block, error) {
	b := &block{}
	return b, b.decode(seq, raw)
}

// decode reads a block into b, which is to be new. It aliases raw.
func (b *block) decode(seq uint64, raw []byte) error {
	b.seq = seq
	for rest := raw; len(rest) > 0; {
		f, next, err := nextField(rest)
		if err != nil {
			return corrupt(seq, "%v", err)
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
		return corrupt(seq, "no index or no key")
	}
	return nil
}

// find returns the level at an offset of the index.
func (b *block) find(off uint64) (found []byte, err error) {
	if len(b.index) > longIndex {
		return b.lookup(off)
	}
	n := uint64(0)
	for rest := b.index; len(rest) > 0; {
		f, next, err := nextField(rest)
		if err != nil {
			return nil, corrupt(b.seq, "index: %v", err)
		}
		if rest = next; !f.is(1, kindBytes) {
			continue
		}
		if n == off {
			return f.data, nil
		}
		n++
	}
	return nil, corrupt(b.seq, "no node %d", off)
}

// lookup is find in a long index.
func (b *block) lookup(off uint64) ([]byte, error) {
	list, err := b.layout()
	if err != nil {
		return nil, err
	}
	if off >= uint64(len(list)) {
		return nil, corrupt(b.seq, "no node %d", off)
	}
	return b.index[list[off].start:list[off].end], nil
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
	if _, err := b.eachLevel(func(start, end int) { list = append(list, level{uint32(start), uint32(end)}) }); err != nil {
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

// node reads the node at an offset of the index.
func (b *block) node(off uint64, n *node) error {
	raw, err := b.find(off)
	if err != nil {
		return err
	}
	n.link = link{b.seq, off}
	if err := n.decode(raw); err != nil {
		return corrupt(b.seq, "node %d: %v", off, err)
	}
	return n.check()
}

// decode reads keys and children.
func (n *node) decode(raw []byte) error {
	var pairs [2*maxKeys + 2]uint64
	width, numbers := 0, 0
	for len(raw) > 0 {
		f, rest, err := nextField(raw)
		if err != nil {
			return err
		}
		switch raw = rest; f.number {
		case 1:
			width, err = f.fill(n.places[:], width)
		case 2:
			numbers, err = f.fill(pairs[:], numbers)
		}
		if err != nil {
			return err
		}
	}
	if n.width, n.inner = width, numbers > 0; n.inner && numbers != 2*width+2 {
		return fmt.Errorf("%d keys and %d numbers of children", width, numbers)
	}
	for i := 0; i < numbers; i += 2 {
		n.links[i/2] = link{pairs[i], pairs[i+1]}
	}
	return nil
}

// check refuses what points to the header or forward: a block speaks of what was before it.
func (n *node) check() error {
	for _, seq := range n.keys() {
		if seq == 0 || seq > n.seq {
			return corrupt(n.seq, "node %d: its key is block %d", n.off, seq)
		}
	}
	for _, l := range n.kids() {
		if l.seq == 0 || l.seq > n.seq || l == n.link {
			return corrupt(n.seq, "node %d: its child is in block %d", n.off, l.seq)
		}
	}
	return nil
}

// holdsOwn tells whether a node of the block has the block's own key, which tells a put without a value from a delete.
func (b *block) holdsOwn() bool {
	found := false
	_, err := b.eachLevel(func(start, end int) {
		var n node
		if n.decode(b.index[start:end]) == nil {
			found = found || slices.Contains(n.keys(), b.seq)
		}
	})
	return err == nil && found
}
