package datastore_test

import (
	"context"
	"errors"
	"fmt"

	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"

	"github.com/hypernode/hypernode/datastore"
)

func Example() {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	ctx := context.Background()
	heads := datastore.Group('h').Item()          // one group
	blocks := datastore.Group('b').Uint(7).Item() // one group for each core

	err := db.Update(ctx, func(tx *datastore.Tx) error {
		tx.SetBlock(blocks.Uint(0), []byte("hello"))
		tx.Set(heads.Uint(7), []byte("length 1"))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	err = db.View(ctx, func(tx *datastore.Tx) error {
		head, err := tx.Get(heads.Uint(7))
		if err != nil {
			return err
		}
		block, err := tx.Block(blocks.Uint(0))
		fmt.Printf("%s, block 0: %s\n", head, block)
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: length 1, block 0: hello
}

func ExampleTx_Scan() {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	ctx := context.Background()
	group := datastore.Group('n').Item()
	db.Update(ctx, func(tx *datastore.Tx) error {
		for _, n := range []uint64{1000, 7, 80} {
			tx.Set(group.Uint(n), []byte("value"))
		}
		return nil
	})
	db.View(ctx, func(tx *datastore.Tx) error {
		for r, err := range tx.Scan(group, group.End(), true) {
			if errors.Is(err, datastore.ErrCorrupt) {
				continue // r.Key says which
			}
			if err != nil {
				return err
			}
			n, _, _ := datastore.ParseUint(r.Key[len(group):])
			fmt.Println(n)
		}
		return nil
	})
	// Output:
	// 1000
	// 80
	// 7
}

func ExampleTx_OnSynced() {
	db := datastore.NewMemory(datastore.Options{Durability: datastore.Process})
	ctx := context.Background()
	db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Set(datastore.Group('h').Item().Uint(1), []byte("head"))
		tx.OnCommit(func() { fmt.Println("visible") })
		tx.OnSynced(func() { fmt.Println("on stable storage: others may be told") })
		return nil
	})
	db.Close()
	// Output:
	// visible
	// on stable storage: others may be told
}

func ExampleNew() {
	mine := dssync.MutexWrap(ds.NewMapDatastore()) // any go-datastore whose batches are atomic
	db, err := datastore.New(mine, datastore.Atomic, datastore.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	_, err = datastore.New(mine, 0, datastore.Options{})
	fmt.Println(errors.Is(err, datastore.ErrNotAtomic))
	// Output: true
}
