package merkle

import "fmt"

// meet compares the top of a path with the node stored in its place. Then all below it is proven. What is stored already
// need not be stored again.
func (g *growth) meet(r Reader, t *Tree, top Node) error {
	known, ok := t.root(top.Index)
	if !ok {
		if !Complete(top.Index, t.Length) {
			return fmt.Errorf("%w: node %d is outside of %d blocks", ErrInvalidOperation, top.Index, t.Length)
		}
		nodes, err := readSome(r, []uint64{top.Index})
		if err != nil {
			return err
		}
		if known = nodes[0]; known.IsZero() {
			return fmt.Errorf("%w: node %d is not stored", ErrInvalidOperation, top.Index)
		}
	}
	if known.Hash != top.Hash {
		return fmt.Errorf("node %d: %w", top.Index, ErrInvalidChecksum)
	}
	return g.replace(r, known, top)
}

// replace settles what becomes of the stored node known when a path ended at top, which has the same hash.
func (g *growth) replace(r Reader, known, top Node) error {
	switch {
	case known.Size == top.Size && (!known.Unsure || top.Unsure):
		g.drop(top.Index)
		return nil
	case !known.Unsure || top.Unsure:
		return fmt.Errorf("node %d has %d bytes, not %d: %w", top.Index, known.Size, top.Size, ErrInvalidChecksum)
	}
	return g.settleSibling(r, top)
}

// settleSibling proves the size of the sibling of n, whose own has just been proven, from that of their parent.
func (g *growth) settleSibling(r Reader, n Node) error {
	nodes, err := readSome(r, []uint64{Sibling(n.Index), ParentIndex(n.Index)})
	if err != nil {
		return err
	}
	s, p := nodes[0], nodes[1]
	if !s.IsZero() && s.Unsure && !p.IsZero() && !p.Unsure && p.Size >= n.Size {
		s.Size, s.Unsure = p.Size-n.Size, false
		g.keep(s)
	}
	return nil
}

// drop removes a collected node. It is the last one, or close to it.
func (g *growth) drop(index uint64) {
	for i := len(g.nodes) - 1; i >= 0; i-- {
		if g.nodes[i].Index == index {
			g.nodes = append(g.nodes[:i], g.nodes[i+1:]...)
			return
		}
	}
}

// compareClaims compares the sizes that the proof could not prove with those that are stored in the tree t and sure.
func (g *growth) compareClaims(r Reader, t *Tree) error {
	var claims []uint64
	for i := range g.nodes {
		if n := &g.nodes[i]; n.Unsure && Complete(n.Index, t.Length) {
			claims = append(claims, n.Index)
		}
	}
	stored, err := readSome(r, claims)
	if err != nil {
		return err
	}
	return g.compareWith(stored)
}

// compareWith compares unsure sizes with those of other nodes, where these have the same hash and are sure. When one
// child's size is as claimed so is its sibling's.
func (g *growth) compareWith(stored []Node) error {
	for i := range stored {
		s := &stored[i]
		n, ok := find(g.nodes, s.Index)
		if s.IsZero() || s.Unsure || !ok || !n.Unsure || n.Hash != s.Hash {
			continue
		}
		if n.Size != s.Size {
			return fmt.Errorf("node %d has %d bytes, not %d: %w", n.Index, s.Size, n.Size, ErrInvalidChecksum)
		}
		g.settle(n.Index)
		g.settle(Sibling(n.Index))
	}
	return nil
}
