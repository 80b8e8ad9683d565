package bee

import (
	"bytes"
	"fmt"
	"slices"
)

// tree is the tree of a version while it is being changed. What is loaded stays loaded. The links between nodes have an
// identity: they are moved, never copied, when nodes are split, merged or borrow from each other, since which of them
// still point to a block when a batch ends decides what that block keeps.
type tree struct {
	load     func(seq uint64) (*block, error)
	loadNode func(l link) (*treeNode, error)
	skipSame bool

	base    uint64 // the block of the first pending change
	root    *treeNode
	pending []*pending
}

// treeNode is a node in memory.
type treeNode struct {
	keys    []treeKey
	kids    []*treeLink // none in a leaf
	changed bool        // the next block has this node
}

type treeKey struct {
	seq uint64
	key []byte // nil until it is loaded
}

// treeLink points to a node: where it is stored, and the node itself once it is loaded.
type treeLink struct {
	seq, off uint64
	node     *treeNode
}

// pending is a change that becomes a block when the batch ends.
type pending struct {
	key, value []byte
	levels     []*treeLink // the nodes that it changed, the root first
}

// next is the number of the block that the next change becomes.
func (t *tree) next() uint64 { return t.base + uint64(len(t.pending)) }

// leafRoom and innerRoom are nodes with all the room that they will ever take.
type leafRoom struct {
	treeNode
	keys [maxKeys + 1]treeKey
}

type innerRoom struct {
	leafRoom
	kids  [maxKeys + 2]*treeLink
	links [maxKeys + 1]treeLink
}

// thaw makes a node that can be changed.
func thaw(n *node) *treeNode {
	if n.leaf() {
		x := &leafRoom{}
		return x.fill(n)
	}
	x := &innerRoom{}
	for i, l := range n.kids() {
		x.links[i] = treeLink{seq: l.seq, off: l.off}
		x.kids[i] = &x.links[i]
	}
	x.treeNode.kids = x.kids[:n.width+1]
	return x.fill(n)
}

func (x *leafRoom) fill(n *node) *treeNode {
	for i, seq := range n.keys() {
		x.keys[i].seq = seq
	}
	x.treeNode.keys = x.keys[:n.width]
	return &x.treeNode
}

// kid returns child i of a node.
func (t *tree) kid(n *treeNode, i int) (*treeNode, error) {
	l := n.kids[i]
	if l.node == nil {
		stored, err := t.loadNode(link{l.seq, l.off})
		if err != nil {
			return nil, err
		}
		l.node = stored
	}
	return l.node, nil
}

// key returns key i of a node.
func (t *tree) key(n *treeNode, i int) ([]byte, error) {
	k := &n.keys[i]
	if k.key == nil {
		b, err := t.load(k.seq)
		if err != nil {
			return nil, err
		}
		k.key = b.key
	}
	return k.key, nil
}

// entry returns what a key of the tree stands for.
func (t *tree) entry(k treeKey) (Entry, error) {
	if k.seq >= t.base {
		p := t.pending[k.seq-t.base]
		return newEntry(k.seq, p.key, p.value), nil
	}
	b, err := t.load(k.seq)
	if err != nil {
		return Entry{}, err
	}
	return b.entry(), nil
}

// search returns where in a node a key is, or the number of keys before it.
func (t *tree) search(n *treeNode, key []byte) (i int, found bool, err error) {
	lo, hi := 0, len(n.keys)
	for lo < hi {
		mid := (lo + hi) / 2
		have, err := t.key(n, mid)
		if err != nil {
			return 0, false, err
		}
		switch c := bytes.Compare(key, have); {
		case c == 0:
			return mid, true, nil
		case c < 0:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	return lo, false, nil
}

// find returns the key of the tree that is equal to key.
func (t *tree) find(key []byte) (k treeKey, ok bool, err error) {
	n := t.root
	for range maxHeight {
		if n == nil {
			return k, false, nil
		}
		i, found, err := t.search(n, key)
		if err != nil {
			return k, false, err
		}
		if found {
			return n.keys[i], true, nil
		}
		if len(n.kids) == 0 {
			return k, false, nil
		}
		if n, err = t.kid(n, i); err != nil {
			return k, false, err
		}
	}
	return k, false, errTooHigh()
}

func errTooHigh() error { return fmt.Errorf("%w: more than %d levels", ErrCorrupt, maxHeight) }

// beyond returns the first key that a walk in one direction meets after a bound, or at it. A nil bound is open.
func (t *tree) beyond(bound []byte, open, reverse bool) (best treeKey, ok bool, err error) {
	n := t.root
	for range maxHeight {
		if n == nil {
			return best, ok, nil
		}
		i, found := 0, false
		if reverse {
			i = len(n.keys)
		}
		if bound != nil {
			if i, found, err = t.search(n, bound); err != nil {
				return best, false, err
			}
		}
		if found && !open {
			return n.keys[i], true, nil
		}
		if found && !reverse {
			i++
		}
		if k := i; reverse && k > 0 {
			best, ok = n.keys[k-1], true
		} else if !reverse && k < len(n.keys) {
			best, ok = n.keys[k], true
		}
		if len(n.kids) == 0 {
			return best, ok, nil
		}
		if n, err = t.kid(n, i); err != nil {
			return best, false, err
		}
	}
	return best, false, errTooHigh()
}

// position returns which child of a node another one is.
func (n *treeNode) position(kid *treeNode) int {
	return slices.IndexFunc(n.kids, func(l *treeLink) bool { return l.node == kid })
}
