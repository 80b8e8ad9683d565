package replicate

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
)

// written is a core of some kind, and how its readers open it.
type written struct {
	core *core.Core
	how  corestore.Ref
}

func testPair(i byte) keys.Pair { return keys.PairFromSeed(keys.Seed{'k', i}) }

// several makes a core that two of three must sign.
func several(t *testing.T, n *node) written {
	var signers []manifest.Signer
	for i := range byte(3) {
		signers = append(signers, manifest.Signer{PublicKey: testPair(i).Public})
	}
	m, err := manifest.New(manifest.Config{Version: 1, Quorum: 2, Signers: signers})
	if err != nil {
		t.Fatal(err)
	}
	a, err := manifest.NewAuthority(m.Key(), m, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ref := corestore.Manifest(m)
	ref.Sign = func(tree *merkle.Tree) ([]byte, error) {
		var parts []manifest.Part
		for i := range byte(2) {
			p, err := a.SignPart(testPair(2*i), tree)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
		return a.Assemble(tree, parts, nil)
	}
	c := n.open(ref)
	return written{c, corestore.Key(c.Key())}
}

func compat(_ *testing.T, n *node) written {
	ref := corestore.Pair(testPair(7))
	ref.Derived, ref.Compat = true, true
	c := n.open(ref)
	how := corestore.Key(c.Key())
	how.Compat = true
	return written{c, how}
}

func encrypted(_ *testing.T, n *node) written {
	ref := corestore.Name("secret")
	ref.Encryption = core.Encryption{Key: [32]byte{5}}
	c := n.open(ref)
	how := corestore.Key(c.Key())
	how.Encryption = ref.Encryption
	return written{c, how}
}

// Cores of each kind pass from the writer through a peer that has nothing but the key, not that of an encryption, to a reader.
func TestKinds(t *testing.T) {
	kinds := []struct {
		name string
		make func(*testing.T, *node) written
	}{{"several signers", several}, {"compat", compat}, {"encrypted", encrypted}}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			a, b, c := newNode(t, Options{}), newNode(t, Options{}), newNode(t, Options{})
			w := k.make(t, a)
			grow(t, w.core, 50)
			blind := w.how
			blind.Encryption = core.Encryption{}
			relay := b.open(blind)
			first := connect(t, a, b)
			if err := relay.Download(within(t), whole(50)); err != nil {
				t.Fatal(err)
			}
			grow(t, w.core, 10) // live
			mustReach(t, relay, 60)
			if err := relay.Download(within(t), whole(60)); err != nil {
				t.Fatal(err)
			}
			first.cut()
			r := c.open(w.how)
			connect(t, b, c)
			for i := range uint64(60) {
				mustGet(t, r, i, block(i))
			}
			if r.TreeHash() != w.core.TreeHash() {
				t.Error("another tree")
			}
			if !w.how.Encryption.IsZero() {
				if b, err := relay.Get(t.Context(), 3); err != nil || bytes.Contains(b, block(3)) {
					t.Errorf("a blind peer reads %q, %v", b, err)
				}
			}
		})
	}
}

// A core that nobody signs, because its key says what its content is.
func TestStatic(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	w, err := a.store.Static(t.Context(), a.writer("log", 77))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	mustReach(t, r, 77)
	if err := r.Download(within(t), whole(77)); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(77) {
		mustGet(t, r, i, block(i))
	}
}
