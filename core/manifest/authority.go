package manifest

import (
	"encoding/binary"
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// An Authority signs and checks the trees of one core: a manifest bound to the key that it belongs to. It is a
// [merkle.Authority], does not change and may be used by several goroutines.
type Authority struct {
	key      keys.Key
	manifest *Manifest
	compat   bool
	legacy   bool
}

// Options change what an [Authority] signs and checks. The zero value is for all cores but very old ones.
type Options struct {
	// Legacy is for the first compat cores, which signed without the constant in front. Other cores ignore it.
	Legacy bool
}

// NewAuthority binds m to key. It belongs to it when its hash is key, or when it has exactly one signer, whose public key
// is key: a compat core, whatever m says about version, quorum and the rest. Another manifest gives [ErrKey]. A manifest
// with a signer's key under which anybody could sign gives [ErrSigner].
//
// Without a manifest (nil) the core is taken for a compat core; if it is none, no signature will ever fit, and a new
// Authority must be made once the manifest is there.
func NewAuthority(key keys.Key, m *Manifest, o Options) (*Authority, error) {
	if m == nil {
		m = Compat(key)
	}
	a := &Authority{key: key, manifest: m.clone(), legacy: o.Legacy}
	a.compat = len(m.Signers) == 1 && m.Signers[0].PublicKey == keys.PublicKey(key)
	if got := m.Key(); !a.compat && got != key {
		return nil, fmt.Errorf("manifest of %v, want %v: %w", got, key, ErrKey)
	}
	if err := m.checkSigners(); err != nil {
		return nil, err
	}
	return a, nil
}

// Key returns the core's key.
func (a *Authority) Key() keys.Key { return a.key }

// Manifest returns the manifest, which must not be changed. That of a compat core has another key than the core.
func (a *Authority) Manifest() *Manifest { return a.manifest }

// Compat tells whether the core is a compat core.
func (a *Authority) Compat() bool { return a.compat }

// Prologue returns the tree that the core starts with, if it has one that can be checked: version 0 does not keep all
// of it, a compat core has none.
func (a *Authority) Prologue() (merkle.Prologue, bool) {
	if a.version() == 0 || a.manifest.Prologue == nil {
		return merkle.Prologue{}, false
	}
	return *a.manifest.Prologue, true
}

// version treats a compat core as version 0, as the format does.
func (a *Authority) version() uint8 {
	if a.compat {
		return 0
	}
	return a.manifest.Version
}

// quorum is how many signatures are due.
func (a *Authority) quorum() int {
	if a.raw() {
		return 1
	}
	return a.manifest.Quorum
}

// raw tells whether the signature field is a bare signature of 64 bytes, not a list of signatures.
func (a *Authority) raw() bool {
	return a.compat || a.version() == 0 && !a.manifest.AllowPatch && len(a.manifest.Signers) == 1
}

// Signable returns what the signer with that index signs for t: a constant, the core's key, the tree hash, length and
// fork (8 bytes each), 112 bytes together. In version 0 the signer's namespace stands in place of the key; a compat core
// has neither, 80 bytes, and a legacy one not even the constant, 48 bytes. The index matters in version 0 only; one that
// no signer has gives nil there.
func (a *Authority) Signable(t *merkle.Tree, signer int) []byte {
	tree := keys.Tree()
	switch {
	case a.compat && a.legacy:
		return signable(t.Hash(), t.Length, t.Fork)
	case a.compat:
		return signable(t.Hash(), t.Length, t.Fork, tree)
	case a.manifest.Version > 0:
		return signable(t.Hash(), t.Length, t.Fork, tree, a.key)
	case signer < 0 || signer >= len(a.manifest.Signers):
		return nil
	}
	return signable(t.Hash(), t.Length, t.Fork, tree, a.manifest.Signers[signer].Namespace)
}

func signable(hash merkle.Hash, length, fork uint64, context ...[32]byte) []byte {
	b := make([]byte, 0, 112)
	for i := range context {
		b = append(b, context[i][:]...)
	}
	b = append(b, hash[:]...)
	b = binary.LittleEndian.AppendUint64(b, length)
	return binary.LittleEndian.AppendUint64(b, fork)
}

// VerifyTree accepts t, returning nil, when signature is what the manifest asks for, else it returns an error that wraps
// [ErrSignature]. A tree not longer than the prologue must be the prologue, and needs no signature. When several
// signatures are due the first of them count, as many as the quorum; those behind are ignored.
func (a *Authority) VerifyTree(t *merkle.Tree, signature []byte) error {
	if p, ok := a.Prologue(); ok && t.Length <= p.Length {
		if t.Length == p.Length && t.Hash() == p.Hash {
			return nil
		}
		return fmt.Errorf("tree of %d blocks is not the prologue of %d: %w", t.Length, p.Length, ErrSignature)
	}
	if a.raw() {
		return a.verifyPart(t, 0, signature)
	}
	return a.verifyMulti(t, signature)
}

// verifyPart checks one signer's signature of t.
func (a *Authority) verifyPart(t *merkle.Tree, signer int, signature []byte) error {
	if !keys.Verify(a.manifest.Signers[signer].PublicKey, a.Signable(t, signer), signature) {
		return fmt.Errorf("signer %d, tree of %d blocks at fork %d: %w", signer, t.Length, t.Fork, ErrSignature)
	}
	return nil
}

// verifyMulti checks as many signatures as the quorum asks for, each over t or over the tree that t grows into.
func (a *Authority) verifyMulti(t *merkle.Tree, signature []byte) error {
	m, err := decodeMulti(signature, a.version())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	quorum := a.manifest.Quorum
	if quorum <= 0 || len(m.parts) < quorum {
		return fmt.Errorf("%d signatures of %d: %w", len(m.parts), quorum, ErrSignature)
	}
	used := make([]bool, len(a.manifest.Signers))
	for i := range m.parts[:quorum] {
		p := &m.parts[i]
		if p.signer >= uint64(len(used)) || used[p.signer] {
			return fmt.Errorf("no such signer, or once more signer %d: %w", p.signer, ErrSignature)
		}
		used[p.signer] = true
		signed, err := a.signedTree(t, p.patch, m.nodes)
		if err != nil {
			return err
		}
		if err := a.verifyPart(signed, int(p.signer), p.signature[:]); err != nil {
			return err
		}
	}
	return nil
}

// signedTree returns the tree that a signer with that patch signed. Where patches are not allowed they do not count.
func (a *Authority) signedTree(t *merkle.Tree, patch uint64, nodes []merkle.Node) (*merkle.Tree, error) {
	if patch == 0 || !a.manifest.AllowPatch {
		return t, nil
	}
	grown, err := t.Grow(patch, nodes)
	if err != nil {
		return nil, fmt.Errorf("%w: growing the tree by a patch: %w", ErrSignature, err)
	}
	return &grown, nil
}
