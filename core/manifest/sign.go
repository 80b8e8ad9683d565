package manifest

import (
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// Sign returns the signature field for t when the signature of p alone is enough: a bare signature of 64 bytes for a
// compat core and a version 0 core with one signer, a list of one, 68 bytes, for others. A tree that is the prologue
// needs no signature, so there it is nil. [ErrQuorum] tells that several must sign ([Authority.SignPart]), [ErrNotSigner]
// that p is none of the signers, [ErrSignature] that t is shorter than the prologue or differs from it.
func (a *Authority) Sign(p keys.Pair, t *merkle.Tree) ([]byte, error) {
	if prologue, ok := a.Prologue(); ok && t.Length <= prologue.Length {
		return nil, a.VerifyTree(t, nil)
	}
	one, err := a.SignPart(p, t)
	if err != nil {
		return nil, err
	}
	if a.raw() {
		return one.Signature[:], nil
	}
	if a.quorum() != 1 {
		return nil, fmt.Errorf("1 signature of %d: %w", a.quorum(), ErrQuorum)
	}
	m := multi{parts: []part{{signer: uint64(one.Signer), signature: one.Signature}}}
	return m.append(nil, a.version()), nil
}

// A Part is the signature of one of several signers, for a tree as long as that signer knew it.
type Part struct {
	Signer    int    // index in the manifest
	Length    uint64 // blocks of the tree that was signed
	Signature [64]byte
}

// SignPart returns the signature of p for t, to be joined with those of other signers by [Authority.Assemble]. The error
// is [ErrNotSigner], or [ErrPatchVersion] for a core that nobody could check.
func (a *Authority) SignPart(p keys.Pair, t *merkle.Tree) (Part, error) {
	signer, ok := a.manifest.Signer(p.Public)
	if !ok || p.IsZero() {
		return Part{}, fmt.Errorf("signing with %v: %w", p.Public, ErrNotSigner)
	}
	if a.version() == 0 && !a.raw() && len(a.manifest.Signers) == 1 {
		return Part{}, ErrPatchVersion
	}
	return Part{signer, t.Length, p.Sign(a.Signable(t, signer))}, nil
}

// SignableLength returns the greatest length that a quorum of signers has reached, given the length of each: what can be
// signed now. It is 0 when there are fewer signers than the quorum. A quorum of 0 counts as 1.
func SignableLength(lengths []uint64, quorum int) uint64 {
	quorum = max(quorum, 1)
	if len(lengths) < quorum {
		return 0
	}
	sorted := slices.Sorted(slices.Values(lengths))
	return sorted[len(sorted)-quorum]
}

// Assemble joins parts into the signature field for t, in the order given and as many as the quorum asks for; further
// ones, those for trees shorter than t and a second one of the same signer are left out. [SignableLength] tells the best
// length for t. For parts that signed longer trees of the same fork, where the manifest allows it, the nodes by which t
// grows into those are read from r; r may be nil when there is no such part.
//
// The result is checked before it is returned. [ErrQuorum] tells that there are too few parts, [ErrSignature] that one of
// them is wrong.
func (a *Authority) Assemble(t *merkle.Tree, parts []Part, r merkle.Reader) ([]byte, error) {
	chosen := a.choose(t, parts)
	if len(chosen) < a.quorum() || a.quorum() <= 0 {
		return nil, fmt.Errorf("%d parts of %d for %d blocks: %w", len(chosen), a.quorum(), t.Length, ErrQuorum)
	}
	signature, err := a.join(t, chosen, r)
	if err != nil {
		return nil, err
	}
	if err := a.VerifyTree(t, signature); err != nil {
		return nil, fmt.Errorf("joining signatures: %w", err)
	}
	return signature, nil
}

// choose returns the parts that count, at most as many as the quorum.
func (a *Authority) choose(t *merkle.Tree, parts []Part) (chosen []Part) {
	for _, p := range parts {
		fits := p.Length == t.Length || p.Length > t.Length && a.manifest.AllowPatch && !a.raw()
		twice := slices.ContainsFunc(chosen, func(c Part) bool { return c.Signer == p.Signer })
		if fits && !twice && len(chosen) < a.quorum() {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// join encodes the parts. The node list is the union of what the patches need, each node where it is needed first.
func (a *Authority) join(t *merkle.Tree, parts []Part, r merkle.Reader) ([]byte, error) {
	if a.raw() {
		return parts[0].Signature[:], nil
	}
	var m multi
	for _, p := range parts {
		next := part{signer: uint64(p.Signer), signature: p.Signature, patch: p.Length - t.Length}
		if next.patch > 0 {
			next.start = p.Length
			if err := m.addPatch(&next, t.Length, r); err != nil {
				return nil, fmt.Errorf("patch from %d to %d blocks: %w", t.Length, p.Length, err)
			}
		}
		m.parts = append(m.parts, next)
	}
	return m.append(nil, a.version()), nil
}

// addPatch reads the nodes of p's patch on a tree of length blocks and notes their places in the list.
func (m *multi) addPatch(p *part, length uint64, r merkle.Reader) error {
	if r == nil {
		return merkle.ErrMissingNode
	}
	nodes, err := r.ReadNodes(merkle.GrowthIndexes(nil, length, length+p.patch))
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.IsZero() {
			return merkle.ErrMissingNode
		}
		place := slices.IndexFunc(m.nodes, func(have merkle.Node) bool { return have.Index == n.Index })
		if place < 0 {
			place = len(m.nodes)
			m.nodes = append(m.nodes, n)
		}
		p.places = append(p.places, uint32(place))
	}
	return nil
}
