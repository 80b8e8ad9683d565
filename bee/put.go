package bee

import (
	"bytes"
	"slices"
)

// put changes the tree as a put does. refuse is asked about a key that exists, and may keep it as it is. The result tells
// whether anything was put.
func (t *tree) put(key, value []byte, refuse func(k treeKey) (bool, error)) (bool, error) {
	if t.root == nil {
		t.root = &treeNode{}
	}
	seq := t.next()
	var path []*treeNode
	n := t.root
	for len(n.kids) > 0 {
		if len(path) >= maxHeight {
			return false, errTooHigh()
		}
		// A put that is refused further down has marked the nodes on its way: the next change writes them again.
		path, n.changed = append(path, n), true
		i, found, err := t.search(n, key)
		if err != nil {
			return false, err
		}
		if found {
			return t.replace(n, i, key, value, refuse)
		}
		if n, err = t.kid(n, i); err != nil {
			return false, err
		}
	}
	i, found, err := t.search(n, key)
	if err != nil {
		return false, err
	}
	if found {
		return t.replace(n, i, key, value, refuse)
	}
	n.keys, n.changed = slices.Insert(n.keys, i, treeKey{seq, key}), true
	t.split(n, path)
	t.record(key, value)
	return true, nil
}

func (t *tree) replace(n *treeNode, i int, key, value []byte, refuse func(k treeKey) (bool, error)) (bool, error) {
	no, err := refuse(n.keys[i])
	if no || err != nil {
		return false, err
	}
	n.keys[i], n.changed = treeKey{t.next(), key}, true
	t.record(key, value)
	return true, nil
}

// split halves a node that has too many keys, and those above it that get too many by it.
func (t *tree) split(n *treeNode, path []*treeNode) {
	for len(n.keys) > maxKeys {
		right := &treeNode{keys: make([]treeKey, minKeys, maxKeys+1), changed: true}
		copy(right.keys, n.keys[minKeys+1:])
		median := n.keys[minKeys]
		n.keys = n.keys[:minKeys]
		if len(n.kids) > 0 {
			right.kids = append(make([]*treeLink, 0, maxKeys+2), n.kids[minKeys+1:]...)
			n.kids = n.kids[:minKeys+1]
		}
		n.changed = true
		if len(path) == 0 {
			t.root = &treeNode{keys: []treeKey{median}, kids: []*treeLink{{node: n}, {node: right}}, changed: true}
			return
		}
		parent := path[len(path)-1]
		path = path[:len(path)-1]
		j := parent.position(n)
		parent.keys = slices.Insert(parent.keys, j, median)
		parent.kids = slices.Insert(parent.kids, j+1, &treeLink{node: right})
		parent.changed = true
		n = parent
	}
}

// same tells whether a key has a value already.
func (t *tree) same(k treeKey, value []byte) (bool, error) {
	have := []byte(nil)
	if k.seq >= t.base {
		have = t.pending[k.seq-t.base].value
	} else {
		b, err := t.load(k.seq)
		if err != nil {
			return false, err
		}
		have = b.value
	}
	return sameValue(have, value), nil
}

// sameValue tells whether two values are equal; that there is none differs from an empty one.
func sameValue(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// record makes the change a pending block: it takes the nodes that changed, from the root on down.
func (t *tree) record(key, value []byte) {
	seq := t.next()
	p := &pending{key: key, value: value, levels: []*treeLink{{seq: seq, node: t.root}}}
	p.take(t.root, seq)
	t.pending = append(t.pending, p)
}

// take gives the changed nodes below n, which are reached through changed nodes alone, their places in the block.
func (p *pending) take(n *treeNode, seq uint64) {
	n.changed = false
	for _, l := range n.kids {
		if l.node == nil || !l.node.changed {
			continue
		}
		l.seq, l.off = seq, uint64(len(p.levels))
		p.levels = append(p.levels, l)
		p.take(l.node, seq)
	}
}
