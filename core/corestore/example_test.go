package corestore_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// A store on disk, a log in it, and what it holds when it is opened again.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for range 2 {
		db, err := pebble.Open(dir, pebble.Options{})
		if err != nil {
			log.Fatal(err)
		}
		store, err := corestore.Open(ctx, db, corestore.Options{})
		if err != nil {
			log.Fatal(err)
		}
		events, err := store.Open(ctx, corestore.Name("events"))
		if err != nil {
			log.Fatal(err)
		}
		i, err := events.Append(ctx, []byte("hello"), []byte("world"))
		if err != nil {
			log.Fatal(err)
		}
		block, err := events.Get(ctx, i)
		fmt.Printf("block %d: %s, %v, %v\n", i, block, err, events.Head())
		store.Close()
		db.Close()
	}
	// Output:
	// block 0: hello, <nil>, fork 0, 2 blocks, 10 bytes
	// block 2: hello, <nil>, fork 0, 4 blocks, 20 bytes
}

// The same primary key and the same name give the same core, here and with the JavaScript stack.
func ExampleName() {
	ctx := context.Background()
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	primary := keys.PrimaryKey{1, 2, 3}
	store, err := corestore.Open(ctx, db, corestore.Options{PrimaryKey: primary})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	c, err := store.Open(ctx, corestore.Name("events"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Key(), c.Writable())
	// Output: ynsqcboa3c7zrdeso1ibwqfubfgtfcds9nbue4c5q8h6b7hfodsy true
}

// Each part of a program has names of its own.
func ExampleStore_Namespace() {
	ctx := context.Background()
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	store, err := corestore.Open(ctx, db, corestore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	for _, app := range []string{"chat", "mail"} {
		ns, err := store.Namespace(app)
		if err != nil {
			log.Fatal(err)
		}
		inbox, err := ns.Open(ctx, corestore.Name("inbox"))
		if err != nil {
			log.Fatal(err)
		}
		if _, err := inbox.Append(ctx, []byte("to "+app)); err != nil {
			log.Fatal(err)
		}
		for n, err := range ns.Names(ctx) {
			fmt.Println(app, n.Name, inbox.Head().Length, err)
		}
	}
	// Output:
	// chat inbox 1 <nil>
	// mail inbox 1 <nil>
}

// A static core is named by its content.
func ExampleStore_Static() {
	ctx := context.Background()
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	store, err := corestore.Open(ctx, db, corestore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	draft, err := store.Open(ctx, corestore.Name("draft"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := draft.Append(ctx, []byte("for ever")); err != nil {
		log.Fatal(err)
	}
	release, err := store.Static(ctx, draft)
	if err != nil {
		log.Fatal(err)
	}
	block, err := release.Get(ctx, 0)
	fmt.Printf("%v %s %v %v\n", release.Key(), block, release.Writable(), err)
	// Output: rxozt7h3ymc356qbhuhyhm9yeahaa5eu7suupxd1r7pce9jg3nwy for ever false <nil>
}
