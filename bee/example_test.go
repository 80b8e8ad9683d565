package bee_test

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// open makes a bee in a store in memory. A store on disk is opened with package datastore/pebble.
func open() (*bee.Bee, func()) {
	ctx := context.Background()
	db := datastore.NewMemory(datastore.Options{})
	log, err := core.Open(ctx, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{1}), Derived: true})
	check(err)
	b, err := bee.Open(ctx, log)
	check(err)
	return b, func() {
		check(b.Close())
		check(log.Close())
		check(db.Close())
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func Example() {
	ctx := context.Background()
	b, done := open()
	defer done()

	check(b.Put(ctx, []byte("colour"), []byte("red")))
	e, err := b.Get(ctx, []byte("colour"))
	check(err)
	fmt.Printf("%s, block %d\n", e.Value, e.Seq)
	// Output: red, block 1
}

func ExampleBee_Update() {
	ctx := context.Background()
	b, done := open()
	defer done()
	check(b.Put(ctx, []byte("ann"), []byte("3")))

	err := b.Update(ctx, func(tx *bee.Batch) error {
		e, err := tx.Get([]byte("ann"))
		if err != nil {
			return err
		}
		if err := tx.Put([]byte("bob"), e.Value); err != nil {
			return err
		}
		return tx.Delete([]byte("ann"))
	})
	check(err)
	e, err := b.Peek(ctx, bee.Range{})
	check(err)
	fmt.Printf("%s: %s\n", e.Key, e.Value)
	// Output: bob: 3
}

func ExampleBee_Range() {
	ctx := context.Background()
	b, done := open()
	defer done()
	for _, k := range []string{"a", "b", "c", "d"} {
		check(b.Put(ctx, []byte(k), nil))
	}

	for e, err := range b.Range(ctx, bee.Range{GTE: []byte("b"), Reverse: true, Limit: 2}) {
		check(err)
		fmt.Printf("%s\n", e.Key)
	}
	// Output:
	// d
	// c
}

func ExampleBee_Diff() {
	ctx := context.Background()
	b, done := open()
	defer done()
	check(b.Put(ctx, []byte("a"), []byte("1")))
	check(b.Put(ctx, []byte("b"), []byte("1")))
	old := b.Snapshot()
	check(b.Put(ctx, []byte("a"), []byte("2")))
	check(b.Delete(ctx, []byte("b")))

	for d, err := range b.Diff(ctx, old, bee.Range{}) {
		check(err)
		if d.Left == nil {
			fmt.Printf("%s was %s\n", d.Right.Key, d.Right.Value)
			continue
		}
		fmt.Printf("%s was %s, is %s\n", d.Left.Key, d.Right.Value, d.Left.Value)
	}
	// Output:
	// a was 1, is 2
	// b was 1
}

func ExampleBee_History() {
	ctx := context.Background()
	b, done := open()
	defer done()
	check(b.Put(ctx, []byte("a"), []byte("1")))
	check(b.Delete(ctx, []byte("a")))

	for e, err := range b.History(ctx, bee.HistoryOptions{}) {
		check(err)
		fmt.Printf("%d %s %s deleted: %v\n", e.Seq, e.Key, e.Value, e.Deleted)
	}
	// Output:
	// 1 a 1 deleted: false
	// 2 a  deleted: true
}

func ExampleBee_PutIf() {
	ctx := context.Background()
	b, done := open()
	defer done()
	check(b.Put(ctx, []byte("leader"), []byte("ann")))

	put, err := b.PutIf(ctx, []byte("leader"), []byte("bob"), func(prev, _ bee.Entry) bool {
		return string(prev.Value) == "eve"
	})
	check(err)
	fmt.Println(put)
	// Output: false
}

func ExampleNewTyped() {
	ctx := context.Background()
	b, done := open()
	defer done()
	ages := bee.NewTyped(b, bee.Text(), bee.JSON[map[string]int]())

	check(ages.Put(ctx, "ann", map[string]int{"age": 33, "7": 1}))
	x, err := ages.Get(ctx, "ann")
	check(err)
	e, err := b.Get(ctx, []byte("ann"))
	check(err)
	fmt.Println(x.Value["age"], string(e.Value))
	// Output: 33 {"7":1,"age":33}
}

func ExampleBee_Sub() {
	ctx := context.Background()
	b, done := open()
	defer done()
	users := b.Sub([]byte("users"))
	check(users.Put(ctx, []byte("ann"), nil))

	for e, err := range b.Range(ctx, bee.Range{}) {
		check(err)
		fmt.Printf("%q\n", e.Key)
	}
	// Output: "users\x00ann"
}
