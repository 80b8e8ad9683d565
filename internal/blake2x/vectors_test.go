package blake2x

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/internal/vectors"
)

// golden is the part of the golden data that hashes with BLAKE2b-256: leaves and parents of the Merkle tree.
type golden struct {
	LeafHash []struct {
		Data, Hash vectors.Hex
	} `json:"leafHash"`
	ParentHash []struct {
		Left, Right                treeNode
		Hash, HashArgumentsSwapped vectors.Hex
	} `json:"parentHash"`
}

type treeNode struct {
	Index, Size uint64
	Hash        vectors.Hex
}

func load(t testing.TB) golden {
	t.Helper()
	var g golden
	vectors.Load(t, "crypto.json", &g)
	if len(g.LeafHash) == 0 || len(g.ParentHash) == 0 {
		t.Fatal("golden data: no leaves or no parents")
	}
	return g
}

// head returns a type byte and a length, as every node's hash begins.
func head(kind byte, size uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{kind}, size)
}

// leaves returns the messages of the golden leaves: 0, length, data.
func leaves(t testing.TB, g golden) (in []Message, want [][Size]byte) {
	for _, c := range g.LeafHash {
		in = append(in, Message{Head: head(0, uint64(len(c.Data))), Data: c.Data})
		want = append(want, c.Hash.Array32(t))
	}
	return in, want
}

// parents returns the messages of the golden parents: 1, sum of the sizes, hash of the child with the lower index, hash of the
// other; each one cut into head and data in three ways.
func parents(t testing.TB, g golden) (in []Message, want [][Size]byte) {
	for _, c := range g.ParentHash {
		l, r := c.Left, c.Right
		if l.Index > r.Index {
			l, r = r, l
		}
		whole := slices.Concat(head(1, l.Size+r.Size), l.Hash, r.Hash)
		for _, cut := range []int{9, 41, 73} {
			in = append(in, Message{Head: whole[:cut], Data: whole[cut:]})
			want = append(want, c.Hash.Array32(t))
		}
	}
	return in, want
}

func TestVectorsLeafHash(t *testing.T) {
	in, want := leaves(t, load(t))
	checkTogetherAndAlone(t, want, in)
}

func TestVectorsParentHash(t *testing.T) {
	g := load(t)
	in, want := parents(t, g)
	checkTogetherAndAlone(t, want, in)
	for i, c := range g.ParentHash {
		if !slices.Equal(c.Hash, c.HashArgumentsSwapped) {
			t.Errorf("parent %d: the order of the arguments counts", i)
		}
	}
}

// checkTogetherAndAlone hashes all cases in one batch and every case in a batch with itself, in all lanes.
func checkTogetherAndAlone(t *testing.T, want [][Size]byte, in []Message) {
	t.Helper()
	check(t, want, in)
	for i := range in {
		check(t, slices.Repeat(want[i:i+1], 8), slices.Repeat(in[i:i+1], 8))
	}
}
