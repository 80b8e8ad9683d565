package corestore_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testKey is the primary key of most tests.
var testKey = keys.PrimaryKey{1, 2, 3}

func memory(t testing.TB) *datastore.DB {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	t.Cleanup(func() { close1(t, db) })
	return db
}

// onDisk opens the store in dir. It keeps nothing safe from a power loss, to be quick.
func onDisk(t testing.TB, dir string) *datastore.DB {
	t.Helper()
	db, err := pebble.Open(dir, pebble.Options{
		Options:   datastore.Options{Durability: datastore.Process, SyncEvery: -1},
		CacheSize: 1 << 20, MemTable: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close1(t, db) })
	return db
}

func close1(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func openStore(t testing.TB, db *datastore.DB, o corestore.Options) *corestore.Store {
	t.Helper()
	s, err := corestore.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close1(t, s) })
	return s
}

// newStore returns a store in memory.
func newStore(t testing.TB) *corestore.Store {
	t.Helper()
	return openStore(t, memory(t), corestore.Options{PrimaryKey: testKey})
}

func open(t testing.TB, s *corestore.Store, ref corestore.Ref) *core.Core {
	t.Helper()
	c, err := s.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// another returns another session.
func another(t testing.TB, s *corestore.Store) *corestore.Store {
	t.Helper()
	n, err := s.Session()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func namespace(t testing.TB, s *corestore.Store, path ...string) *corestore.Store {
	t.Helper()
	for _, name := range path {
		n, err := s.Namespace(name)
		if err != nil {
			t.Fatal(err)
		}
		s = n
	}
	return s
}

func appendTo(t testing.TB, c *core.Core, blocks ...string) {
	t.Helper()
	for _, b := range blocks {
		if _, err := c.Append(t.Context(), []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
}

// contents reads a whole core.
func contents(t testing.TB, c *core.Core) (list []string) {
	t.Helper()
	for b, err := range c.Blocks(t.Context(), 0, c.Head().Length) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(b))
	}
	return list
}

func wantContents(t testing.TB, c *core.Core, want ...string) {
	t.Helper()
	if got := contents(t, c); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the core holds %q, want %q", got, want)
	}
}

func names(t testing.TB, s *corestore.Store) (list []string) {
	t.Helper()
	for n, err := range s.Names(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Lookup(t.Context(), n.Discovery); err != nil {
			t.Errorf("%q: %v", n.Name, err)
		}
		list = append(list, n.Name)
	}
	return list
}

func listed(t testing.TB, s *corestore.Store) (list []keys.DiscoveryKey) {
	t.Helper()
	for d, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// holding names the files below dir that hold some bytes.
func holding(t testing.TB, dir string, secret []byte) (files []string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if n++; bytes.Contains(b, secret) {
			files = append(files, path)
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files, %v", n, err)
	}
	return files
}

func seeded(n byte) keys.Pair { return keys.PairFromSeed(keys.Seed{n, 'x'}) }

// countdown is a context that ends after its error was asked for some times: it ends a call at any place of our choosing.
type countdown struct {
	context.Context
	left *int
}

func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}
