package core

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

// jsonNode is a node of the golden data.
type jsonNode struct {
	Index, Size uint64
	Hash        vectors.Hex
}

func (n jsonNode) node(t testing.TB) merkle.Node {
	return merkle.Node{Index: n.Index, Size: n.Size, Hash: merkle.Hash(n.Hash.Array32(t))}
}

// jsonTree is the tree of the first blocks.
type jsonTree struct {
	Length, ByteLength uint64
	TreeHash           string
	Signature          vectors.Hex
	Compat             struct{ Key, Signature vectors.Hex }
	StoredNodes        []jsonNode
}

// merkleVectors is the part of merkle.json that a core can reproduce.
type merkleVectors struct {
	SignerSeed, Key, Manifest vectors.Hex
	Blocks                    []vectors.Hex
	Trees                     []jsonTree
	Offsets                   struct {
		Length, ByteLength uint64
		Blocks             []*uint64
		Seeks              []jsonSeek
	}
	PaddedSeeks struct {
		Padding uint64
		Blocks  []vectors.Hex
		Seeks   []jsonSeek
	}
	Truncation []struct {
		Op struct {
			Append         string
			Truncate, Fork *uint64
		}
		Length, Fork, ByteLength uint64
		TreeHash                 string
		Signature                vectors.Hex
		StoredNodes              []uint64
	}
}

func loadMerkle(t *testing.T) *merkleVectors {
	var v merkleVectors
	vectors.Load(t, "merkle.json", &v)
	return &v
}

// rangeOf reads "a..b".
func rangeOf(t *testing.T, s string) (r Range) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "%d..%d", &r.Start, &r.End); err != nil {
		t.Fatalf("golden data: %q: %v", s, err)
	}
	return r
}

// forkRequest asks for the whole tree of a later fork.
func forkRequest(h Head) *merkle.Request {
	return &merkle.Request{ID: 1, Fork: h.Fork, Manifest: true, Upgrade: &merkle.UpgradeRequest{Length: h.Length}}
}

func TestVectorsTrees(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "trees", v.Trees)
	seed := keys.Seed(v.SignerSeed.Array32(t))
	w := openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: keys.PairFromSeed(seed), Derived: true})
	old := openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: keys.PairFromSeed(seed), Derived: true, Compat: true})
	if k := w.Key(); !bytes.Equal(k[:], v.Key) || !bytes.Equal(w.Manifest().Encode(), v.Manifest) {
		t.Fatalf("key %x, want %v", k, v.Key)
	}
	slices.SortFunc(v.Trees, func(a, b jsonTree) int { return cmp.Compare(a.Length, b.Length) })
	for _, c := range v.Trees {
		h := w.Head().Length
		mustAppend(t, w, bytesOf(v.Blocks[h:c.Length])...)
		mustAppend(t, old, bytesOf(v.Blocks[h:c.Length])...)
		for _, x := range []*Core{w, old} {
			if want := (Head{Length: c.Length, ByteLength: c.ByteLength}); x.Head() != want || x.TreeHash().String() != c.TreeHash {
				t.Fatalf("%v, %v, want %v, %s", x.Head(), x.TreeHash(), want, c.TreeHash)
			}
		}
		if k := old.Key(); !bytes.Equal(w.Signature(), c.Signature) || !bytes.Equal(old.Signature(), c.Compat.Signature) || !bytes.Equal(k[:], c.Compat.Key) {
			t.Fatalf("length %d: signatures %x, %x", c.Length, w.Signature(), old.Signature())
		}
		if c.StoredNodes != nil {
			checkNodes(t, w, c.StoredNodes, c.Length)
		}
	}
}

func TestVectorsTruncation(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "truncation", v.Truncation)
	pair := keys.PairFromSeed(keys.Seed(v.SignerSeed.Array32(t)))
	db := memoryDB(t, datastore.Options{})
	w := openCore(t, db, Options{Pair: pair, Derived: true})
	for i, c := range v.Truncation {
		switch {
		case c.Op.Append != "":
			mustAppend(t, w, bytesOf(v.Blocks[rangeOf(t, c.Op.Append).Start:rangeOf(t, c.Op.Append).End])...)
		case c.Op.Truncate != nil && c.Op.Fork != nil:
			if err := w.TruncateTo(t.Context(), *c.Op.Truncate, *c.Op.Fork); err != nil {
				t.Fatal(err)
			}
		case c.Op.Truncate != nil:
			if err := w.Truncate(t.Context(), *c.Op.Truncate); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal("golden data: an unknown operation")
		}
		if i%2 == 1 {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = openCore(t, db, Options{Pair: pair, Derived: true})
		}
		if want := (Head{c.Fork, c.Length, c.ByteLength}); w.Head() != want || w.TreeHash().String() != c.TreeHash || !bytes.Equal(w.Signature(), c.Signature) {
			t.Fatalf("step %d: %v, %v, %x, want %+v", i, w.Head(), w.TreeHash(), w.Signature(), c)
		}
		checkIndexes(t, w, c.StoredNodes, c.Length)
		mustVerify(t, w)
	}
}

// checkNodes compares the stored nodes with the golden ones.
func checkNodes(t *testing.T, c *Core, want []jsonNode, length uint64) {
	t.Helper()
	var indexes []uint64
	got := storedNodes(t, c)
	for i, n := range want {
		indexes = append(indexes, n.Index)
		if i < len(got) && got[i] != n.node(t) {
			t.Fatalf("length %d: node %+v is stored, want %+v", length, got[i], n)
		}
	}
	checkIndexes(t, c, indexes, length)
}

// checkIndexes compares the indexes of the stored nodes with the golden ones, of which those that are not complete do not
// count.
func checkIndexes(t *testing.T, c *Core, want []uint64, length uint64) {
	t.Helper()
	want = slices.DeleteFunc(want, func(index uint64) bool { return !merkle.Complete(index, length) })
	var got []uint64
	for _, n := range storedNodes(t, c) {
		got = append(got, n.Index)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("length %d: nodes %v are stored, want %v", length, got, want)
	}
}

func TestVectorsOffsets(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "seeks", v.Offsets.Seeks)
	w := newWriter(t, 1, bytesOf(v.Blocks[:v.Offsets.Length])...)
	if w.Head().ByteLength != v.Offsets.ByteLength {
		t.Fatalf("%v, want %d bytes", w.Head(), v.Offsets.ByteLength)
	}
	sum := uint64(0)
	for i := range v.Offsets.Length + 1 {
		got, err := w.Offset(t.Context(), i)
		if err != nil || got != sum {
			t.Errorf("offset of %d: %d, %v, want %d", i, got, err, sum)
		}
		if i < uint64(len(v.Offsets.Blocks)) && v.Offsets.Blocks[i] != nil && got != *v.Offsets.Blocks[i] {
			t.Errorf("offset of %d: %d, golden %d", i, got, *v.Offsets.Blocks[i])
		}
		if i < v.Offsets.Length {
			sum += uint64(len(v.Blocks[i]))
		}
	}
	checkSeeks(t, w, v.Offsets.Seeks)
}

func TestVectorsPaddedSeeks(t *testing.T) {
	v := loadMerkle(t)
	notEmpty(t, "paddedSeeks", v.PaddedSeeks.Seeks)
	if v.PaddedSeeks.Padding != padding {
		t.Fatalf("golden data: padding of %d", v.PaddedSeeks.Padding)
	}
	// The golden blocks are as they are stored: they go in as they are, and the positions are those of an encrypted core.
	w := newWriter(t, 1, bytesOf(v.PaddedSeeks.Blocks)...)
	r, err := w.Session(Options{Encryption: Encryption{Key: [32]byte{1}}, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	checkSeeks(t, r, v.PaddedSeeks.Seeks)
}
