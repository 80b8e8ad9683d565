package merkle

import (
	"bytes"
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// Conflict is a pair of proofs, both signed, that the same fork of a core holds different blocks at the same place: its
// writer broke the promise of a single history.
type Conflict struct {
	Length uint64 // of the beginnings that differ
	Own    *Proof // from our store
	Remote *Proof // what was received
}

// CheckConflict verifies a proof p that holds an upgrade from nothing, and compares it with the tree t, whose signature is
// given. It returns nil when both agree, a Conflict when they do not.
//
// Errors: those of [Check] when p is not valid, or is of another fork or longer than t, and so says nothing;
// ErrMissingNode and ErrUnsureSize when a sparse store does not know the roots of that length, and cannot tell.
func CheckConflict(r Reader, t *Tree, signature []byte, auth Authority, p *Proof) (*Conflict, error) {
	u := p.Upgrade
	if u == nil || u.Start != 0 || u.Length > t.Length || p.Fork != t.Fork {
		return nil, fmt.Errorf("%w: not comparable to length %d, fork %d", ErrInvalidOperation, t.Length, t.Fork)
	}
	_, theirs, err := checkRemote(auth, p)
	if err != nil {
		return nil, err
	}
	ours, err := TreeAt(r, t, u.Length)
	if err != nil || sameContent(ours.Roots, theirs.Roots) {
		return nil, err
	}
	own, err := Prove(r, t, nil, &Request{Fork: t.Fork, Upgrade: &UpgradeRequest{Length: u.Length}})
	if err != nil {
		return nil, err
	}
	own.Upgrade.Signature = signature
	return &Conflict{Length: u.Length, Own: own, Remote: p}, nil
}

// sameContent reports whether roots of the same length stand for the same blocks. Hashes decide: each determines its
// node's size. The size beside a root that additional nodes were joined to may have been tampered with in transit, so a
// tree hash, which covers it, proves no conflict.
func sameContent(a, b []Node) bool {
	for i := range a {
		if a[i].Hash != b[i].Hash {
			return false
		}
	}
	return true
}

// ConflictProof is a conflict in a form that anybody can verify who has it: the core's key and manifest, and two proofs,
// each with an upgrade from nothing to the same length, of the same fork, whose blocks differ.
type ConflictProof struct {
	Key      [32]byte
	Manifest []byte // encoded; empty for a core without one
	A, B     *Proof
}

// conflictVersion is the first number of the encoding.
const conflictVersion = 1

// AppendConflictProof appends the portable form of c: uint 1, key (32 bytes), and as buffers the manifest and both proofs in
// their wire form.
func AppendConflictProof(b []byte, c *ConflictProof) []byte {
	b = compact.AppendUint(b, conflictVersion)
	b = append(b, c.Key[:]...)
	b = compact.AppendBuffer(b, c.Manifest)
	b = compact.AppendBuffer(b, AppendProof(nil, c.A))
	return compact.AppendBuffer(b, AppendProof(nil, c.B))
}

// DecodeConflictProof reads what AppendConflictProof writes, and nothing after it. The proofs alias b. Nothing is verified.
func DecodeConflictProof(b []byte) (*ConflictProof, error) {
	d := compact.NewDecoder(b)
	version := d.Uint()
	c := &ConflictProof{Key: d.Fixed32(), Manifest: d.Buffer()}
	first, second := d.Buffer(), d.Buffer()
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("%w: decode conflict: %w", ErrInvalidProof, err)
	}
	if version != conflictVersion || d.Len() > 0 {
		return nil, fmt.Errorf("%w: decode conflict: version %d, %d bytes left", ErrInvalidProof, version, d.Len())
	}
	var err error
	if c.A, err = DecodeProof(first); err != nil {
		return nil, err
	}
	if c.B, err = DecodeProof(second); err != nil {
		return nil, err
	}
	return c, nil
}

// Verify returns nil when c proves a conflict. open binds the manifest to the key, and fails when they do not belong
// together. Errors wrap ErrInvalidProof when a proof is broken, ErrNoConflict when both agree.
func (c *ConflictProof) Verify(open func(key [32]byte, manifest []byte) (Authority, error)) error {
	a, b := c.A, c.B
	switch {
	case a.Upgrade == nil || b.Upgrade == nil || a.Upgrade.Start != 0 || b.Upgrade.Start != 0:
		return fmt.Errorf("%w: conflict without upgrades from nothing", ErrInvalidProof)
	case a.Upgrade.Length != b.Upgrade.Length || a.Fork != b.Fork:
		return fmt.Errorf("%w: length %d of fork %d beside length %d of fork %d", ErrNoConflict,
			a.Upgrade.Length, a.Fork, b.Upgrade.Length, b.Fork)
	case !c.embeds(a) || !c.embeds(b):
		return fmt.Errorf("%w: conflict with another manifest", ErrInvalidProof)
	}
	auth, err := open(c.Key, c.Manifest)
	if err != nil {
		return fmt.Errorf("%w: conflict: %w", ErrInvalidProof, err)
	}
	_, first, err := checkRemote(auth, a)
	if err != nil {
		return err
	}
	_, second, err := checkRemote(auth, b)
	if err != nil {
		return err
	}
	if sameContent(first.Roots, second.Roots) {
		return ErrNoConflict
	}
	return nil
}

// embeds reports whether the manifest in p, if there is one, is that of c.
func (c *ConflictProof) embeds(p *Proof) bool {
	return p.Manifest == nil || bytes.Equal(p.Manifest, c.Manifest)
}
