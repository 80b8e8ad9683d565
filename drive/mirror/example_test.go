package mirror_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
)

// setUp makes a folder with files and a drive in a store in memory. A store on disk is opened with package datastore/pebble.
func setUp(ctx context.Context) (folder string, d *drive.Drive, done func()) {
	folder, err := os.MkdirTemp("", "mirror")
	must(err)
	must(os.MkdirAll(filepath.Join(folder, "2026"), 0o777))
	must(os.WriteFile(filepath.Join(folder, "2026", "cat.jpg"), []byte("meow"), 0o666))
	must(os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("draft"), 0o666))
	db := datastore.NewMemory(datastore.Options{})
	store, err := corestore.Open(ctx, db, corestore.Options{})
	must(err)
	d, err = drive.Create(ctx, store, drive.Name("photos"))
	must(err)
	return folder, d, func() {
		must(d.Close())
		must(store.Close())
		must(db.Close())
		must(os.RemoveAll(folder))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func ExampleSync() {
	ctx := context.Background()
	folder, d, done := setUp(ctx)
	defer done()

	stats, err := mirror.Sync(ctx, mirror.Dir(folder), mirror.Drive(d), mirror.Options{Prune: true})
	must(err)
	fmt.Println(stats.Added, "added,", stats.BytesWritten, "bytes")

	stats, err = mirror.Sync(ctx, mirror.Dir(folder), mirror.Drive(d), mirror.Options{Prune: true})
	must(err)
	fmt.Println(stats.Unchanged, "unchanged")

	// And back, into another folder.
	out := filepath.Join(folder, "copy")
	_, err = mirror.Sync(ctx, mirror.Folder(d, "/2026"), mirror.Dir(out), mirror.Options{})
	must(err)
	b, err := os.ReadFile(filepath.Join(out, "cat.jpg"))
	must(err)
	fmt.Printf("%s\n", b)
	// Output:
	// 2 added, 9 bytes
	// 2 unchanged
	// meow
}

func ExamplePlan() {
	ctx := context.Background()
	folder, d, done := setUp(ctx)
	defer done()
	must(d.WriteFile(ctx, "/old.txt", []byte("old"), drive.Meta{}))

	o := mirror.Options{Prune: true, Ignore: []string{"*.jpg"}}
	for c, err := range mirror.Plan(ctx, mirror.Dir(folder), mirror.Drive(d), o) {
		must(err)
		fmt.Println(c.Op, c.Path, c.Bytes)
	}
	// Output:
	// remove old.txt 3
	// add notes.txt 5
}

func ExampleFollow() {
	ctx, cancel := context.WithCancel(context.Background())
	folder, d, done := setUp(ctx)
	defer done()

	rounds := 0
	err := mirror.Follow(ctx, mirror.Dir(folder), mirror.Drive(d), mirror.Options{Synced: func(s mirror.Stats, err error) {
		must(err)
		if rounds++; rounds == 1 {
			fmt.Println(s.Added, "added")
			must(os.WriteFile(filepath.Join(folder, "later.txt"), []byte("later"), 0o666))
			return
		}
		cancel()
	}})
	fmt.Println(err)

	b, err := d.ReadFile(context.Background(), "/later.txt")
	must(err)
	fmt.Printf("%s\n", b)
	// Output:
	// 2 added
	// context canceled
	// later
}
