package merkle

import (
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// growth collects nodes and grows a tree by them. Whether the nodes are what they claim is for the caller to find out
// once all are in: the growth of a tree is as trustworthy as the signature or stored hash that its top agrees with.
type growth struct {
	tree  Tree
	base  Tree   // the tree before additional nodes, if there are any
	nodes []Node // every node added or computed, in that order
}

// newGrowth starts from a copy of t, with room for that many nodes.
func newGrowth(t Tree, room int) *growth {
	g := &growth{tree: t.cloneFor(2)}
	if room > 0 {
		g.nodes = make([]Node, 0, room)
	}
	return g
}

// keep adds n to the collected nodes.
func (g *growth) keep(n Node) { g.nodes = append(g.nodes, n) }

// add puts n to the right of the last root, joins roots that have become siblings, and keeps n and every new parent.
func (g *growth) add(n Node) error {
	g.keep(n)
	return g.join(n)
}

// join is add for a node that is kept already.
func (g *growth) join(n Node) error {
	t := &g.tree
	if LeftSpan(n.Index) != 2*t.Length {
		return fmt.Errorf("%w: node %d after %d blocks", ErrInvalidOperation, n.Index, t.Length)
	}
	t.Length += Leaves(n.Index)
	t.ByteLength += n.Size
	if t.Length > compact.MaxSafe || t.ByteLength > compact.MaxSafe {
		return fmt.Errorf("%w: tree beyond 2^53-1", ErrInvalidProof)
	}
	t.Roots = append(t.Roots, n)
	for last := len(t.Roots) - 1; last > 0 && t.Roots[last-1].Index == Sibling(t.Roots[last].Index); last-- {
		p, err := g.parent(t.Roots[last-1], t.Roots[last])
		if err != nil {
			return err
		}
		t.Roots[last-1] = p
		t.Roots = t.Roots[:last]
	}
	return nil
}

// parent computes and keeps the parent of two siblings. When the size of one of them is sure, that of the other follows
// from the sum, which the parent's hash covers.
func (g *growth) parent(a, b Node) (Node, error) {
	if a.Size+b.Size > compact.MaxSafe {
		return Node{}, fmt.Errorf("%w: size of node %d beyond 2^53-1", ErrInvalidProof, ParentIndex(a.Index))
	}
	switch {
	case a.Unsure && !b.Unsure:
		g.settle(a.Index)
	case b.Unsure && !a.Unsure:
		g.settle(b.Index)
	}
	p := Parent(a, b)
	g.keep(p)
	return p, nil
}

// settle marks the size of a collected node as proven. Recent nodes are found first.
func (g *growth) settle(index uint64) {
	for i := len(g.nodes) - 1; i >= 0; i-- {
		if g.nodes[i].Index == index {
			g.nodes[i].Unsure = false
			return
		}
	}
}

// settleRoots marks the sizes of all roots as proven, which holds once the tree hash is.
func (g *growth) settleRoots() {
	for i := range g.tree.Roots {
		if g.tree.Roots[i].Unsure {
			g.tree.Roots[i].Unsure = false
			g.settle(g.tree.Roots[i].Index)
		}
	}
}

// climb hashes from node up to the top of the path that the queue holds.
func (g *growth) climb(n Node, q *queue) (top Node, err error) {
	for q.len() > 0 {
		s, fresh, err := q.shift(Sibling(n.Index))
		if err != nil {
			return Node{}, err
		}
		if fresh {
			g.keep(s)
		}
		if n, err = g.parent(n, s); err != nil {
			return Node{}, err
		}
	}
	return n, nil
}

// queue gives the nodes of a proof out in the order in which they are needed. The extra node, computed from another
// section, comes out of turn.
type queue struct {
	nodes []Node
	extra Node
	holds bool // an extra node that was not asked for yet
}

// len returns how many nodes are left.
func (q *queue) len() int {
	if q.holds {
		return len(q.nodes) + 1
	}
	return len(q.nodes)
}

// shift returns the node index, which must be the extra one or the next. fresh is false for the extra one, whose node
// has been collected already. A size that was given is unsure until something proves it.
func (q *queue) shift(index uint64) (n Node, fresh bool, err error) {
	if q.holds && q.extra.Index == index {
		q.holds = false
		return q.extra, false, nil
	}
	if len(q.nodes) == 0 {
		return Node{}, false, fmt.Errorf("%w: node %d is missing", ErrInvalidOperation, index)
	}
	n, q.nodes = q.nodes[0], q.nodes[1:]
	if n.Index != index {
		return Node{}, false, fmt.Errorf("%w: node %d where %d is due", ErrInvalidOperation, n.Index, index)
	}
	n.Unsure = true
	return n, true, nil
}
