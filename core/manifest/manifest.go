package manifest

import (
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// A Manifest says who may sign a core. It is not changed once its key was taken. The zero value is a version 0 manifest
// without signers; use [Single] or [New] to make one.
type Manifest struct {
	Version    uint8            // 0 to 3
	AllowPatch bool             // signers may sign trees of different lengths
	Quorum     int              // signatures that are due; with 0 nothing but the prologue is ever accepted
	Signers    []Signer         // in the order that signatures refer to
	Prologue   *merkle.Prologue // the tree that the core starts with, nil for none
	Linked     []keys.Key       // cores that belong to this one, nil for none; from version 2 on
	UserData   []byte           // anything; nil for none, which is not the same as empty; from version 2 on
}

// A Signer is one of those who may sign. The namespace keeps signatures of a version 0 core from being taken for those
// of another core with the same key; from version 1 on it only makes the core's key another one.
type Signer struct {
	Namespace [32]byte
	PublicKey keys.PublicKey
}

// Single returns the manifest of a core with one signer, as every named core has it: version 1, default namespace.
func Single(pub keys.PublicKey) *Manifest {
	return &Manifest{Version: 1, Quorum: 1, Signers: []Signer{{keys.DefaultNamespace(), pub}}}
}

// Compat returns the manifest that stands for a compat core, which has none of its own: k itself is the only signer. Its
// key is not k; an [Authority] for k knows it by that.
func Compat(k keys.Key) *Manifest { return Single(keys.PublicKey(k)) }

// Static returns the manifest of a core that has the content of t, for ever: its key says what the content is, nobody
// signs it.
func Static(t *merkle.Tree) *Manifest {
	return &Manifest{Version: 1, Prologue: &merkle.Prologue{Hash: t.Hash(), Length: t.Length}}
}

// Key returns the key of the core that m belongs to, unless it is a compat core: the hash of a constant followed by the
// encoded manifest.
func (m *Manifest) Key() keys.Key {
	ns := keys.ManifestNS()
	return keys.Hash(ns[:], m.Encode())
}

// Signer returns the place of pub among the signers; ok is false when it is none of them.
func (m *Manifest) Signer(pub keys.PublicKey) (index int, ok bool) {
	index = slices.IndexFunc(m.Signers, func(s Signer) bool { return s.PublicKey == pub })
	return max(index, 0), index >= 0
}

// clone returns a copy that shares nothing with m.
func (m *Manifest) clone() *Manifest {
	c := *m
	c.Signers, c.Linked, c.UserData = slices.Clone(m.Signers), slices.Clone(m.Linked), slices.Clone(m.UserData)
	if m.Prologue != nil {
		p := *m.Prologue
		c.Prologue = &p
	}
	return &c
}

// checkSigners refuses keys under which anybody could sign.
func (m *Manifest) checkSigners() error {
	for i, s := range m.Signers {
		if !s.PublicKey.Valid() {
			return fmt.Errorf("signer %d: %w", i, ErrSigner)
		}
	}
	return nil
}
