package merkle

import (
	"encoding/binary"
	"encoding/hex"

	"golang.org/x/crypto/blake2b"

	"github.com/hypernode/hypernode/internal/blake2x"
)

// What is hashed starts with a byte that tells leaf, parent and tree apart.
const (
	leafType   = 0
	parentType = 1
	treeType   = 2
)

const (
	leafHead    = 1 + 8           // type, size
	parentBytes = 1 + 8 + 32 + 32 // type, size, both hashes
	rootBytes   = 32 + 8 + 8      // hash, index, size of each root in a tree hash
)

// Hash is an unkeyed BLAKE2b-256.
type Hash [32]byte

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// LeafHash returns the hash of a block: of 00, the size (8 bytes, little-endian) and the data.
func LeafHash(data []byte) Hash {
	var head [leafHead]byte
	var out [1][32]byte
	blake2x.Sum256(out[:], []blake2x.Message{leafMessage(&head, data)})
	return out[0]
}

func leafMessage(head *[leafHead]byte, data []byte) blake2x.Message {
	head[0] = leafType
	binary.LittleEndian.PutUint64(head[1:], uint64(len(data)))
	return blake2x.Message{Head: head[:], Data: data}
}

// ParentHash returns the hash of the parent of two siblings, given in either order: of 01, the sum of the sizes (8 bytes,
// little-endian), the hash of the left and that of the right one.
func ParentHash(a, b Node) Hash {
	var in [parentBytes]byte
	parentPreimage(&in, &a, &b)
	return blake2b.Sum256(in[:])
}

func parentPreimage(in *[parentBytes]byte, a, b *Node) {
	if a.Index > b.Index {
		a, b = b, a
	}
	in[0] = parentType
	binary.LittleEndian.PutUint64(in[1:], a.Size+b.Size)
	copy(in[9:], a.Hash[:])
	copy(in[41:], b.Hash[:])
}

// treeHash returns the hash of roots: of 02 and, for each from left to right, its hash, its index and its size (8 bytes,
// little-endian, each).
func treeHash(roots []Node) Hash {
	var room [1 + rootBytes*16]byte // trees of more roots are rare
	in := append(room[:0], treeType)
	for i := range roots {
		in = append(in, roots[i].Hash[:]...)
		in = binary.LittleEndian.AppendUint64(in, roots[i].Index)
		in = binary.LittleEndian.AppendUint64(in, roots[i].Size)
	}
	return blake2b.Sum256(in)
}

// lanes is how many messages are handed over at a time when there are many.
const lanes = 64

// hashLeaves sets dst[i] to the leaf of blocks[i], the first having block index start.
func hashLeaves(dst []Node, start uint64, blocks [][]byte) {
	var heads [lanes][leafHead]byte
	var in [lanes]blake2x.Message
	var out [lanes][32]byte
	for len(blocks) > 0 {
		n := min(len(blocks), lanes)
		for i, data := range blocks[:n] {
			in[i] = leafMessage(&heads[i], data)
		}
		blake2x.Sum256(out[:n], in[:n])
		for i, data := range blocks[:n] {
			dst[i] = Node{Index: 2 * (start + uint64(i)), Size: uint64(len(data)), Hash: out[i]}
		}
		dst, blocks, start = dst[n:], blocks[n:], start+uint64(n)
	}
}

// hashParents sets dst[i] to the parent of the siblings row[2i] and row[2i+1].
func hashParents(dst, row []Node) {
	var preimages [lanes][parentBytes]byte
	var in [lanes]blake2x.Message
	var out [lanes][32]byte
	for len(dst) > 0 {
		n := min(len(dst), lanes)
		for i := range n {
			parentPreimage(&preimages[i], &row[2*i], &row[2*i+1])
			in[i].Head = preimages[i][:]
		}
		blake2x.Sum256(out[:n], in[:n])
		for i := range n {
			l, r := &row[2*i], &row[2*i+1]
			dst[i] = Node{Index: ParentIndex(l.Index), Size: l.Size + r.Size, Hash: out[i]}
		}
		dst, row = dst[n:], row[2*n:]
	}
}
