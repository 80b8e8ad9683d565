package merkle

import "fmt"

// Reorg moves a reader from one fork of a core to a newer one. It starts with a proof of the new fork's tree, finds out by
// a few hash requests how many blocks at the beginning both have, and ends with what is to be stored. Nothing of the old
// fork is given up before the new one's signature has been verified.
//
//	g, err := NewReorg(r, local, auth, answer to {Fork: theirs, Upgrade: {0, their length}})
//	for !g.Done() {
//		start, end, nodes := g.Want()
//		err = g.Feed(answer to {Fork: theirs, Hash: {2 * any block in [start, min(end, their length)), nodes}})
//	}
//	v, shared := g.Result()
//
// Then, in one commit: remove the blocks from shared on and all nodes that are not [Complete] in a tree of that length,
// store v.Nodes in their order, and the new head.
type Reorg struct {
	r        Reader
	local    uint64 // length of the tree that is stored
	verified *Verified

	diff      Node // lowest node known to differ
	ancestors uint64
	end       uint64
	done      bool
}

// NewReorg verifies the first proof, which must hold an upgrade from nothing and be of a later fork than the local tree's.
func NewReorg(r Reader, local *Tree, auth Authority, p *Proof) (*Reorg, error) {
	if p.Fork <= local.Fork {
		return nil, fmt.Errorf("%w: fork %d, have %d", ErrInvalidOperation, p.Fork, local.Fork)
	}
	v, err := CheckRemote(auth, p)
	if err != nil {
		return nil, fmt.Errorf("reorg to fork %d: %w", p.Fork, err)
	}
	g := &Reorg{r: r, local: local.Length, verified: v}
	known, err := g.known(v.Tree.Roots)
	if err != nil {
		return nil, err
	}
	for i, root := range v.Tree.Roots {
		if known[i].Hash != root.Hash {
			g.narrow(root)
			return g, nil
		}
	}
	g.ancestors, g.done = v.Tree.Length, true
	return g, nil
}

// Want returns what to ask next: the path of any block in [start, end) up by that many nodes. The other side's tree may
// be shorter than end.
func (g *Reorg) Want() (start, end, nodes uint64) {
	return g.ancestors, g.end, uint64(Depth(g.diff.Index))
}

// Done reports whether enough is known.
func (g *Reorg) Done() bool { return g.done }

// Settle ends the search with what is known, when nobody can answer what Want asks for. Blocks that both forks share may then
// be given up, and fetched again.
func (g *Reorg) Settle() { g.done = true }

// Ancestors returns how many blocks at the beginning both forks are known to share. A sparse reader may share more than it
// can know.
func (g *Reorg) Ancestors() uint64 { return g.ancestors }

// Fork returns the number of the new fork.
func (g *Reorg) Fork() uint64 { return g.verified.Tree.Fork }

// Length returns the length of the new fork.
func (g *Reorg) Length() uint64 { return g.verified.Tree.Length }

// Result returns what to store and how many blocks to keep; v is nil before Done.
func (g *Reorg) Result() (v *Verified, ancestors uint64) {
	if !g.done {
		return nil, 0
	}
	return g.verified, g.ancestors
}

// Feed verifies the answer to what Want asked for. After an error g is as before. A proof that does not bring g further is
// refused.
func (g *Reorg) Feed(p *Proof) error {
	switch {
	case g.done:
		return fmt.Errorf("%w: nothing was wanted", ErrInvalidOperation)
	case p.Fork != g.Fork() || p.Upgrade != nil:
		return fmt.Errorf("%w: not the path that was wanted", ErrInvalidOperation)
	}
	path := newGrowth(Tree{}, p.room())
	top, some, err := path.paths(p, nil)
	if err != nil {
		return err
	}
	if !some || top.Index != g.diff.Index {
		return fmt.Errorf("%w: path does not end at node %d", ErrInvalidOperation, g.diff.Index)
	}
	if top.Hash != g.diff.Hash {
		return fmt.Errorf("node %d: %w", top.Index, ErrInvalidChecksum)
	}
	known, err := g.known(path.nodes)
	if err != nil {
		return err
	}
	if err := path.compareWith(known); err != nil {
		return err
	}
	if err := path.compareWith(g.verified.Nodes); err != nil {
		return err
	}
	diff, err := lowestDiff(g.diff, path.nodes, known)
	if err != nil {
		return err
	}
	g.take(path.nodes)
	g.narrow(diff)
	return nil
}

// take adds nodes of a path to those that will be stored. One that is there already is replaced only if its size was a claim:
// stored as one for good, it would keep all that is found below it from being passed on.
func (g *Reorg) take(nodes []Node) {
	list := g.verified.Nodes
	for _, n := range nodes {
		switch k := position(list, n.Index); {
		case k < 0:
			list = append(list, n)
		case list[k].Unsure:
			list[k] = n
		}
	}
	g.verified.Nodes = list
}

// known returns the stored nodes in the places of nodes; the zero Node where none is.
func (g *Reorg) known(nodes []Node) ([]Node, error) {
	indexes := make([]uint64, len(nodes))
	for i := range nodes {
		indexes[i] = nodes[i].Index
	}
	known, err := readSome(g.r, indexes)
	if err != nil {
		return nil, err
	}
	for i := range known {
		if !Complete(indexes[i], g.local) {
			known[i] = Node{}
		}
	}
	return known, nil
}

// lowestDiff walks down from a node that differs, by the children among nodes, whose counterparts are in known: to the
// left one when it differs, else to the right one.
func lowestDiff(from Node, nodes, known []Node) (Node, error) {
	at := from
	for {
		left, right, _ := Children(at.Index)
		l, r := position(nodes, left), position(nodes, right)
		if Depth(at.Index) == 0 || l < 0 || r < 0 {
			break
		}
		if at = nodes[l]; known[l].Hash == at.Hash {
			at = nodes[r]
		}
	}
	if at.Index == from.Index {
		return Node{}, fmt.Errorf("%w: no children of node %d", ErrInvalidOperation, from.Index)
	}
	return at, nil
}

func position(nodes []Node, index uint64) int {
	for i := range nodes {
		if nodes[i].Index == index {
			return i
		}
	}
	return -1
}

// narrow takes diff as the lowest node known to differ.
func (g *Reorg) narrow(diff Node) {
	g.diff = diff
	g.ancestors = LeftSpan(diff.Index) / 2
	g.end = min(g.local, RightSpan(diff.Index)/2+1)
	g.done = Depth(diff.Index) == 0 || g.end <= g.ancestors
}
