package corestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	dssync "github.com/ipfs/go-datastore/sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

func TestDelete(t *testing.T) {
	s := newStore(t)
	a, b := open(t, s, corestore.Name("a")), open(t, another(t, s), corestore.Name("a"))
	kept := open(t, s, corestore.Name("kept"))
	appendTo(t, a, "one", "two")
	appendTo(t, kept, "kept")
	d := a.DiscoveryKey()
	if err := s.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*core.Core{a, b} {
		_, get := h.Get(t.Context(), 0)
		_, add := h.Append(t.Context(), []byte("x"))
		if !errors.Is(get, core.ErrDeleted) || !errors.Is(add, core.ErrDeleted) {
			t.Errorf("a handle on what is gone: %v, %v", get, add)
		}
		close1(t, h)
	}
	if got := names(t, s); fmt.Sprint(got) != "[kept]" {
		t.Errorf("names %q", got)
	}
	if got := listed(t, s); len(got) != 1 || got[0] != kept.DiscoveryKey() {
		t.Errorf("cores %v", got)
	}
	_, find := s.Find(t.Context(), d)
	if err := s.Delete(t.Context(), d); !errors.Is(err, core.ErrNotFound) || !errors.Is(find, core.ErrNotFound) {
		t.Errorf("deleted again: %v, found again: %v", err, find)
	}
	wantContents(t, kept, "kept")
	again := open(t, s, corestore.Name("a"))
	if again.DiscoveryKey() != d || again.Head().Length != 0 {
		t.Errorf("made anew: %v, %v", again.Key(), again.Head())
	}
	appendTo(t, again, "three")
	wantContents(t, again, "three")
}

// TestDeleteLeavesNothing: neither the seed nor a block is in any file, and the space is given back.
func TestDeleteLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	db := onDisk(t, dir)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	pair, err := keys.NewPair()
	if err != nil {
		t.Fatal(err)
	}
	kept := open(t, s, corestore.Name("kept"))
	appendTo(t, kept, "kept")
	before, err := db.Used()
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, s, corestore.Pair(pair))
	seed := pair.Seed()
	if files := holding(t, dir, seed[:]); len(files) != 1 {
		t.Errorf("the seed lies in %v", files)
	}
	block := make([]byte, 64<<10)
	for i := range 256 {
		rand.NewChaCha8([32]byte{byte(i)}).Read(block)
		if _, err := c.Append(t.Context(), block); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(t.Context(), c.DiscoveryKey()); err != nil {
		t.Fatal(err)
	}
	after, err := db.Used()
	if err != nil || after > before+1<<20 {
		t.Errorf("%d bytes used before, %d after: %v", before, after, err)
	}
	close1(t, s)
	close1(t, db)
	if files := holding(t, dir, seed[:]); len(files) > 0 {
		t.Errorf("the seed lies in %v", files)
	}
	s = openStore(t, onDisk(t, dir), corestore.Options{PrimaryKey: testKey})
	if n := len(listed(t, s)); n != 1 {
		t.Errorf("%d cores, want 1", n)
	}
	wantContents(t, open(t, s, corestore.Name("kept")), "kept")
}

// TestDeleteInterrupted ends the deletion at every place where its context is asked: the core is whole, or gone with its name.
func TestDeleteInterrupted(t *testing.T) {
	db := onDisk(t, t.TempDir())
	whole, gone := 0, 0
	for n := 0; gone < 100; n++ {
		s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
		c := open(t, s, corestore.Name("a"))
		appendTo(t, c, strings.Repeat("x", 1000))
		left := n
		err := s.Delete(countdown{context.Background(), &left}, c.DiscoveryKey())
		_, lookup := s.Lookup(t.Context(), c.DiscoveryKey())
		got := names(t, s)
		switch {
		case err != nil && lookup == nil && len(got) == 1:
			whole++
			if b, err := c.Get(t.Context(), 0); err != nil || len(b) != 1000 {
				t.Fatalf("deletion failed: %d bytes, %v", len(b), err)
			}
		case errors.Is(lookup, core.ErrNotFound) && len(got) == 0:
			gone++
		default:
			t.Fatalf("after %d: deleted %v, found %v, names %q", n, err, lookup, got)
		}
		close1(t, s)
		if err == nil {
			break
		}
	}
	if whole == 0 || gone < 2 {
		t.Errorf("whole %d times, gone %d times", whole, gone)
	}
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	if c := open(t, s, corestore.Name("a")); c.Head().Length != 0 {
		t.Errorf("it came back: %v", c.Head())
	}
}

// TestDeleteByHandle: a core may be deleted behind the store's back. Its name then leads to a new core.
func TestDeleteByHandle(t *testing.T) {
	db := memory(t)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	c := open(t, s, corestore.Name("a"))
	appendTo(t, c, "one")
	if err := c.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); len(got) != 0 {
		t.Errorf("names %q", got)
	}
	open(t, s, corestore.Key(c.Key())) // not by name: the alias is not this core's
	if got := names(t, s); len(got) != 0 {
		t.Errorf("names %q", got)
	}
	close1(t, s)
	s = openStore(t, db, corestore.Options{PrimaryKey: testKey, ManifestVersion: 2})
	again := open(t, s, corestore.Name("a"))
	if again.Key() == c.Key() || again.Manifest().Version != 2 || !again.Writable() {
		t.Errorf("the name leads to %v", again.Key())
	}
	if got := names(t, s); len(got) != 1 {
		t.Errorf("names %q", got)
	}
}

// TestOpenWaitsForDelete: who opens a core whose log is shut to be deleted waits until all of it is gone.
func TestOpenWaitsForDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := datastore.NewMemory(datastore.Options{})
		defer close1(t, db)
		s, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: testKey})
		if err != nil {
			t.Fatal(err)
		}
		defer close1(t, s)
		var again *core.Core
		ref := corestore.Name("a")
		ref.OnShut = func() {
			go func() {
				c, err := s.Open(context.Background(), corestore.Name("a"))
				if err != nil {
					t.Error(err)
				}
				again = c
			}()
			if synctest.Wait(); again != nil {
				t.Error("opened during the deletion")
			}
		}
		c := open(t, s, ref)
		appendTo(t, c, "one")
		if err := s.Delete(t.Context(), c.DiscoveryKey()); err != nil {
			t.Fatal(err)
		}
		if synctest.Wait(); again == nil || again.Head().Length != 0 {
			t.Fatal("not opened after the deletion, or not a new core")
		}
		if got := names(t, s); len(got) != 1 {
			t.Errorf("names %q", got)
		}
	})
}

// TestDeleteWhileOpening: a core is either there, with its name, or it is not.
func TestDeleteWhileOpening(t *testing.T) {
	s := openStore(t, onDisk(t, t.TempDir()), corestore.Options{PrimaryKey: testKey})
	d := open(t, s, corestore.Name("a")).DiscoveryKey()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for range 25 {
				if w < 2 {
					if err := s.Delete(t.Context(), d); err != nil && !errors.Is(err, core.ErrNotFound) && !errors.Is(err, core.ErrDeleted) {
						t.Error(err)
					}
					continue
				}
				c, err := s.Open(t.Context(), corestore.Name("a"))
				if err != nil {
					t.Error(err)
					continue
				}
				if _, err := c.Append(t.Context(), []byte("x")); err != nil && !errors.Is(err, core.ErrDeleted) {
					t.Error(err)
				}
				close1(t, c)
			}
		})
	}
	wg.Wait()
	if a, b := len(names(t, s)), len(listed(t, s)); a != b {
		t.Errorf("%d names, %d cores", a, b)
	}
	appendTo(t, open(t, s, corestore.Name("a")), "last")
	if a, b := len(names(t, s)), len(listed(t, s)); a != 1 || b != 1 {
		t.Errorf("%d names, %d cores, want 1", a, b)
	}
}

// TestDeleteRotten: a core whose head cannot be read can still be deleted.
func TestDeleteRotten(t *testing.T) {
	raw := dssync.MutexWrap(ds.NewMapDatastore())
	db, err := datastore.New(raw, datastore.Atomic, datastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer close1(t, db)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	c := open(t, s, corestore.Name("a"))
	appendTo(t, c, "one")
	close1(t, c)
	for _, k := range stored(t, raw, "/d") {
		rot(t, raw, k)
	}
	if _, err := s.Open(t.Context(), corestore.Name("a")); !errors.Is(err, datastore.ErrCorrupt) {
		t.Errorf("opened: %v", err)
	}
	if got := names(t, s); len(got) != 1 {
		t.Errorf("names %q", got)
	}
	if err := s.Delete(t.Context(), c.DiscoveryKey()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); len(got) != 0 {
		t.Errorf("names %q", got)
	}
	again := open(t, s, corestore.Name("a"))
	appendTo(t, again, "two")
	wantContents(t, again, "two")
}

// TestDeleteKeepsConflict: the proof that a key signed two histories outlives the core.
func TestDeleteKeepsConflict(t *testing.T) {
	raw := dssync.MutexWrap(ds.NewMapDatastore())
	db, err := datastore.New(raw, datastore.Atomic, datastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer close1(t, db)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	c := open(t, s, corestore.Name("a"))
	appendTo(t, c, "one", "two")
	showAnotherHistory(t, c)
	if c.Conflict() == nil {
		t.Fatal("no conflict was found")
	}
	before := len(stored(t, raw, "/x/"))
	if err := s.Delete(t.Context(), c.DiscoveryKey()); err != nil {
		t.Fatal(err)
	}
	if after := len(stored(t, raw, "/x/")); before != 1 || after != 1 {
		t.Errorf("%d proofs before, %d after", before, after)
	}
}

// showAnotherHistory shows the core of the name "a" another one that was signed with its key.
func showAnotherHistory(t *testing.T, c *core.Core) {
	t.Helper()
	other := open(t, newStore(t), corestore.Name("a"))
	appendTo(t, other, "another history")
	p, err := other.Prove(t.Context(), &merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// stored returns the keys in a datastore that begin with a prefix.
func stored(t *testing.T, raw ds.Batching, prefix string) (list []ds.Key) {
	t.Helper()
	r, err := raw.Query(t.Context(), query.Query{KeysOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Rest()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if strings.HasPrefix(e.Key, prefix) {
			list = append(list, ds.RawKey(e.Key))
		}
	}
	return list
}

// rot flips a bit of a record.
func rot(t *testing.T, raw ds.Batching, k ds.Key) {
	t.Helper()
	b, err := raw.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Clone(b)
	b[0] ^= 1
	if err := raw.Put(t.Context(), k, b); err != nil {
		t.Fatal(err)
	}
}
