package bee

import (
	"fmt"
	"slices"
)

// remove changes the tree as a delete does. refuse may keep the key. The result tells whether anything was deleted.
func (t *tree) remove(key []byte, refuse func(k treeKey) (bool, error)) (bool, error) {
	var path []*treeNode
	n := t.root
	for n != nil && len(path) < maxHeight {
		path = append(path, n)
		i, found, err := t.search(n, key)
		if err != nil {
			return false, err
		}
		if !found && len(n.kids) == 0 {
			return false, nil
		}
		if found {
			if no, err := refuse(n.keys[i]); no || err != nil {
				return false, err
			}
			return true, t.removeAt(path, i, key)
		}
		if n, err = t.kid(n, i); err != nil {
			return false, err
		}
	}
	if n == nil {
		return false, nil
	}
	return false, errTooHigh()
}

// removeAt removes key i of the last node of a path. An inner node takes a key from the leaf before or after it instead.
func (t *tree) removeAt(path []*treeNode, i int, key []byte) (err error) {
	n := path[len(path)-1]
	if len(n.kids) == 0 {
		n.keys = slices.Delete(n.keys, i, i+1)
	} else if path, err = t.fill(path, i); err != nil {
		return err
	}
	for _, x := range path {
		x.changed = true
	}
	if err := t.rebalance(path); err != nil {
		return err
	}
	if len(t.root.keys) == 0 && len(t.root.kids) > 0 {
		if t.root, err = t.kid(t.root, 0); err != nil {
			return err
		}
	}
	t.record(key, nil)
	return nil
}

// fill puts in the place of key i of an inner node the nearest key of a leaf: of the two leaves the one with more keys
// gives it. It returns the path down to that leaf.
func (t *tree) fill(path []*treeNode, i int) ([]*treeNode, error) {
	n := path[len(path)-1]
	before, err := t.edge(path, i, true)
	if err != nil {
		return nil, err
	}
	after, err := t.edge(path, i+1, false)
	if err != nil {
		return nil, err
	}
	left, right := before[len(before)-1], after[len(after)-1]
	if len(left.keys) == 0 && len(right.keys) == 0 {
		return nil, errEmptyLeaf()
	}
	if len(left.keys) < len(right.keys) {
		n.keys[i] = right.keys[0]
		right.keys = slices.Delete(right.keys, 0, 1)
		return after, nil
	}
	last := len(left.keys) - 1
	n.keys[i] = left.keys[last]
	left.keys = left.keys[:last]
	return before, nil
}

// edge returns the path through child i of its last node down to a leaf, along the last children or the first.
func (t *tree) edge(path []*treeNode, i int, last bool) ([]*treeNode, error) {
	path = slices.Clone(path)
	n := path[len(path)-1]
	for len(n.kids) > 0 {
		if len(path) >= maxHeight {
			return nil, errTooHigh()
		}
		kid, err := t.kid(n, i)
		if err != nil {
			return nil, err
		}
		if path, n, i = append(path, kid), kid, 0; last {
			i = len(kid.kids) - 1
		}
	}
	return path, nil
}

// rebalance gives nodes that have too few keys, from the end of a path upwards, keys of their siblings, or merges them.
func (t *tree) rebalance(path []*treeNode) error {
	for ; len(path) > 1; path = path[:len(path)-1] {
		n, parent := path[len(path)-1], path[len(path)-2]
		if len(n.keys) >= minKeys {
			return nil
		}
		i := parent.position(n)
		left, right, err := t.siblings(parent, n, i)
		if err != nil {
			return err
		}
		switch {
		case left != nil && len(left.keys) > minKeys:
			parent.borrowLeft(i, left, n)
			return nil
		case right != nil && len(right.keys) > minKeys:
			parent.borrowRight(i, n, right)
			return nil
		case left != nil:
			parent.merge(i-1, left, n)
		case right != nil:
			parent.merge(i, n, right)
		}
	}
	return nil
}

// siblings returns the nodes beside n, which is child i; the right one only if the left one has no key to spare.
func (t *tree) siblings(parent, n *treeNode, i int) (left, right *treeNode, err error) {
	if i > 0 {
		if left, err = t.sibling(parent, n, i-1); err != nil || len(left.keys) > minKeys {
			return left, nil, err
		}
	}
	if i+1 < len(parent.kids) {
		right, err = t.sibling(parent, n, i+1)
	}
	return left, right, err
}

// sibling returns child i, which must be on the level of n.
func (t *tree) sibling(parent, n *treeNode, i int) (*treeNode, error) {
	s, err := t.kid(parent, i)
	if err != nil {
		return nil, err
	}
	if (len(s.kids) == 0) != (len(n.kids) == 0) {
		return nil, fmt.Errorf("%w: a leaf beside a node that is none", ErrCorrupt)
	}
	return s, nil
}

// borrowLeft moves a key over the parent from the left sibling of child i.
func (n *treeNode) borrowLeft(i int, left, kid *treeNode) {
	last := len(left.keys) - 1
	kid.keys = slices.Insert(kid.keys, 0, n.keys[i-1])
	n.keys[i-1] = left.keys[last]
	left.keys = left.keys[:last]
	if last := len(left.kids) - 1; last >= 0 {
		kid.kids = slices.Insert(kid.kids, 0, left.kids[last])
		left.kids = left.kids[:last]
	}
	left.changed = true
}

// borrowRight moves a key over the parent from the right sibling of child i.
func (n *treeNode) borrowRight(i int, kid, right *treeNode) {
	kid.keys = append(kid.keys, n.keys[i])
	n.keys[i] = right.keys[0]
	right.keys = slices.Delete(right.keys, 0, 1)
	if len(right.kids) > 0 {
		kid.kids = append(kid.kids, right.kids[0])
		right.kids = slices.Delete(right.kids, 0, 1)
	}
	right.changed = true
}

// merge moves key i and all of child i+1 into child i. The link to child i+1 is freed: no block keeps a node for it.
func (n *treeNode) merge(i int, left, right *treeNode) {
	left.keys = append(append(left.keys, n.keys[i]), right.keys...)
	left.kids = append(left.kids, right.kids...)
	left.changed = true
	n.keys = slices.Delete(n.keys, i, i+1)
	n.kids[i+1].seq = 0
	n.kids = slices.Delete(n.kids, i+1, i+2)
}

func errEmptyLeaf() error { return fmt.Errorf("%w: a leaf without keys", ErrCorrupt) }
