package mirror

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
)

// keeping is a Keeper over a drive of this process.
type keeping struct {
	*drive.Drive
	head core.Head // that was waited for
}

func (k *keeping) String() string { return "kept" }

func (k *keeping) List(ctx context.Context, folder string) iter.Seq2[drive.Entry, error] {
	return k.Drive.List(ctx, folder, drive.ListOptions{})
}

func (k *keeping) Open(ctx context.Context, e drive.Entry) (io.ReadCloser, error) {
	return k.OpenEntry(ctx, e)
}

func (k *keeping) Apply(ctx context.Context, changes []KeeperChange) error {
	return k.Update(ctx, func(tx *drive.Batch) error {
		for _, c := range changes {
			if err := applyChange(tx, &c); err != nil {
				return err
			}
		}
		return nil
	})
}

func applyChange(tx *drive.Batch, c *KeeperChange) error {
	switch {
	case c.Remove:
		return tx.Remove(c.Path)
	case c.Link != "":
		return tx.Symlink(c.Path, c.Link, c.Meta)
	case c.Keep:
		e, err := tx.Entry(c.Path)
		if err != nil {
			return err
		}
		e.Executable, e.Metadata = c.Meta.Executable, c.Meta.Metadata
		return tx.SetEntry(c.Path, e)
	}
	return tx.WriteFile(c.Path, c.Data, c.Meta)
}

func (k *keeping) Write(ctx context.Context, path string, m drive.Meta, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return k.WriteFile(ctx, path, data, m)
}

func (k *keeping) Wait(ctx context.Context) (err error) {
	k.head, err = k.Core().Wait(ctx, k.head)
	return err
}

func newKept(t *testing.T) *keeping {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	store, err := corestore.Open(t.Context(), db, corestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := drive.Create(t.Context(), store, drive.Name("d"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), store.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return &keeping{Drive: d}
}

// A drive that is reached through a keeper ends as one that is written directly, and reads back the same.
func TestKept(t *testing.T) {
	ctx := t.Context()
	dir, out, k := t.TempDir(), t.TempDir(), newKept(t)
	for name, data := range map[string]string{"a": "1", "b/c": "2", "large": strings.Repeat("x", 3<<20), "skip.tmp": "", ".hypernodeignore": "*.tmp"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		stats, err := Sync(ctx, Dir(dir), Kept(k, "/in"), Options{Prune: true, Times: true})
		if err != nil || stats.Files != 4 {
			t.Fatalf("%+v, %v", stats, err)
		}
	}
	version := k.Version()
	if stats, err := Sync(ctx, Dir(dir), Folder(k.Drive, "/in"), Options{Prune: true, Times: true}); err != nil || k.Version() != version {
		t.Fatalf("the drive differs from one that is written directly: %+v, %v", stats, err)
	}
	stats, err := Sync(ctx, Kept(k, "/in"), Dir(out), Options{})
	if err != nil || stats.Added != 4 {
		t.Fatalf("%+v, %v", stats, err)
	}
	got, err := os.ReadFile(filepath.Join(out, "large"))
	if err != nil || !bytes.Equal(got, bytes.Repeat([]byte("x"), 3<<20)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if _, err := Sync(ctx, Kept(k, "/../.."), Dir(out), Options{}); err == nil {
		t.Fatal("a folder outside of the drive")
	}
}

// What changes in the drive is followed.
func TestKeptFollow(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	k, out := newKept(t), t.TempDir()
	if err := k.WriteFile(ctx, "/a", []byte("1"), drive.Meta{}); err != nil {
		t.Fatal(err)
	}
	rounds := 0
	err := Follow(ctx, Kept(k, "/"), Dir(out), Options{Synced: func(Stats, error) {
		switch rounds++; rounds {
		case 1:
			if err := k.WriteFile(ctx, "/b", []byte("2"), drive.Meta{}); err != nil {
				t.Error(err)
			}
		default:
			if _, err := os.Stat(filepath.Join(out, "b")); err == nil {
				cancel()
			}
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// A file whose contents cannot be read to the end is not put.
func TestKeptBroken(t *testing.T) {
	k := newKept(t)
	f := &fake{}
	f.add("good", "1")
	f.entries = append(f.entries, entry{path: "bad", size: 2 << 20})
	f.open_ = func(e entry) (content, entry, error) {
		if e.path == "bad" {
			return &failing{Reader: bytes.NewReader(make([]byte, 2<<20)), left: 1 << 20, err: io.ErrUnexpectedEOF}, e, nil
		}
		return stringContent{strings.NewReader("1")}, e, nil
	}
	if _, err := Sync(t.Context(), f, Kept(k, "/"), Options{}); !errors.Is(err, ErrPartial) {
		t.Fatal(err)
	}
	if _, err := k.Entry(t.Context(), "/bad"); err == nil {
		t.Fatal("half of a file was put")
	}
	if _, err := k.Entry(t.Context(), "/good"); err != nil {
		t.Fatal(err)
	}
}
