package merkle_test

import (
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
)

// A writer hashes blocks in batches and signs the tree; a reader follows it with one request and one answer.
func Example() {
	// The writer.
	key := newSigner()
	store := newMemory()
	batch := merkle.NewBatch(merkle.Tree{})
	batch.AppendBlocks([][]byte{[]byte("one"), []byte("two"), []byte("three")})
	store.put(batch.Nodes)
	signature := key.sign(&batch.Tree)

	// The reader has nothing: it asks for the whole length, and for the second block on the way.
	var mine merkle.Tree
	request := &merkle.Request{
		ID:      1,
		Upgrade: &merkle.UpgradeRequest{Start: mine.Length, Length: 3},
		Block:   &merkle.BlockRequest{Index: 1},
	}

	// The writer answers.
	proof, err := merkle.Prove(store, &batch.Tree, nil, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	proof.Block.Value = []byte("two")
	proof.Upgrade.Signature = signature
	message := merkle.AppendProof(nil, proof)

	// The reader checks the answer, then stores what it proves.
	proof, err = merkle.DecodeProof(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	verified, err := merkle.Check(newMemory(), &mine, key, proof)
	if err != nil {
		fmt.Println(err)
		return
	}
	mine = verified.Tree
	fmt.Printf("%d blocks, %d bytes, block %d is %q, %d nodes to store\n",
		mine.Length, mine.ByteLength, verified.Block.Index, verified.Block.Value, len(verified.Nodes))
	// Output: 3 blocks, 11 bytes, block 1 is "two", 4 nodes to store
}

func ExampleSeek() {
	store := newMemory()
	batch := merkle.NewBatch(merkle.Tree{})
	batch.AppendBlocks([][]byte{[]byte("one"), []byte("two"), []byte("three")})
	store.put(batch.Nodes)

	block, offset, err := merkle.Seek(store, &batch.Tree, 8, 0)
	fmt.Println(block, offset, err)
	// Output: 2 2 <nil>
}

func ExampleMissingNodes() {
	store := newMemory()
	batch := merkle.NewBatch(merkle.Tree{})
	batch.AppendBlocks([][]byte{{1}, {2}, {3}, {4}})
	store.put(batch.Roots) // a sparse reader knows the roots alone

	levels, err := merkle.MissingNodes(store, 2*1, batch.Length)
	fmt.Println(levels, err)
	// Output: 2 <nil>
}
