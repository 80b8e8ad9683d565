package merkle

import (
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// Authority is who may sign the trees of a core: its manifest, bound to its key. Both methods may be called with suspect
// input and must not keep it.
type Authority interface {
	// VerifyTree returns nil when signature is a valid signature of t's length, fork and tree hash.
	VerifyTree(t *Tree, signature []byte) error
	// Prologue returns what the manifest says about the beginning of the core; ok is false when it says nothing.
	Prologue() (p Prologue, ok bool)
}

// Verified is what a proof has proven, ready to be stored in one commit.
type Verified struct {
	// Tree is the tree after the proof: the one before, or the longer one that the upgrade led to.
	Tree Tree
	// Upgraded tells that Tree is longer than before, and Signature is its signature.
	Upgraded  bool
	Signature []byte
	// Nodes are to be stored: all that was received or computed and is not known to be stored already. The sizes of those
	// marked Unsure are claims. None that is stored with a sure size is replaced by one with another size.
	Nodes []Node
	// Block is proven, nil when the proof had none.
	Block *BlockProof
	// Ignored tells that the proof is of another fork and was not looked at; all else is as if it had been empty.
	Ignored bool
}

// Check verifies a proof against the tree t and its stored nodes, and returns what follows from it. It changes nothing.
//
// In order: the seek's path is hashed up; the path of the block or node is hashed up, joining it; the upgrade's nodes and
// the additional ones grow the tree, the last path joining them; a path that did not join an upgrade must end at a stored
// node with the same hash; a grown tree must have the authority's signature. The rest of p, its manifest and whether it
// answers a request ([Proof.Answers]), is for the caller.
//
// Where provers never send something it is refused: nodes that nobody asked for, an upgrade that does not start at t's
// length ([ErrStale]) or leads nowhere, one that steps over the end of a prologue. Where a node is stored with a sure size,
// a claim of another size is refused.
//
// Errors wrap ErrInvalidProof, but for failures of r.
func Check(r Reader, t *Tree, auth Authority, p *Proof) (*Verified, error) {
	return CheckLeaf(r, t, auth, p, nil)
}

// CheckLeaf is Check for a proof whose block was hashed before: leaf is what [HashBlocks] returned for it, or nil.
func CheckLeaf(r Reader, t *Tree, auth Authority, p *Proof, leaf *Node) (*Verified, error) {
	if p.Fork != t.Fork {
		return &Verified{Tree: t.Clone(), Ignored: true}, nil
	}
	var g *growth
	if p.Upgrade != nil {
		g = newGrowth(*t, p.room())
	} else { // t does not grow, so its roots need not be copied
		g = &growth{tree: *t, nodes: make([]Node, 0, p.room())}
	}
	top, loose, err := g.paths(p, leaf)
	if err != nil {
		return nil, err
	}
	if p.Upgrade != nil {
		if loose, err = g.upgrade(auth, p, top, loose); err != nil {
			return nil, err
		}
	}
	if loose {
		if err := g.meet(r, t, top); err != nil {
			return nil, err
		}
	}
	v := &Verified{Block: p.Block}
	if p.Upgrade != nil {
		if err := verifySignature(auth, &g.tree, p.Upgrade.Signature); err != nil {
			return nil, err
		}
		g.settleRoots()
		v.Upgraded, v.Signature = true, p.Upgrade.Signature
	}
	if err := g.compareClaims(r, t); err != nil {
		return nil, err
	}
	v.Tree, v.Nodes = g.tree, g.nodes
	return v, nil
}

// room returns how many nodes verifying p brings at most.
func (p *Proof) room() int {
	n := 1
	if p.Block != nil {
		n += 2*len(p.Block.Nodes) + 1
	}
	if p.Hash != nil {
		n += 2 * len(p.Hash.Nodes)
	}
	if p.Seek != nil {
		n += 2 * len(p.Seek.Nodes)
	}
	if p.Upgrade != nil {
		n += 2 * (len(p.Upgrade.Nodes) + len(p.Upgrade.Additional))
	}
	return n
}

// paths hashes up the seek's path and that of the block or node. some is false when the proof has none of these. A block
// beside a hash wins, as it does for provers.
func (g *growth) paths(p *Proof, hashed *Node) (top Node, some bool, err error) {
	if p.Seek != nil && len(p.Seek.Nodes) > 0 {
		if top, err = g.listed(p.Seek.Nodes[0].Index, p.Seek.Nodes, Node{}, false); err != nil {
			return Node{}, false, fmt.Errorf("seek: %w", err)
		}
		some = true
	}
	switch {
	case p.Block != nil && p.Block.Index > compact.MaxSafe:
		return Node{}, false, fmt.Errorf("%w: block %d", ErrInvalidOperation, p.Block.Index)
	case p.Block != nil:
		leaf := p.Block.leaf(hashed)
		g.keep(leaf)
		top, err = g.climb(leaf, &queue{nodes: p.Block.Nodes, extra: top, holds: some})
		if err != nil {
			return Node{}, false, fmt.Errorf("block %d: %w", p.Block.Index, err)
		}
	case p.Hash != nil:
		top, err = g.listed(p.Hash.Index, p.Hash.Nodes, top, some)
		if err != nil {
			return Node{}, false, fmt.Errorf("node %d: %w", p.Hash.Index, err)
		}
	default:
		return top, some, nil
	}
	return top, true, nil
}

// leaf returns the leaf of the block: the one that was hashed before, if there is one.
func (b *BlockProof) leaf(hashed *Node) Node {
	if hashed != nil {
		return *hashed
	}
	return Leaf(b.Index, b.Value)
}

// listed hashes up the path of a node that is first in its list.
func (g *growth) listed(index uint64, nodes []Node, extra Node, holds bool) (top Node, err error) {
	q := &queue{nodes: nodes, extra: extra, holds: holds}
	n, fresh, err := q.shift(index)
	if err != nil {
		return Node{}, err
	}
	if fresh {
		g.keep(n)
	}
	return g.climb(n, q)
}

// upgrade grows the tree by the upgrade's nodes and the additional ones. It returns whether the path that ends in top
// still stands alone.
func (g *growth) upgrade(auth Authority, p *Proof, top Node, loose bool) (stillLoose bool, err error) {
	u, prologue, bound := p.Upgrade, Prologue{}, false
	if auth != nil {
		prologue, bound = auth.Prologue()
	}
	if err := checkUpgrade(u, g.tree.Length, prologue, bound); err != nil {
		return false, err
	}
	q := &queue{nodes: u.Nodes, extra: top, holds: loose}
	var scratch [MaxPath]uint64
	for _, index := range GrowthIndexes(scratch[:0], u.Start, u.Start+u.Length) {
		n, fresh, err := q.shift(index)
		if err != nil {
			return false, fmt.Errorf("upgrade: %w", err)
		}
		if fresh {
			g.keep(n)
		}
		if err := g.join(n); err != nil {
			return false, fmt.Errorf("upgrade: %w", err)
		}
	}
	if len(q.nodes) > 0 {
		return false, fmt.Errorf("%w: upgrade has %d nodes too many", ErrInvalidOperation, len(q.nodes))
	}
	if bound && g.tree.Length == prologue.Length && g.tree.Hash() != prologue.Hash {
		return false, fmt.Errorf("%w: prologue of %d blocks", ErrInvalidSignature, prologue.Length)
	}
	if len(u.Additional) > 0 {
		g.base = g.tree.Clone()
	}
	return q.holds, g.additional(u.Additional)
}

// checkUpgrade checks the bounds of an upgrade of a tree of length blocks.
func checkUpgrade(u *UpgradeProof, length uint64, prologue Prologue, bound bool) error {
	switch {
	case u.Length == 0 || u.Length > compact.MaxSafe:
		return fmt.Errorf("%w: upgrade of %d blocks", ErrInvalidOperation, u.Length)
	case u.Start < length:
		return fmt.Errorf("upgrade %d+%d, have %d: %w", u.Start, u.Length, length, ErrStale)
	case u.Start > length:
		return fmt.Errorf("%w: upgrade %d+%d, have %d", ErrInvalidOperation, u.Start, u.Length, length)
	case bound && u.Start < prologue.Length && (u.Start != 0 || u.Length != prologue.Length):
		return fmt.Errorf("%w: upgrade %d+%d, prologue of %d", ErrInvalidOperation, u.Start, u.Length, prologue.Length)
	}
	return nil
}

// additional grows the tree by nodes that follow the upgrade. They must be those that lead to the length they lead to,
// with no detour.
func (g *growth) additional(nodes []Node) error {
	if len(nodes) == 0 {
		return nil
	}
	from := g.tree.Length
	for _, n := range nodes {
		n.Unsure = true
		if err := g.add(n); err != nil {
			return fmt.Errorf("additional nodes: %w", err)
		}
	}
	var scratch [MaxPath]uint64
	want := GrowthIndexes(scratch[:0], from, g.tree.Length)
	for i := range nodes {
		if len(nodes) != len(want) || nodes[i].Index != want[i] {
			return fmt.Errorf("%w: additional nodes are not those from %d to %d", ErrInvalidOperation, from, g.tree.Length)
		}
	}
	return nil
}

// verifySignature asks the authority about a tree.
func verifySignature(auth Authority, t *Tree, signature []byte) error {
	if auth == nil {
		return fmt.Errorf("%w: the core's manifest is not known", ErrInvalidSignature)
	}
	if err := auth.VerifyTree(t, signature); err != nil {
		return fmt.Errorf("%w: length %d: %w", ErrInvalidSignature, t.Length, err)
	}
	return nil
}
