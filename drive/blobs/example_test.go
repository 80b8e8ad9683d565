package blobs_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive/blobs"
)

func Example() {
	ctx := context.Background()
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	log1, err := core.Open(ctx, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{1})})
	if err != nil {
		log.Fatal(err)
	}
	defer log1.Close()
	b, err := blobs.New(log1, blobs.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := b.Put(ctx, []byte("hello ")); err != nil {
		log.Fatal(err)
	}
	id, err := b.Put(ctx, []byte("world"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id)
	data, err := b.Get(ctx, id)
	fmt.Println(string(data), err)
	// Output:
	// {"blockOffset":1,"byteOffset":6,"blockLength":1,"byteLength":5}
	// world <nil>
}

func ExampleBlobs_NewWriter() {
	ctx := context.Background()
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	c, err := core.Open(ctx, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{1})})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	b, err := blobs.New(c, blobs.Options{})
	if err != nil {
		log.Fatal(err)
	}
	w := b.NewWriter(ctx, blobs.WriterOptions{})
	if _, err := io.Copy(w, strings.NewReader("a file of any length\n")); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	r, err := b.Open(ctx, w.ID())
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output: a file of any length
}
