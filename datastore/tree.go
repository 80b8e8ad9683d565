package datastore

import (
	"bytes"
	"hash/maphash"
)

// tree is a treap: a search tree by key that is a heap by the hash of the key, which keeps it balanced. Nodes made
// since the last snapshot are changed in place, older ones are copied first, so a snapshot never changes.
type tree struct {
	root  *node
	epoch uint64
	seed  maphash.Seed
	keyed bool // seed is made
}

type node struct {
	key, value  []byte
	rank        uint64
	epoch       uint64
	left, right *node
}

// snapshot returns the root of a tree that will not change.
func (t *tree) snapshot() *node {
	t.epoch++
	return t.root
}

// set keeps key and value.
func (t *tree) set(key, value []byte) {
	if !t.keyed {
		t.seed, t.keyed = maphash.MakeSeed(), true
	}
	t.root = t.insert(t.root, &node{key: key, value: value, rank: maphash.Bytes(t.seed, key), epoch: t.epoch})
}

// own returns n, or a copy when a snapshot may hold n.
func (t *tree) own(n *node) *node {
	if n.epoch == t.epoch {
		return n
	}
	c := *n
	c.epoch = t.epoch
	return &c
}

// insert puts a into the tree under n and returns the new root.
func (t *tree) insert(n, a *node) *node {
	if n == nil {
		return a
	}
	c := bytes.Compare(a.key, n.key)
	if c == 0 {
		n = t.own(n)
		n.value = a.value
		return n
	}
	if a.rank > n.rank { // n cannot hold a's key below it, else its rank were at least that of a
		a.left, a.right = t.split(n, a.key)
		return a
	}
	n = t.own(n)
	if c < 0 {
		n.left = t.insert(n.left, a)
	} else {
		n.right = t.insert(n.right, a)
	}
	return n
}

// split returns the trees of the keys below key, and of the others.
func (t *tree) split(n *node, key []byte) (below, rest *node) {
	if n == nil {
		return nil, nil
	}
	n = t.own(n)
	if bytes.Compare(n.key, key) < 0 {
		n.right, rest = t.split(n.right, key)
		return n, rest
	}
	below, n.left = t.split(n.left, key)
	return below, n
}

// join returns the tree of both; all keys of a are below those of b.
func (t *tree) join(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.rank >= b.rank:
		a = t.own(a)
		a.right = t.join(a.right, b)
		return a
	}
	b = t.own(b)
	b.left = t.join(a, b.left)
	return b
}

func (t *tree) delete(key []byte) {
	if t.root.find(key) != nil {
		t.root = t.remove(t.root, key)
	}
}

func (t *tree) remove(n *node, key []byte) *node {
	c := bytes.Compare(key, n.key)
	if c == 0 {
		return t.join(n.left, n.right)
	}
	n = t.own(n)
	if c < 0 {
		n.left = t.remove(n.left, key)
	} else {
		n.right = t.remove(n.right, key)
	}
	return n
}

// deleteRange removes the keys with lo <= key < hi.
func (t *tree) deleteRange(lo, hi []byte) {
	if bytes.Compare(lo, hi) >= 0 {
		return
	}
	below, rest := t.split(t.root, lo)
	_, above := t.split(rest, hi)
	t.root = t.join(below, above)
}

func (n *node) find(key []byte) *node {
	for n != nil {
		switch c := bytes.Compare(key, n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n
		}
	}
	return nil
}

// ascend calls emit for each node with lo <= key < hi until it returns false.
func (n *node) ascend(lo, hi []byte, emit func(*node) bool) bool {
	if n == nil {
		return true
	}
	above, below := bytes.Compare(n.key, lo) >= 0, bytes.Compare(n.key, hi) < 0
	return (!above || n.left.ascend(lo, hi, emit)) && (!above || !below || emit(n)) && (!below || n.right.ascend(lo, hi, emit))
}

// descend is ascend in the other direction.
func (n *node) descend(lo, hi []byte, emit func(*node) bool) bool {
	if n == nil {
		return true
	}
	above, below := bytes.Compare(n.key, lo) >= 0, bytes.Compare(n.key, hi) < 0
	return (!below || n.right.descend(lo, hi, emit)) && (!above || !below || emit(n)) && (!above || n.left.descend(lo, hi, emit))
}
