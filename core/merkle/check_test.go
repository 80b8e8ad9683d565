package merkle_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// lengthen is a request for everything up to length.
func lengthen(start, length uint64) *merkle.Request {
	return &merkle.Request{Upgrade: &merkle.UpgradeRequest{Start: start, Length: length - start}}
}

func TestCheckRefusals(t *testing.T) {
	l := newLog(newSigner(), 0, testBlocks(seeded(t), 20))
	r := newReader(l.signer)
	if _, err := r.apply(l.mustProve(t, lengthen(0, 12))); err != nil {
		t.Fatal(err)
	}
	if r.tree.Length != 20 {
		t.Fatalf("additional nodes lead to %d, want 20", r.tree.Length)
	}
	l.append(testBlocks(seeded(t), 10))
	block := func(q *merkle.Request) *merkle.Proof {
		q.Block = &merkle.BlockRequest{Index: 3, Nodes: 4}
		return l.mustProve(t, q)
	}
	forged := l.mustProve(t, lengthen(20, 30))
	forged.Upgrade.Signature = slices.Clone(forged.Upgrade.Signature)
	forged.Upgrade.Signature[5] ^= 1
	wrong := block(&merkle.Request{})
	wrong.Block.Value = []byte("something else")
	short := block(&merkle.Request{})
	short.Block.Nodes = short.Block.Nodes[:2]
	for _, c := range []struct {
		name string
		p    *merkle.Proof
		want error
	}{
		{"older start", l.mustProve(t, lengthen(12, 30)), merkle.ErrStale},
		{"older end", l.mustProve(t, lengthen(12, 20)), merkle.ErrStale},
		{"later start", l.mustProve(t, lengthen(25, 30)), merkle.ErrInvalidOperation},
		{"forged signature", forged, merkle.ErrInvalidSignature},
		{"other block", wrong, merkle.ErrInvalidChecksum},
		{"short path", short, merkle.ErrInvalidOperation},
		{"empty upgrade", &merkle.Proof{Upgrade: &merkle.UpgradeProof{Start: 20}}, merkle.ErrInvalidOperation},
		{"hash without nodes", &merkle.Proof{Hash: &merkle.HashProof{Index: 4}}, merkle.ErrInvalidOperation},
	} {
		_, err := merkle.Check(r, &r.tree, r.auth, c.p)
		if !errors.Is(err, c.want) || !errors.Is(err, merkle.ErrInvalidProof) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := merkle.Check(r, &r.tree, nil, l.mustProve(t, lengthen(20, 30))); !errors.Is(err, merkle.ErrInvalidSignature) {
		t.Errorf("nobody to sign: %v", err)
	}
	if _, err := merkle.Check(failing{}, &r.tree, r.auth, short); !errors.Is(err, errDisk) || errors.Is(err, merkle.ErrInvalidProof) {
		t.Errorf("failing store: %v", err)
	}
	v, err := merkle.Check(r, &r.tree, r.auth, &merkle.Proof{Fork: 1, Block: wrong.Block})
	if err != nil || !v.Ignored || v.Upgraded || len(v.Nodes) > 0 || v.Block != nil || v.Tree.Length != 20 {
		t.Errorf("other fork: %+v, %v", v, err)
	}
}

// A stale upgrade does not make the block beside it worthless.
func TestCheckStale(t *testing.T) {
	blocks := testBlocks(seeded(t), 20)
	l := newLog(newSigner(), 0, blocks[:12])
	r := newReader(l.signer)
	for range 2 {
		if _, err := r.apply(l.mustProve(t, lengthen(r.tree.Length, l.tree.Length))); err != nil {
			t.Fatal(err)
		}
		if l.tree.Length < 20 {
			l.append(blocks[12:])
		}
	}
	q := lengthen(12, 20)
	q.Block = &merkle.BlockRequest{Index: 19}
	p := l.mustProve(t, q)
	if _, err := r.apply(p); !errors.Is(err, merkle.ErrStale) {
		t.Fatal(err)
	}
	p.Upgrade = nil
	if _, err := r.apply(p); err != nil || !r.blocks[19] {
		t.Fatal(err)
	}
}

func TestPrologue(t *testing.T) {
	blocks := testBlocks(seeded(t), 20)
	l := newLog(newSigner(), 0, blocks)
	start, err := merkle.TreeAt(l, &l.tree, 9)
	if err != nil {
		t.Fatal(err)
	}
	l.prologue = &merkle.Prologue{Hash: start.Hash(), Length: 9}
	p := l.mustProve(t, lengthen(0, 4))
	if p.Upgrade.Start != 0 || p.Upgrade.Length != 9 {
		t.Fatalf("prover answers with %d+%d, not the prologue", p.Upgrade.Start, p.Upgrade.Length)
	}
	if _, err := newReader(l.signer).apply(p); err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(blocks)
	other[2] = []byte("another beginning")
	forged := newLog(l.signer, 0, other)
	if _, err := newReader(l.signer).apply(forged.mustProve(t, lengthen(0, 9))); !errors.Is(err, merkle.ErrInvalidProof) {
		t.Errorf("another prologue: %v", err)
	}
	plain := *l
	plain.signer = &signer{key: l.key}
	if _, err := newReader(l.signer).apply(plain.mustProve(t, lengthen(0, 12))); !errors.Is(err, merkle.ErrInvalidOperation) {
		t.Errorf("upgrade over the end of the prologue: %v", err)
	}
}

// lie returns a proof of node 4 with one byte moved from its size to that of its sibling.
func lie(t *testing.T, l *log) *merkle.Proof {
	p := l.mustProve(t, &merkle.Request{Hash: &merkle.HashRequest{Index: 4, Nodes: merkle.MaxMissingNodes(4, l.tree.Length)}})
	p.Hash.Nodes[0].Size--
	p.Hash.Nodes[1].Size++
	return p
}

// Sizes that nothing proves are marked, not believed, do not keep the truth out, and are put right by it.
func TestUnsureSizes(t *testing.T) {
	l := newLog(newSigner(), 0, [][]byte{{1}, {2, 2}, {3, 3, 3}, {4, 4, 4, 4}, {5}, {6, 6}, {7, 7}, {8}})
	fresh := func() *reader {
		r := newReader(l.signer)
		if _, err := r.apply(l.mustProve(t, lengthen(0, 8))); err != nil {
			t.Fatal(err)
		}
		if _, err := r.apply(lie(t, l)); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := fresh()
	if !r.nodes[4].Unsure || !r.nodes[6].Unsure || r.nodes[1].Unsure || r.nodes[5].Unsure || r.nodes[11].Unsure {
		t.Fatalf("marks: %v", r.nodes)
	}
	if offset, err := merkle.ByteOffset(r, &r.tree, 3); !errors.Is(err, merkle.ErrUnsureSize) || offset != 5 {
		t.Errorf("offset %d, %v", offset, err)
	}
	if _, _, err := merkle.ByteRange(r, &r.tree, 2); !errors.Is(err, merkle.ErrUnsureSize) {
		t.Errorf("range: %v", err)
	}
	if block, offset, err := merkle.Seek(r, &r.tree, 5, 0); !errors.Is(err, merkle.ErrUnsureSize) || block != 3 || offset != 0 {
		t.Errorf("seek: %d, %d, %v", block, offset, err)
	}
	for _, test := range []struct {
		name  string
		truth *merkle.Request
	}{
		{"the block", &merkle.Request{Block: &merkle.BlockRequest{Index: 2}}},
		{"its neighbour", &merkle.Request{Block: &merkle.BlockRequest{Index: 3}}},
		{"with a longer path", &merkle.Request{Block: &merkle.BlockRequest{Index: 3, Nodes: 2}}},
	} {
		r := fresh()
		if _, err := r.apply(l.mustProve(t, test.truth)); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if r.nodes[4] != l.nodes[4] || r.nodes[6] != l.nodes[6] {
			t.Fatalf("%s: %v and %v", test.name, r.nodes[4], r.nodes[6])
		}
		if block, offset, err := merkle.Seek(r, &r.tree, 5, 0); err != nil || block != 2 || offset != 2 {
			t.Errorf("%s: seek: %d, %d, %v", test.name, block, offset, err)
		}
		if _, err := r.apply(lie(t, l)); !errors.Is(err, merkle.ErrInvalidChecksum) {
			t.Errorf("%s: the lie again: %v", test.name, err)
		}
		honest := lie(t, l)
		honest.Hash.Nodes[0].Size++
		honest.Hash.Nodes[1].Size--
		if _, err := r.apply(honest); err != nil || r.nodes[4].Unsure || r.nodes[6].Unsure {
			t.Errorf("%s: the truth again: %v, %v", test.name, r.nodes[4], err)
		}
	}
}

// Who holds sizes that may be wrong does not build proofs on them, for which it would be blamed.
func TestUnsureSizesAreNotServed(t *testing.T) {
	l := newLog(newSigner(), 0, testBlocks(seeded(t), 8))
	r := newReader(l.signer)
	if _, err := r.apply(l.mustProve(t, lengthen(0, 8))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.apply(lie(t, l)); err != nil {
		t.Fatal(err)
	}
	other := newReader(l.signer)
	q := lengthen(0, 8)
	q.Hash = &merkle.HashRequest{Index: 4}
	p, err := merkle.Prove(r, &r.tree, nil, q)
	if err != nil {
		t.Fatal(err)
	}
	p.Upgrade.Signature = l.sign(&l.tree)
	if _, err := other.apply(p); err != nil || !other.nodes[4].Unsure {
		t.Errorf("the pair itself: %v", err)
	}
	for name, q := range map[string]*merkle.Request{
		"alone in an upgrade": lengthen(3, 8),
		"alone":               {Hash: &merkle.HashRequest{Index: 4}},
		"beside a block":      {Block: &merkle.BlockRequest{Index: 2, Nodes: 1}},
	} {
		if _, err := merkle.Prove(r, &r.tree, nil, q); !errors.Is(err, merkle.ErrUnsureSize) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A node alone, of which only the hash can be compared, changes nothing.
func TestLoneNode(t *testing.T) {
	l := newLog(newSigner(), 0, testBlocks(seeded(t), 8))
	r := newReader(l.signer)
	if _, err := r.apply(l.mustProve(t, lengthen(0, 8))); err != nil {
		t.Fatal(err)
	}
	p := l.mustProve(t, &merkle.Request{Hash: &merkle.HashRequest{Index: 7}})
	if v, err := merkle.Check(r, &r.tree, nil, p); err != nil || len(v.Nodes) > 0 {
		t.Errorf("root again: %v, %v", v, err)
	}
	p.Hash.Nodes[0].Size++
	if _, err := merkle.Check(r, &r.tree, nil, p); !errors.Is(err, merkle.ErrInvalidChecksum) {
		t.Errorf("root with another size: %v", err)
	}
}

func TestProveErrors(t *testing.T) {
	l := newLog(newSigner(), 2, testBlocks(seeded(t), 13))
	sparse := newMemory()
	sparse.put(l.tree.Roots)
	for _, c := range []struct {
		name string
		q    *merkle.Request
		want error
	}{
		{"other fork", &merkle.Request{}, merkle.ErrWrongFork},
		{"past the end", &merkle.Request{Fork: 2, Upgrade: &merkle.UpgradeRequest{Start: 5, Length: 9}}, merkle.ErrInvalidUpgrade},
		{"empty", &merkle.Request{Fork: 2, Upgrade: &merkle.UpgradeRequest{Start: 5}}, merkle.ErrInvalidUpgrade},
		{"huge", &merkle.Request{Fork: 2, Upgrade: &merkle.UpgradeRequest{Start: 1<<64 - 1, Length: 2}}, merkle.ErrInvalidUpgrade},
		{"block past the end", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 13}}, merkle.ErrOutOfBounds},
		{"huge block", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 1 << 63}}, merkle.ErrOutOfBounds},
		{"node past the end", &merkle.Request{Fork: 2, Hash: &merkle.HashRequest{Index: 15}}, merkle.ErrOutOfBounds},
		{"path too long", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 3, Nodes: 4}}, merkle.ErrOutOfBounds},
		{"endless path", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 3, Nodes: 1 << 60}}, merkle.ErrOutOfBounds},
		{"node over the upgrade's start", &merkle.Request{Fork: 2, Hash: &merkle.HashRequest{Index: 7}, Upgrade: &merkle.UpgradeRequest{Start: 5, Length: 8}}, merkle.ErrOutOfBounds},
		{"seek in the upgrade", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 9}, Seek: &merkle.SeekRequest{Bytes: 3}, Upgrade: &merkle.UpgradeRequest{Start: 5, Length: 8}}, merkle.ErrInvalidRequest},
		{"seek elsewhere", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 9, Nodes: 1}, Seek: &merkle.SeekRequest{Bytes: 1}}, merkle.ErrInvalidRequest},
		{"huge padding", &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 1, Nodes: 3}, Seek: &merkle.SeekRequest{Bytes: 1, Padding: 1 << 62}}, merkle.ErrInvalidRequest},
	} {
		if _, err := merkle.Prove(l, &l.tree, nil, c.q); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	block := &merkle.Request{Fork: 2, Block: &merkle.BlockRequest{Index: 3, Nodes: 2}}
	if _, err := merkle.Prove(sparse, &l.tree, nil, block); !errors.Is(err, merkle.ErrMissingNode) {
		t.Errorf("sparse: %v", err)
	}
	if _, err := merkle.Prove(failing{}, &l.tree, nil, block); !errors.Is(err, errDisk) {
		t.Errorf("failing: %v", err)
	}
	empty := merkle.Tree{Fork: 2}
	p, err := merkle.Prove(l, &empty, nil, lengthenFork(2, 0, 4))
	if err != nil || p.Upgrade != nil || p.Block != nil {
		t.Errorf("empty prover: %+v, %v", p, err)
	}
}

func lengthenFork(fork, start, length uint64) *merkle.Request {
	q := lengthen(start, length)
	q.Fork = fork
	return q
}

// An answer without a seek is one read of the store; so is a block's check, and none when the path ends at a root.
func TestReads(t *testing.T) {
	l := newLog(newSigner(), 0, testBlocks(seeded(t), 64))
	r := newReader(l.signer)
	q := lengthen(0, 50)
	q.Block = &merkle.BlockRequest{Index: 7}
	l.reads = 0
	if _, err := r.apply(l.mustProve(t, q)); err != nil || l.reads != 1 {
		t.Errorf("proving took %d reads, %v", l.reads, err)
	}
	r.reads = 0
	far := l.mustProve(t, &merkle.Request{Block: &merkle.BlockRequest{Index: 40, Nodes: 6}})
	if _, err := r.apply(far); err != nil || r.reads != 0 {
		t.Errorf("checking up to a root took %d reads, %v", r.reads, err)
	}
	near := l.mustProve(t, &merkle.Request{Block: &merkle.BlockRequest{Index: 42, Nodes: 1}})
	if _, err := r.apply(near); err != nil || r.reads != 1 {
		t.Errorf("checking up to a node took %d reads, %v", r.reads, err)
	}
}
