package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// decoded returns the signature list that the golden data writes out.
func (c *multisigCase) decoded(t *testing.T) *multi {
	t.Helper()
	m := &multi{parts: make([]part, len(c.Decoded.Proofs)), nodes: make([]merkle.Node, len(c.Decoded.Patch))}
	for i, p := range c.Decoded.Proofs {
		m.parts[i] = part{signer: p.Signer, signature: [64]byte(p.Signature)}
		if bytes.HasPrefix(p.Patch, []byte("{")) {
			var patch patch0
			if err := json.Unmarshal(p.Patch, &patch); err != nil {
				t.Fatal(err)
			}
			m.parts[i].start, m.parts[i].patch, m.parts[i].places = patch.Start, patch.Length, patch.Nodes
		} else if err := json.Unmarshal(p.Patch, &m.parts[i].patch); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range c.Decoded.Patch {
		m.nodes[i] = merkle.Node{Index: n.Index, Size: n.Size, Hash: n.Hash.Array32(t)}
	}
	return m
}

func TestVectorsMultisig(t *testing.T) {
	c := loadSignatures(t)
	f := plant(bytesOf(c.TreeSignature.Blocks))
	for _, s := range c.Multisig {
		t.Run(s.Name, func(t *testing.T) {
			m := decode(t, s.Manifest)
			want := s.decoded(t)
			got, err := decodeMulti(s.Signature, m.Version)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("decoded as %+v, %v, want %+v", got, err, want)
			}
			wantBytes(t, "encoded again", want.append(nil, m.Version), s.Signature)

			a := authority(t, s.Key.Array32(t), m, Options{})
			tree := f.tree(s.Length, s.Fork)
			hash := tree.Hash()
			wantBytes(t, "tree hash", hash[:], s.TreeHash)
			if err := a.VerifyTree(tree, s.Signature); (err == nil) != s.Verify || err != nil && !errors.Is(err, ErrSignature) {
				t.Errorf("verdict %v, want %v", err, s.Verify)
			}
			if s.Verify {
				s.assemble(t, c, f, a, tree)
			}
		})
	}
}

// assemble signs and joins the parts that count, and compares each and all with the golden data.
func (c *multisigCase) assemble(t *testing.T, all signatureFile, f *forest, a *Authority, tree *merkle.Tree) {
	t.Helper()
	var parts []Part
	for i, l := range c.SignedLengths[:a.quorum()] {
		p, err := a.SignPart(signerOf(t, all, a, l.Signer), f.tree(l.Length, c.Fork))
		if err != nil {
			t.Fatal(err)
		}
		wantBytes(t, "signature", p.Signature[:], c.Decoded.Proofs[i].Signature)
		parts = append(parts, p)
	}
	sig, err := a.Assemble(tree, parts, f)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Decoded.Proofs) == a.quorum() {
		wantBytes(t, "joined", sig, c.Signature)
	}
	refusesFlips(t, a, tree, sig)
	if _, err := a.Assemble(tree, parts[1:], f); !errors.Is(err, ErrQuorum) {
		t.Errorf("one part less: %v, want %v", err, ErrQuorum)
	}
	parts[0].Signature[0] ^= 1
	if _, err := a.Assemble(tree, parts, f); !errors.Is(err, ErrSignature) {
		t.Errorf("a wrong part: %v, want %v", err, ErrSignature)
	}
}

// refusesFlips flips a bit in each byte of a signature. A change is refused, unless it lies where nobody looks: the start
// and the node places of a version 0 patch, flags that mean nothing, patches where they are not allowed.
func refusesFlips(t *testing.T, a *Authority, tree *merkle.Tree, sig []byte) {
	t.Helper()
	for i := range sig {
		changed := bytes.Clone(sig)
		changed[i] ^= 1 << (i % 8)
		err := a.VerifyTree(tree, changed)
		if (err == nil) != sameMeaning(a, sig, changed) || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func sameMeaning(a *Authority, b, c []byte) bool {
	if a.raw() {
		return bytes.Equal(b, c)
	}
	x, errX := decodeMulti(b, a.version())
	y, errY := decodeMulti(c, a.version())
	if errX != nil || errY != nil || !reflect.DeepEqual(x.nodes, y.nodes) {
		return false
	}
	return slices.EqualFunc(x.parts, y.parts, func(p, q part) bool {
		samePatch := p.patch == q.patch || !a.manifest.AllowPatch
		return p.signer == q.signer && p.signature == q.signature && samePatch
	})
}

// team returns a core with n signers.
func team(t *testing.T, n int, c Config) (*Authority, []keys.Pair) {
	t.Helper()
	pairs := make([]keys.Pair, n)
	for i := range pairs {
		pairs[i] = keys.PairFromSeed(keys.Seed{byte(i), 9})
		c.Signers = append(c.Signers, Signer{PublicKey: pairs[i].Public})
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return authority(t, m.Key(), m, Options{}), pairs
}

// TestPatches joins signatures of every two lengths at every length that both have, in both versions.
func TestPatches(t *testing.T) {
	blocks := make([][]byte, 33)
	for i := range blocks {
		blocks[i] = make([]byte, i*7%13)
	}
	f := plant(blocks)
	for _, version := range []int{Version0, 1} {
		a, pairs := team(t, 2, Config{Version: version, AllowPatch: true, Quorum: 2})
		parts := make([][2]Part, len(f.trees))
		for n := range parts {
			for i, pair := range pairs {
				p, err := a.SignPart(pair, f.tree(uint64(n), 3))
				if err != nil {
					t.Fatal(err)
				}
				parts[n][i] = p
			}
		}
		for n := 0; n < len(parts); n += 3 {
			for first := n; first < len(parts); first += 5 {
				second := n + (first-n)*7%(len(parts)-n)
				chosen := []Part{parts[first][0], parts[second][1]}
				if _, err := a.Assemble(f.tree(uint64(n), 3), chosen, f); err != nil {
					t.Fatalf("version %d: lengths %d and %d at %d: %v", version, first, second, n, err)
				}
			}
		}
		if _, err := a.Assemble(f.tree(2, 3), parts[9][:], nil); !errors.Is(err, merkle.ErrMissingNode) {
			t.Errorf("version %d: no reader: %v, want %v", version, err, merkle.ErrMissingNode)
		}
		if _, err := a.Assemble(f.tree(2, 3), parts[9][:], &forest{}); !errors.Is(err, merkle.ErrMissingNode) {
			t.Errorf("version %d: no nodes: %v, want %v", version, err, merkle.ErrMissingNode)
		}
		if _, err := a.Assemble(f.tree(9, 3), parts[8][:], f); !errors.Is(err, ErrQuorum) {
			t.Errorf("version %d: parts for a shorter tree: %v, want %v", version, err, ErrQuorum)
		}
		if _, err := a.Assemble(f.tree(9, 4), parts[9][:], f); !errors.Is(err, ErrSignature) {
			t.Errorf("version %d: parts of another fork: %v, want %v", version, err, ErrSignature)
		}
	}
}

func TestAssembleChooses(t *testing.T) {
	f := plant([][]byte{{1}, {2}, {3}})
	a, pairs := team(t, 3, Config{})
	var parts []Part
	for _, p := range []struct {
		pair   keys.Pair
		length uint64
	}{{pairs[0], 1}, {pairs[2], 2}, {pairs[2], 2}, {pairs[0], 3}, {pairs[1], 2}, {pairs[0], 2}} {
		part, err := a.SignPart(p.pair, f.tree(p.length, 0))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	sig, err := a.Assemble(f.tree(2, 0), parts, f)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decodeMulti(sig, 1)
	if err != nil || len(m.parts) != 2 || m.parts[0].signer != 2 || m.parts[1].signer != 1 || len(m.nodes) != 0 {
		t.Errorf("joined as %+v, %v", m, err)
	}
	if _, err := a.Sign(pairs[0], f.tree(2, 0)); !errors.Is(err, ErrQuorum) {
		t.Errorf("signing alone: %v, want %v", err, ErrQuorum)
	}
	if _, err := a.Assemble(f.tree(2, 0), []Part{parts[1], {Signer: -1, Length: 2}}, f); !errors.Is(err, ErrSignature) {
		t.Errorf("no such signer: %v, want %v", err, ErrSignature)
	}
}

func TestMultiIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		m       multi
		version uint8
		refused bool
	}{
		"no more nodes than patches need": {multi{make([]part, 2), make([]merkle.Node, 2*maxPatchNodes)}, 1, false},
		"too many nodes":                  {multi{make([]part, 2), make([]merkle.Node, 2*maxPatchNodes+1)}, 1, true},
		"nodes and no signatures":         {multi{nil, make([]merkle.Node, 1)}, 0, true},
		"places":                          {multi{[]part{{patch: 1, places: make([]uint32, maxPatchNodes)}}, nil}, 0, false},
		"too many places":                 {multi{[]part{{patch: 1, places: make([]uint32, maxPatchNodes+1)}}, nil}, 0, true},
		"a place past every list":         {multi{[]part{{patch: 1, places: []uint32{1 << 20}}}, nil}, 0, true},
	} {
		if _, err := decodeMulti(c.m.append(nil, c.version), c.version); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
