package drive_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log"
	"strings"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
)

// exampleStore opens a store in memory; pebble.Open keeps one on disk.
func exampleStore(ctx context.Context) *corestore.Store {
	store, err := corestore.Open(ctx, datastore.NewMemory(datastore.Options{}), corestore.Options{PrimaryKey: keys.PrimaryKey{1}})
	if err != nil {
		log.Fatal(err)
	}
	return store
}

func exampleDrive(ctx context.Context, store *corestore.Store, name string, files ...string) *drive.Drive {
	d, err := drive.Create(ctx, store, drive.Name(name))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		if err := d.WriteFile(ctx, f, []byte("contents of "+f), drive.Meta{}); err != nil {
			log.Fatal(err)
		}
	}
	return d
}

func Example() {
	ctx := context.Background()
	store := exampleStore(ctx)
	defer store.Close()
	d, err := drive.Create(ctx, store, drive.Name("photos"))
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	if err := d.WriteFile(ctx, "/2026/cat.jpg", []byte("meow"), drive.Meta{}); err != nil {
		log.Fatal(err)
	}
	data, err := d.ReadFile(ctx, "/2026/cat.jpg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(data))
	for e, err := range d.List(ctx, "/", drive.ListOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		size, _ := e.Size()
		fmt.Println(e.Path, size)
	}
	// Output:
	// meow
	// /2026/cat.jpg 4
}

func ExampleDrive_Update() {
	ctx := context.Background()
	store := exampleStore(ctx)
	defer store.Close()
	d := exampleDrive(ctx, store, "site", "/draft.html")
	defer d.Close()
	err := d.Update(ctx, func(tx *drive.Batch) error {
		e, err := tx.Entry("/draft.html")
		if err != nil {
			return err
		}
		if err := tx.SetEntry("/index.html", e); err != nil { // another name for the same contents
			return err
		}
		return tx.Remove("/draft.html")
	})
	if err != nil {
		log.Fatal(err)
	}
	data, err := d.ReadFile(ctx, "/index.html")
	fmt.Println(string(data), err)
	// Output: contents of /draft.html <nil>
}

func ExampleDrive_Create() {
	ctx := context.Background()
	store := exampleStore(ctx)
	defer store.Close()
	d := exampleDrive(ctx, store, "films")
	defer d.Close()
	w, err := d.Create(ctx, "/film.mkv", drive.Meta{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(w, strings.NewReader(strings.Repeat("film ", 1000))); err != nil {
		w.Abort()
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	f, err := d.Open(ctx, "/film.mkv")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	part := make([]byte, 9)
	if _, err := f.ReadAt(part, 4990); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q of %d bytes\n", part, f.Size())
	// Output: "film film" of 5000 bytes
}

func ExampleDrive_At() {
	ctx := context.Background()
	store := exampleStore(ctx)
	defer store.Close()
	d := exampleDrive(ctx, store, "notes", "/a")
	defer d.Close()
	version := d.Version()
	if err := d.WriteFile(ctx, "/b", nil, drive.Meta{}); err != nil {
		log.Fatal(err)
	}
	for diff, err := range d.Diff(ctx, d.At(version), "/", drive.DiffOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(diff.Path(), "is new:", diff.Right == nil)
	}
	// Output: /b is new: true
}

func ExampleDrive_Mount() {
	ctx := context.Background()
	store := exampleStore(ctx)
	defer store.Close()
	ann := exampleDrive(ctx, store, "ann", "/cat.jpg")
	defer ann.Close()
	d := exampleDrive(ctx, store, "family", "/readme")
	defer d.Close()
	if err := d.Mount(ctx, "/friends/ann", ann.Key()); err != nil {
		log.Fatal(err)
	}
	for e, err := range d.List(ctx, "/", drive.ListOptions{Mounts: true}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Path)
	}
	// Output:
	// /friends/ann
	// /friends/ann/cat.jpg
	// /readme
}

func ExampleDrive_FS() {
	ctx := context.Background()
	store := exampleStore(ctx)
	defer store.Close()
	d := exampleDrive(ctx, store, "site", "/index.html", "/img/a.png")
	defer d.Close()
	err := fs.WalkDir(d.FS(ctx), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			fmt.Println(path)
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// img/a.png
	// index.html
}
