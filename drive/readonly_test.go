package drive_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/drive"
)

// TestReadOnlyStore reads a drive of which the entries are here and nothing else, from a store that can only be read: contents and mounts
// are not available, and all else is there.
func TestReadOnlyStore(t *testing.T) {
	from := newStore(t)
	writer, other := newDrive(t, from, "writer"), newDrive(t, from, "other")
	mustWrite(t, writer, "/f", "f")
	mustWrite(t, other, "/g", "g")
	if err := writer.Mount(t.Context(), "/m", other.Key()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	open := func(readOnly bool, source core.Source, do func(d *drive.Drive)) {
		t.Helper()
		db, err := pebble.Open(dir, pebble.Options{Options: datastore.Options{ReadOnly: readOnly}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: keys.PrimaryKey{2}, Source: source, ReadOnly: readOnly})
		if err != nil {
			t.Fatal(err)
		}
		d, err := drive.Open(t.Context(), s, writer.Key())
		if err != nil {
			t.Fatal(err)
		}
		do(d)
		if err := errors.Join(d.Close(), s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
	want := []string{"/f", "/m"}
	open(false, newSource(from), func(d *drive.Drive) {
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := listed(t, d, "/", drive.ListOptions{}); !slices.Equal(got, want) {
			t.Errorf("listed %q", got)
		}
	})
	open(true, nil, func(d *drive.Drive) {
		if got := listed(t, d, "/", drive.ListOptions{Mounts: true}); !slices.Equal(got, want) {
			t.Errorf("listed %q", got)
		}
		if _, err := d.ReadFile(t.Context(), "/f"); !errors.Is(err, core.ErrNotAvailable) {
			t.Errorf("contents: %v", err)
		}
		if ok, err := d.Has(t.Context(), "/f"); ok || err != nil {
			t.Errorf("contents are here: %v", err)
		}
		for name, err := range map[string]error{
			"list":  first(d.List(t.Context(), "/m", drive.ListOptions{})),
			"entry": func() error { _, err := d.Entry(t.Context(), "/m/g"); return err }(),
		} {
			if !errors.Is(err, drive.ErrMountUnavailable) {
				t.Errorf("%s below a mount: %v", name, err)
			}
		}
		if _, err := d.Info(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
