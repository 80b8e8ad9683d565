package merkle_test

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// branches returns two histories of one writer that part after three blocks.
func branches(t testing.TB) (ours, theirs *log) {
	ours = newLog(newSigner(), 0, testBlocks(seeded(t), 8))
	return ours, forked(t, ours, 3, 0, testBlocks(seeded(t), 9))
}

func open(auth merkle.Authority) func([32]byte, []byte) (merkle.Authority, error) {
	return func(key [32]byte, manifest []byte) (merkle.Authority, error) {
		if key != [32]byte{7} || string(manifest) != "manifest" {
			return nil, errors.New("another core")
		}
		return auth, nil
	}
}

func TestConflict(t *testing.T) {
	ours, theirs := branches(t)
	for length := uint64(1); length <= 8; length++ {
		p := theirs.mustProve(t, lengthen(0, length))
		found, err := merkle.CheckConflict(ours, &ours.tree, ours.sign(&ours.tree), ours.signer, p)
		if err != nil || (found != nil) != (length > 3) {
			t.Fatalf("length %d: %v, %v", length, found, err)
		}
		if found == nil {
			continue
		}
		c := &merkle.ConflictProof{Key: [32]byte{7}, Manifest: []byte("manifest"), A: found.Own, B: found.Remote}
		if err := c.Verify(open(ours.signer)); err != nil {
			t.Errorf("length %d: %v", length, err)
		}
	}
	sparse := newMemory()
	sparse.put(ours.tree.Roots)
	if _, err := merkle.CheckConflict(sparse, &ours.tree, nil, ours.signer, theirs.mustProve(t, lengthen(0, 5))); !errors.Is(err, merkle.ErrMissingNode) {
		t.Errorf("sparse: %v", err)
	}
	longer := theirs.mustProve(t, lengthen(0, 12))
	if _, err := merkle.CheckConflict(ours, &ours.tree, nil, ours.signer, longer); !errors.Is(err, merkle.ErrInvalidOperation) {
		t.Errorf("longer than ours: %v", err)
	}
}

// A size moved between a root and the additional node that it is joined to changes the tree hash of the beginning, while
// the signature still holds. It must not make an honest writer guilty.
func TestConflictNotForged(t *testing.T) {
	l := newLog(newSigner(), 0, testBlocks(seeded(t), 8))
	honest, forged := l.mustProve(t, lengthen(0, 5)), l.mustProve(t, lengthen(0, 5))
	root, next := &forged.Upgrade.Nodes[1], &forged.Upgrade.Additional[0]
	if root.Index != 8 || next.Index != 10 {
		t.Fatalf("nodes %d and %d", root.Index, next.Index)
	}
	root.Size, next.Size = root.Size+1, next.Size-1
	if _, err := merkle.CheckRemote(l.signer, forged); err != nil {
		t.Fatalf("the forgery is meant to pass: %v", err)
	}
	if found, err := merkle.CheckConflict(l, &l.tree, nil, l.signer, forged); found != nil || err != nil {
		t.Errorf("conflict %v, %v", found, err)
	}
	c := &merkle.ConflictProof{Key: [32]byte{7}, Manifest: []byte("manifest"), A: honest, B: forged}
	if err := c.Verify(open(l.signer)); !errors.Is(err, merkle.ErrNoConflict) {
		t.Errorf("portable: %v", err)
	}
}

func TestConflictProofRefusals(t *testing.T) {
	ours, theirs := branches(t)
	a, b := ours.mustProve(t, lengthen(0, 8)), theirs.mustProve(t, lengthen(0, 8))
	proof := func() *merkle.ConflictProof {
		x, y := *a, *b
		return &merkle.ConflictProof{Key: [32]byte{7}, Manifest: []byte("manifest"), A: &x, B: &y}
	}
	for _, test := range []struct {
		name string
		edit func(*merkle.ConflictProof)
		want error
	}{
		{"none", func(c *merkle.ConflictProof) {}, nil},
		{"manifest repeated", func(c *merkle.ConflictProof) { c.A.Manifest = []byte("manifest") }, nil},
		{"other manifest inside", func(c *merkle.ConflictProof) { c.A.Manifest = []byte("other") }, merkle.ErrInvalidProof},
		{"other manifest", func(c *merkle.ConflictProof) { c.Manifest = []byte("other") }, merkle.ErrInvalidProof},
		{"other key", func(c *merkle.ConflictProof) { c.Key[0]++ }, merkle.ErrInvalidProof},
		{"no upgrade", func(c *merkle.ConflictProof) { c.B.Upgrade = nil }, merkle.ErrInvalidProof},
		{"same twice", func(c *merkle.ConflictProof) { c.B = c.A }, merkle.ErrNoConflict},
		{"other length", func(c *merkle.ConflictProof) { c.B = theirs.mustProve(t, lengthen(0, 7)) }, merkle.ErrNoConflict},
		{"other fork", func(c *merkle.ConflictProof) { c.B.Fork++ }, merkle.ErrNoConflict},
		{"other signature", func(c *merkle.ConflictProof) {
			u := *c.B.Upgrade
			u.Signature = a.Upgrade.Signature
			c.B.Upgrade = &u
		}, merkle.ErrInvalidSignature},
	} {
		c := proof()
		test.edit(c)
		if err := c.Verify(open(ours.signer)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	encoded := merkle.AppendConflictProof(nil, proof())
	for name, b := range map[string][]byte{"short": encoded[:len(encoded)-1], "long": append(encoded, 0), "version": append([]byte{2}, encoded[1:]...)} {
		if _, err := merkle.DecodeConflictProof(b); !errors.Is(err, merkle.ErrInvalidProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
