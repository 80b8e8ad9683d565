package drive_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
)

// compatCore makes a core as Hypercore 10 does, whose key is its signer's.
func compatCore(t testing.TB, s *corestore.Store, seed keys.Seed) *core.Core {
	t.Helper()
	ref := corestore.Pair(keys.PairFromSeed(seed))
	ref.Compat, ref.Derived = true, true
	c, err := s.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// oldDrive makes a drive as they were when the header named the contents, and returns its key.
func oldDrive(t testing.TB, s *corestore.Store) keys.Key {
	t.Helper()
	entries, contents := compatCore(t, s, keys.Seed{1}), compatCore(t, s, keys.Seed{2})
	b, err := blobs.New(contents, blobs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	feed := contents.Key()
	tree, err := bee.OpenWith(t.Context(), entries, bee.Options{Metadata: &bee.Metadata{ContentFeed: feed[:]}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	for _, path := range []string{"/a", "/b/c"} {
		id, err := b.Put(t.Context(), []byte("contents of "+path))
		if err != nil {
			t.Fatal(err)
		}
		value := fmt.Sprintf(`{"executable":false,"linkname":null,"blob":%s,"metadata":null}`, id)
		if err := tree.Put(t.Context(), []byte("files\x00"+path), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	return entries.Key()
}

// TestOldDrive reads a drive whose header names its contents: where it was made, from afar, and below a mount.
func TestOldDrive(t *testing.T) {
	from := newStore(t)
	key := oldDrive(t, from)
	s := newSource(from)
	to := openStore(t, memory(t), corestore.Options{PrimaryKey: keys.PrimaryKey{2}, Source: s})
	for _, store := range []*corestore.Store{from, to} {
		d, err := drive.Open(t.Context(), store, key)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.Refresh(t.Context()); store == to && err != nil {
			t.Fatal(err)
		}
		if got := listed(t, d, "/", drive.ListOptions{}); !slices.Equal(got, []string{"/a", "/b/c"}) {
			t.Errorf("listed %q", got)
		}
		mustRead(t, d, "/a", "contents of /a")
		if err := d.Download(t.Context(), "/", drive.DownloadOptions{}); err != nil {
			t.Error(err)
		}
		if ok, err := d.Has(t.Context(), "/b/c"); !ok || err != nil {
			t.Errorf("what was downloaded is not here: %v", err)
		}
		outer := newDrive(t, store, "outer")
		if err := outer.Mount(t.Context(), "/old", key); err != nil {
			t.Fatal(err)
		}
		mustRead(t, outer, "/old/b/c", "contents of /b/c")
	}
}

// TestOldDriveWithoutContents opens a core of Hypercore 10 whose header names no contents: where they are cannot be known.
func TestOldDriveWithoutContents(t *testing.T) {
	s := newStore(t)
	entries := compatCore(t, s, keys.Seed{1})
	tree, err := bee.OpenWith(t.Context(), entries, bee.Options{Metadata: &bee.Metadata{}})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if err := tree.Put(t.Context(), []byte("files\x00/a"), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	d, err := drive.Open(t.Context(), s, entries.Key())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Blobs(t.Context()); !errors.Is(err, drive.ErrNoDrive) {
		t.Errorf("the contents: %v", err)
	}
}
