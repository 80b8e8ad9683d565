package manifest_test

import (
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
)

// The usual core has one signer. Its key follows from the manifest.
func ExampleSingle() {
	pair := keys.PairFromSeed(keys.Seed{})
	m := manifest.Single(pair.Public)
	fmt.Println(len(m.Encode()), "bytes")
	fmt.Println(m.Key())
	// Output:
	// 70 bytes
	// m839y6n7mx6sooy6rk17khnok6wjtn54zfc9sumcy6akwfb6rm3y
}

// A writer signs the tree of what was appended; a reader who has the key checks the manifest, then the tree.
func ExampleNewAuthority() {
	pair := keys.PairFromSeed(keys.Seed{1})
	m := manifest.Single(pair.Public)
	batch := merkle.NewBatch(merkle.Tree{})
	batch.AppendBlocks([][]byte{[]byte("hello"), []byte("world")})

	writer, err := manifest.NewAuthority(m.Key(), m, manifest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	signature, err := writer.Sign(pair, &batch.Tree)
	if err != nil {
		fmt.Println(err)
		return
	}

	received, err := manifest.Decode(m.Encode())
	if err != nil {
		fmt.Println(err)
		return
	}
	reader, err := manifest.NewAuthority(writer.Key(), received, manifest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reader.VerifyTree(&batch.Tree, signature))
	batch.AppendBlocks([][]byte{[]byte("!")})
	fmt.Println(reader.VerifyTree(&batch.Tree, signature))
	// Output:
	// <nil>
	// signer 0, tree of 3 blocks at fork 0: tree is not signed by the core's signers
}

// Two of three signers must agree.
func ExampleAuthority_Assemble() {
	var signers []manifest.Signer
	var pairs []keys.Pair
	for i := range 3 {
		pairs = append(pairs, keys.PairFromSeed(keys.Seed{byte(i)}))
		signers = append(signers, manifest.Signer{PublicKey: pairs[i].Public})
	}
	m, err := manifest.New(manifest.Config{Signers: signers})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := manifest.NewAuthority(m.Key(), m, manifest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	batch := merkle.NewBatch(merkle.Tree{})
	batch.AppendBlocks([][]byte{[]byte("agreed")})
	var parts []manifest.Part
	for _, p := range pairs[1:] {
		part, err := a.SignPart(p, &batch.Tree)
		if err != nil {
			fmt.Println(err)
			return
		}
		parts = append(parts, part)
	}
	signature, err := a.Assemble(&batch.Tree, parts, nil)
	fmt.Println(m.Quorum, "of", len(m.Signers), "signed", a.VerifyTree(&batch.Tree, signature) == nil, err)
	// Output: 2 of 3 signed true <nil>
}
