package merkle_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// memory is a store of nodes. reads counts the calls.
type memory struct {
	nodes map[uint64]merkle.Node
	reads int
}

func newMemory() *memory { return &memory{nodes: map[uint64]merkle.Node{}} }

func (m *memory) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	m.reads++
	out := make([]merkle.Node, len(indexes))
	for i, index := range indexes {
		out[i] = m.nodes[index]
	}
	return out, nil
}

func (m *memory) put(nodes []merkle.Node) {
	for _, n := range nodes {
		m.nodes[n.Index] = n
	}
}

// truncate removes what a tree of length blocks does not have.
func (m *memory) truncate(length uint64) {
	for index := range m.nodes {
		if !merkle.Complete(index, length) {
			delete(m.nodes, index)
		}
	}
}

func (m *memory) clone() *memory {
	c := newMemory()
	for index, n := range m.nodes {
		c.nodes[index] = n
	}
	return c
}

func (m *memory) indexes() []uint64 {
	var all []uint64
	for index := range m.nodes {
		all = append(all, index)
	}
	slices.Sort(all)
	return all
}

// failing is a store that cannot be read.
type failing struct{}

var errDisk = errors.New("disk on fire")

func (failing) ReadNodes([]uint64) ([]merkle.Node, error) { return nil, errDisk }

// signer is a writer's key, and the authority that trusts it.
type signer struct {
	key      ed25519.PrivateKey
	prologue *merkle.Prologue
}

func newSigner() *signer {
	return &signer{key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
}

func signable(t *merkle.Tree) []byte {
	hash := t.Hash()
	b := binary.LittleEndian.AppendUint64(hash[:], t.Length)
	return binary.LittleEndian.AppendUint64(b, t.Fork)
}

func (s *signer) sign(t *merkle.Tree) []byte { return ed25519.Sign(s.key, signable(t)) }

func (s *signer) VerifyTree(t *merkle.Tree, signature []byte) error {
	if !ed25519.Verify(s.key.Public().(ed25519.PublicKey), signable(t), signature) {
		return errors.New("not our signature")
	}
	return nil
}

func (s *signer) Prologue() (merkle.Prologue, bool) {
	if s.prologue == nil {
		return merkle.Prologue{}, false
	}
	return *s.prologue, true
}

// log is a writer's whole core.
type log struct {
	*memory
	*signer
	tree   merkle.Tree
	blocks [][]byte
}

func newLog(s *signer, fork uint64, blocks [][]byte) *log {
	l := &log{memory: newMemory(), signer: s, tree: merkle.Tree{Fork: fork}}
	l.append(blocks)
	return l
}

func (l *log) append(blocks [][]byte) {
	b := merkle.NewBatch(l.tree)
	b.AppendBlocks(blocks)
	l.put(b.Nodes)
	l.tree, l.blocks = b.Tree, append(l.blocks, blocks...)
}

// prove answers a request in full.
func (l *log) prove(q *merkle.Request) (*merkle.Proof, error) {
	var prologue *merkle.Prologue
	if l.signer != nil {
		prologue = l.prologue
	}
	p, err := merkle.Prove(l, &l.tree, prologue, q)
	if err != nil {
		return nil, err
	}
	if p.Block != nil {
		p.Block.Value = l.blocks[p.Block.Index]
	}
	if p.Upgrade != nil && l.signer != nil {
		p.Upgrade.Signature = l.sign(&l.tree)
	}
	return p, nil
}

func (l *log) mustProve(t testing.TB, q *merkle.Request) *merkle.Proof {
	t.Helper()
	p, err := l.prove(q)
	if err != nil {
		t.Fatalf("prove %+v: %v", q, err)
	}
	return p
}

// reader is somebody who follows a core by proofs.
type reader struct {
	*memory
	auth   merkle.Authority
	tree   merkle.Tree
	blocks map[uint64]bool
}

func newReader(auth merkle.Authority) *reader {
	return &reader{memory: newMemory(), auth: auth, blocks: map[uint64]bool{}}
}

func (r *reader) apply(p *merkle.Proof) (*merkle.Verified, error) {
	v, err := merkle.Check(r, &r.tree, r.auth, p)
	if err != nil {
		return nil, err
	}
	r.commit(v)
	return v, nil
}

func (r *reader) commit(v *merkle.Verified) {
	r.put(v.Nodes)
	r.tree = v.Tree
	if v.Block != nil {
		r.blocks[v.Block.Index] = true
	}
}

// testBlocks makes n blocks, all different, one of them empty when there are more than four.
func testBlocks(rng *rand.Rand, n int) [][]byte {
	blocks := make([][]byte, n)
	for i := range blocks {
		blocks[i] = make([]byte, 1+rng.IntN(20))
		for j := range blocks[i] {
			blocks[i][j] = byte(rng.Uint32())
		}
		blocks[i] = binary.LittleEndian.AppendUint16(blocks[i], uint16(i))
	}
	if n > 4 {
		blocks[n/2] = nil
	}
	return blocks
}

// seeded returns a source of random numbers and prints its seed.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
