package merkle

import "fmt"

// CheckRemote verifies a proof that stands for itself: it holds an upgrade from nothing, and whatever else it holds is
// proven by that. Nothing that is stored is needed but the core's authority.
func CheckRemote(auth Authority, p *Proof) (*Verified, error) {
	v, _, err := checkRemote(auth, p)
	return v, err
}

// checkRemote also returns the tree at the end of the upgrade, before the additional nodes. Its hashes are proven; the
// sizes of its roots are claims when there are additional nodes.
func checkRemote(auth Authority, p *Proof) (v *Verified, base Tree, err error) {
	if p.Upgrade == nil {
		return nil, Tree{}, fmt.Errorf("%w: no upgrade to stand on", ErrInvalidOperation)
	}
	g := newGrowth(Tree{Fork: p.Fork}, p.room())
	top, loose, err := g.paths(p, nil)
	if err != nil {
		return nil, Tree{}, err
	}
	if loose, err = g.upgrade(auth, p, top, loose); err != nil {
		return nil, Tree{}, err
	}
	if loose {
		return nil, Tree{}, fmt.Errorf("%w: node %d is outside of the upgrade", ErrInvalidOperation, top.Index)
	}
	if err := verifySignature(auth, &g.tree, p.Upgrade.Signature); err != nil {
		return nil, Tree{}, err
	}
	g.settleRoots()
	if base = g.base; len(p.Upgrade.Additional) == 0 {
		base = g.tree
	}
	v = &Verified{Tree: g.tree, Upgraded: true, Signature: p.Upgrade.Signature, Nodes: g.nodes, Block: p.Block}
	return v, base, nil
}
