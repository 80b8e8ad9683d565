package corestore_test

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

func TestReadOnlyStore(t *testing.T) {
	dir := t.TempDir()
	db := onDisk(t, dir)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	c := open(t, s, corestore.Name("a"))
	appendTo(t, c, "one")
	p := open(t, s, corestore.Pair(seeded(3)))
	appendTo(t, p, "pair")
	close1(t, s)
	t.Run("store", func(t *testing.T) { checkReadOnly(t, db, c.Key(), p.Key()) })
	close1(t, db)
	ro, err := pebble.Open(dir, pebble.Options{Options: datastore.Options{ReadOnly: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer close1(t, ro)
	t.Run("database", func(t *testing.T) {
		checkReadOnly(t, ro, c.Key(), p.Key())
		s := openStore(t, ro, corestore.Options{PrimaryKey: testKey})
		if _, err := s.Open(t.Context(), corestore.Name("new")); !errors.Is(err, datastore.ErrReadOnly) {
			t.Errorf("a new core: %v", err)
		}
		if _, err := corestore.Open(t.Context(), ro, corestore.Options{}); err == nil {
			t.Error("opened without the primary key")
		}
	})
}

func checkReadOnly(t *testing.T, db *datastore.DB, own ...keys.Key) {
	t.Helper()
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey, ReadOnly: true})
	defer s.Close()
	wantContents(t, open(t, s, corestore.Name("a")), "one")
	for _, k := range own {
		c := open(t, s, corestore.Key(k))
		_, add := c.Append(t.Context(), []byte("x"))
		_, static := s.Static(t.Context(), c)
		for what, err := range map[string]error{
			"append": add, "static": static, "clear": c.Clear(t.Context(), 0, 1), "delete": s.Delete(t.Context(), c.DiscoveryKey()),
		} {
			if !errors.Is(err, core.ErrNotWritable) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if c.Writable() || c.Head().Length != 1 {
			t.Errorf("writable %v, %v", c.Writable(), c.Head())
		}
	}
	if got := names(t, s); len(got) != 1 {
		t.Errorf("names %q", got)
	}
	if len(listed(t, s)) != 2 {
		t.Error("the list is not of two cores")
	}
}

// TestReadOnlyFirst: that the first handle on an own core is read-only does not make the others so.
func TestReadOnlyFirst(t *testing.T) {
	db := memory(t)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	own := []keys.Key{open(t, s, corestore.Name("a")).Key(), open(t, s, corestore.Pair(seeded(1))).Key()}
	close1(t, s)
	s = openStore(t, db, corestore.Options{PrimaryKey: testKey})
	for _, k := range own {
		ref := corestore.Key(k)
		ref.ReadOnly = true
		reader, writer := open(t, s, ref), open(t, s, corestore.Key(k))
		appendTo(t, writer, "block")
		wantContents(t, reader, "block")
		if _, err := reader.Append(t.Context(), []byte("x")); !errors.Is(err, core.ErrNotWritable) {
			t.Errorf("a read-only handle appended: %v", err)
		}
	}
}
