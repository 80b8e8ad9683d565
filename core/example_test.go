package core_test

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// open makes a core in a store in memory. A store on disk is opened with package datastore/pebble.
func open(o core.Options) (*core.Core, func()) {
	db := datastore.NewMemory(datastore.Options{})
	c, err := core.Open(context.Background(), db, o)
	if err != nil {
		panic(err)
	}
	return c, func() {
		if err := c.Close(); err != nil {
			panic(err)
		}
		if err := db.Close(); err != nil {
			panic(err)
		}
	}
}

func Example() {
	ctx := context.Background()
	log, done := open(core.Options{Pair: keys.PairFromSeed(keys.Seed{1})})
	defer done()

	first, err := log.Append(ctx, []byte("hello"), []byte("world"))
	if err != nil {
		panic(err)
	}
	block, err := log.Get(ctx, first+1)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s, %v\n", block, log.Head())
	// Output: world, fork 0, 2 blocks, 10 bytes
}

func ExampleCore_Blocks() {
	ctx := context.Background()
	log, done := open(core.Options{Pair: keys.PairFromSeed(keys.Seed{1})})
	defer done()
	if _, err := log.Append(ctx, []byte("a"), []byte("b"), []byte("c")); err != nil {
		panic(err)
	}

	for block, err := range log.Blocks(ctx, 1, log.Head().Length) {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\n", block)
	}
	// Output:
	// b
	// c
}

func ExampleCore_Snapshot() {
	ctx := context.Background()
	log, done := open(core.Options{Pair: keys.PairFromSeed(keys.Seed{1})})
	defer done()
	if _, err := log.Append(ctx, []byte("a")); err != nil {
		panic(err)
	}

	old, err := log.Snapshot()
	if err != nil {
		panic(err)
	}
	defer old.Close()
	if _, err := log.Append(ctx, []byte("b")); err != nil {
		panic(err)
	}
	fmt.Println(old.Head().Length, log.Head().Length)
	// Output: 1 2
}

func ExampleEncryption() {
	ctx := context.Background()
	secret := [32]byte{42}
	log, done := open(core.Options{Pair: keys.PairFromSeed(keys.Seed{1}), Encryption: core.Encryption{Key: secret}})
	defer done()
	if _, err := log.Append(ctx, []byte("private")); err != nil {
		panic(err)
	}

	// A handle without the key can copy and serve the blocks, and cannot read them.
	blind, err := log.Session(core.Options{ReadOnly: true})
	if err != nil {
		panic(err)
	}
	defer blind.Close()
	stored, err := blind.Get(ctx, 0)
	if err != nil {
		panic(err)
	}
	plain, err := log.Get(ctx, 0)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d bytes are stored, %s\n", len(stored), plain)
	// Output: 15 bytes are stored, private
}

// A reader gets the head and one block of a writer. What lies between them, here a function call, is the network.
func ExampleCore_Apply() {
	ctx := context.Background()
	writer, done := open(core.Options{Pair: keys.PairFromSeed(keys.Seed{1})})
	defer done()
	if _, err := writer.Append(ctx, []byte("a"), []byte("b"), []byte("c")); err != nil {
		panic(err)
	}
	reader, done := open(core.Options{Key: writer.Key()})
	defer done()

	request := &merkle.Request{
		ID: 1, Manifest: true, Upgrade: &merkle.UpgradeRequest{Length: 3}, Block: &merkle.BlockRequest{Index: 1},
	}
	proof, err := writer.Prove(ctx, request)
	if err != nil {
		panic(err)
	}
	verdicts, err := reader.Apply(ctx, proof)
	if err != nil {
		panic(err)
	}
	block, err := reader.Get(ctx, 1)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%v, %v, %s\n", verdicts[0].Err, reader.Head(), block)
	// Output: <nil>, fork 0, 3 blocks, 3 bytes, b
}
