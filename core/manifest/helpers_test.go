package manifest

import (
	"bytes"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/vectors"
)

// A forest holds the trees of the first n blocks of a list, for every n, and all their nodes.
type forest struct {
	trees []merkle.Tree
	nodes map[uint64]merkle.Node
}

func plant(blocks [][]byte) *forest {
	b := merkle.NewBatch(merkle.Tree{})
	f := &forest{trees: []merkle.Tree{b.Clone()}, nodes: map[uint64]merkle.Node{}}
	for i := range blocks {
		b.AppendBlocks(blocks[i : i+1])
		f.trees = append(f.trees, b.Clone())
	}
	for _, n := range b.Nodes {
		f.nodes[n.Index] = n
	}
	return f
}

// tree returns the tree of the first length blocks at that fork.
func (f *forest) tree(length, fork uint64) *merkle.Tree {
	t := f.trees[length].Clone()
	t.Fork = fork
	return &t
}

func (f *forest) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	out := make([]merkle.Node, len(indexes))
	for i, index := range indexes {
		out[i] = f.nodes[index]
	}
	return out, nil
}

// manifestJSON is how the golden data writes a manifest out.
type manifestJSON struct {
	Version    uint8 `json:"version"`
	AllowPatch bool  `json:"allowPatch"`
	Quorum     int   `json:"quorum"`
	Signers    []struct {
		Namespace vectors.Hex `json:"namespace"`
		PublicKey vectors.Hex `json:"publicKey"`
	} `json:"signers"`
	Prologue *struct {
		Hash   vectors.Hex `json:"hash"`
		Length uint64      `json:"length"`
	} `json:"prologue"`
	Linked   []vectors.Hex `json:"linked"`
	UserData vectors.Hex   `json:"userData"`
}

func (j *manifestJSON) manifest(t *testing.T) *Manifest {
	t.Helper()
	m := &Manifest{Version: j.Version, AllowPatch: j.AllowPatch, Quorum: j.Quorum, UserData: j.UserData}
	for _, s := range j.Signers {
		m.Signers = append(m.Signers, Signer{s.Namespace.Array32(t), s.PublicKey.Array32(t)})
	}
	if j.Prologue != nil {
		m.Prologue = &merkle.Prologue{Hash: j.Prologue.Hash.Array32(t), Length: j.Prologue.Length}
	}
	for _, l := range j.Linked {
		m.Linked = append(m.Linked, l.Array32(t))
	}
	return m
}

// config returns what New must make m from; ok is false for those that it does not make.
func config(m *Manifest) (c Config, ok bool) {
	c = Config{
		Version: int(m.Version), Quorum: m.Quorum, AllowPatch: m.AllowPatch, Signers: m.Signers,
		Prologue: m.Prologue, Linked: m.Linked, UserData: m.UserData,
	}
	if m.Version == 0 {
		c.Version = Version0
	}
	for _, s := range m.Signers {
		if s.Namespace == [32]byte{} {
			return c, false
		}
	}
	return c, m.check() == nil && m.Version <= 2 && (m.Quorum > 0 || len(m.Signers) == 0)
}

type treeCase struct {
	Name       string      `json:"name"`
	Compat     bool        `json:"compat"`
	Legacy     bool        `json:"legacy"`
	Manifest   vectors.Hex `json:"manifest"`
	Key        vectors.Hex `json:"key"`
	SignerSeed vectors.Hex `json:"signerSeed"`
	Length     uint64      `json:"length"`
	Fork       uint64      `json:"fork"`
	TreeHash   vectors.Hex `json:"treeHash"`
	Signable   vectors.Hex `json:"signable"`
	Signature  vectors.Hex `json:"signature"`
	Verify     any         `json:"verify"` // true, false, or the text of what is thrown
}

type storeCase struct {
	Name         string      `json:"name"`
	Seed         vectors.Hex `json:"seed"`
	PublicKey    vectors.Hex `json:"publicKey"`
	SecretKey    vectors.Hex `json:"secretKey"`
	Manifest     vectors.Hex `json:"manifest"`
	Key          vectors.Hex `json:"key"`
	DiscoveryKey vectors.Hex `json:"discoveryKey"`
	ID           string      `json:"id"`
}

// check compares the pair and all that follows from it with c; without a manifest there is only the pair.
func (c *storeCase) check(t *testing.T, p keys.Pair) {
	t.Helper()
	seed, secret := p.Seed(), p.Secret()
	wantBytes(t, c.Name+": seed", seed[:], c.Seed)
	wantBytes(t, c.Name+": public key", p.Public[:], c.PublicKey)
	wantBytes(t, c.Name+": secret key", secret[:], c.SecretKey)
	if c.Manifest == nil {
		return
	}
	m := Single(p.Public)
	k := m.Key()
	d := k.Discovery()
	wantBytes(t, c.Name+": manifest", m.Encode(), c.Manifest)
	wantBytes(t, c.Name+": key", k[:], c.Key)
	wantBytes(t, c.Name+": discovery key", d[:], c.DiscoveryKey)
	if k.String() != c.ID {
		t.Errorf("%s: id %v, want %s", c.Name, k, c.ID)
	}
}

func wantBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %x, want %x", what, got, want)
	}
}

func decode(t *testing.T, b []byte) *Manifest {
	t.Helper()
	m, err := Decode(b)
	if err != nil {
		t.Fatalf("manifest %x: %v", b, err)
	}
	return m
}

func authority(t *testing.T, key [32]byte, m *Manifest, o Options) *Authority {
	t.Helper()
	a, err := NewAuthority(key, m, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// bytesOf turns golden blocks into plain ones.
func bytesOf(blocks []vectors.Hex) [][]byte {
	out := make([][]byte, len(blocks))
	for i, b := range blocks {
		out[i] = b
	}
	return out
}
