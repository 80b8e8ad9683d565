package manifest

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
)

type signatureFile struct {
	SignerSeeds []struct {
		Seed vectors.Hex `json:"seed"`
	} `json:"signerSeeds"`
	Signable []struct {
		Context     vectors.Hex `json:"manifestHashOrNamespace"`
		TreeHash    vectors.Hex `json:"treeHash"`
		Length      uint64      `json:"length"`
		Fork        uint64      `json:"fork"`
		Signable    vectors.Hex `json:"signable"`
		Compat      vectors.Hex `json:"compat"`
		UltraLegacy vectors.Hex `json:"ultraLegacy"`
	} `json:"signable"`
	TreeSignature struct {
		Blocks []vectors.Hex `json:"blocks"`
		Cases  []treeCase    `json:"cases"`
	} `json:"treeSignature"`
	Multisig []multisigCase `json:"multisig"`
	Prologue []struct {
		Name     string      `json:"name"`
		Manifest vectors.Hex `json:"manifest"`
		Key      vectors.Hex `json:"key"`
		Hash     vectors.Hex `json:"prologueHash"`
		Length   uint64      `json:"prologueLength"`
		Cases    []struct {
			Length    uint64      `json:"length"`
			Signature vectors.Hex `json:"signature"`
			Verify    bool        `json:"verify"`
		} `json:"cases"`
	} `json:"prologue"`
	SignableLength []struct {
		Lengths []uint64 `json:"lengths"`
		Quorum  int      `json:"quorum"`
		Out     uint64   `json:"out"`
	} `json:"signableLength"`
}

type multisigCase struct {
	Name          string      `json:"name"`
	Manifest      vectors.Hex `json:"manifest"`
	Key           vectors.Hex `json:"key"`
	Length        uint64      `json:"length"`
	Fork          uint64      `json:"fork"`
	SignedLengths []struct {
		Signer int    `json:"signer"`
		Length uint64 `json:"length"`
	} `json:"signedLengths"`
	TreeHash  vectors.Hex `json:"treeHash"`
	Signature vectors.Hex `json:"signature"`
	Decoded   struct {
		Proofs []struct {
			Signer    uint64          `json:"signer"`
			Signature vectors.Hex     `json:"signature"`
			Patch     json.RawMessage `json:"patch"` // a number, null, or a patch0
		} `json:"proofs"`
		Patch []struct {
			Index uint64      `json:"index"`
			Size  uint64      `json:"size"`
			Hash  vectors.Hex `json:"hash"`
		} `json:"patch"`
	} `json:"decoded"`
	Verify bool `json:"verify"`
}

type patch0 struct {
	Start  uint64   `json:"start"`
	Length uint64   `json:"length"`
	Nodes  []uint32 `json:"nodes"`
}

func loadSignatures(t testing.TB) (c signatureFile) {
	t.Helper()
	vectors.Load(t, "crypto.json", &c)
	for name, n := range map[string]int{
		"signerSeeds": len(c.SignerSeeds), "signable": len(c.Signable), "treeSignature": len(c.TreeSignature.Cases),
		"multisig": len(c.Multisig), "prologue": len(c.Prologue), "signableLength": len(c.SignableLength),
	} {
		if n == 0 {
			t.Fatalf("golden data: crypto.json: no %s", name)
		}
	}
	return c
}

func TestVectorsSignable(t *testing.T) {
	c := loadSignatures(t)
	for _, s := range c.Signable {
		tree, hash, context := keys.Tree(), merkle.Hash(s.TreeHash.Array32(t)), s.Context.Array32(t)
		wantBytes(t, "signable", signable(hash, s.Length, s.Fork, tree, context), s.Signable)
		wantBytes(t, "compat signable", signable(hash, s.Length, s.Fork, tree), s.Compat)
		wantBytes(t, "legacy signable", signable(hash, s.Length, s.Fork), s.UltraLegacy)
	}
	for _, s := range c.SignableLength {
		if got := SignableLength(s.Lengths, s.Quorum); got != s.Out {
			t.Errorf("%d of %v: %d, want %d", s.Quorum, s.Lengths, got, s.Out)
		}
	}
}

func TestVectorsTreeSignature(t *testing.T) {
	c := loadSignatures(t).TreeSignature
	f := plant(bytesOf(c.Blocks))
	for _, s := range c.Cases {
		t.Run(s.Name, func(t *testing.T) {
			var m *Manifest
			if s.Manifest != nil {
				m = decode(t, s.Manifest)
			}
			a := authority(t, s.Key.Array32(t), m, Options{Legacy: s.Legacy})
			if a.Compat() != s.Compat {
				t.Fatalf("compat is %v", a.Compat())
			}
			tree := f.tree(s.Length, s.Fork)
			hash := tree.Hash()
			wantBytes(t, "tree hash", hash[:], s.TreeHash)
			wantBytes(t, "signable", a.Signable(tree, 0), s.Signable)
			if err := a.VerifyTree(tree, s.Signature); (err == nil) != (s.Verify == true) {
				t.Errorf("verdict %v, want %v", err, s.Verify)
			}
			sig, err := a.Sign(keys.PairFromSeed(s.SignerSeed.Array32(t)), tree)
			if s.Verify != true {
				if !errors.Is(err, ErrPatchVersion) {
					t.Errorf("signing what nobody can check: %v, want %v", err, ErrPatchVersion)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantBytes(t, "signature", sig, s.Signature)
			refusesChanges(t, a, tree, sig)
		})
	}
}

// refusesChanges changes the signature and the tree; nothing may pass.
func refusesChanges(t *testing.T, a *Authority, tree *merkle.Tree, sig []byte) {
	t.Helper()
	refusesFlips(t, a, tree, sig)
	for name, bad := range map[string][]byte{"none": nil, "cut": sig[:len(sig)-1], "trailing byte": append(sig[:len(sig):len(sig)], 0)} {
		if err := a.VerifyTree(tree, bad); !errors.Is(err, ErrSignature) {
			t.Errorf("signature: %s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*merkle.Tree){
		"length": func(t *merkle.Tree) { t.Length++ }, "fork": func(t *merkle.Tree) { t.Fork++ },
		"root hash": func(t *merkle.Tree) { t.Roots[0].Hash[31] ^= 1 }, "root size": func(t *merkle.Tree) { t.Roots[0].Size ^= 1 },
		"no roots": func(t *merkle.Tree) { t.Roots = nil },
	} {
		changed := tree.Clone()
		change(&changed)
		if err := a.VerifyTree(&changed, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("tree: %s changed: %v", name, err)
		}
	}
}

func TestVectorsPrologue(t *testing.T) {
	c := loadSignatures(t)
	f := plant(bytesOf(c.TreeSignature.Blocks))
	for _, p := range c.Prologue {
		if len(p.Cases) == 0 {
			t.Errorf("%s: no cases", p.Name)
		}
		a := authority(t, p.Key.Array32(t), decode(t, p.Manifest), Options{})
		got, ok := a.Prologue()
		if !ok || got.Length != p.Length {
			t.Errorf("%s: prologue %+v, %v, want length %d", p.Name, got, ok, p.Length)
		}
		wantBytes(t, p.Name, got.Hash[:], p.Hash)
		if len(a.Manifest().Signers) == 0 {
			wantBytes(t, p.Name, Static(f.tree(p.Length, 0)).Encode(), p.Manifest)
		}
		for _, s := range p.Cases {
			if err := a.VerifyTree(f.tree(s.Length, 0), s.Signature); (err == nil) != s.Verify {
				t.Errorf("%s: length %d: verdict %v, want %v", p.Name, s.Length, err, s.Verify)
			}
			if s.Verify {
				sig, err := a.Sign(signerOf(t, c, a, 0), f.tree(s.Length, 0))
				if err != nil {
					t.Errorf("%s: length %d: %v", p.Name, s.Length, err)
				}
				wantBytes(t, p.Name, sig, s.Signature)
			}
		}
		other := f.tree(p.Length, 0)
		other.Roots[0].Hash[0] ^= 1
		if err := a.VerifyTree(other, nil); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: other content: %v", p.Name, err)
		}
	}
}

// signerOf returns the pair of the signer with that index, the zero pair when the core has no signers.
func signerOf(t *testing.T, c signatureFile, a *Authority, signer int) keys.Pair {
	t.Helper()
	if len(a.Manifest().Signers) == 0 {
		return keys.Pair{}
	}
	for _, s := range c.SignerSeeds {
		if p := keys.PairFromSeed(s.Seed.Array32(t)); p.Public == a.Manifest().Signers[signer].PublicKey {
			return p
		}
	}
	t.Fatalf("golden data: no seed for signer %d", signer)
	return keys.Pair{}
}
