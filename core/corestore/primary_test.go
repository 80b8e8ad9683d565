package corestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// keyOf opens a store for a moment and returns the key of a name in it.
func keyOf(t *testing.T, dir string, o corestore.Options) (keys.Key, error) {
	t.Helper()
	db := onDisk(t, dir)
	defer db.Close()
	s, err := corestore.Open(t.Context(), db, o)
	if err != nil {
		return keys.Key{}, err
	}
	defer s.Close()
	c := open(t, s, corestore.Name("a"))
	appendTo(t, c, "block")
	return c.Key(), nil
}

func TestPrimaryKeyIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	first, err := keyOf(t, dir, corestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := keyOf(t, dir, corestore.Options{}); err != nil || again != first {
		t.Errorf("opened again: %v, %v, want %v", again, err, first)
	}
	db := onDisk(t, dir)
	secret, err := db.Secrets().Load("primary-key")
	if err != nil || len(secret) != 32 {
		t.Fatalf("%d bytes, %v", len(secret), err)
	}
	db.Close()
	files := holding(t, dir, secret)
	if len(files) != 1 {
		t.Fatalf("the primary key lies in %v", files)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v, want mode 0600", info.Mode(), err)
	}
	if k, err := keyOf(t, dir, corestore.Options{PrimaryKey: keys.PrimaryKey(secret)}); err != nil || k != first {
		t.Errorf("with the same key given: %v, %v", k, err)
	}
	if _, err := keyOf(t, dir, corestore.Options{PrimaryKey: testKey}); !errors.Is(err, corestore.ErrPrimaryKey) {
		t.Errorf("with another key given: %v", err)
	}
}

func TestGivenPrimaryKeyIsNotWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	given, err := keys.NewPrimaryKey()
	if err != nil {
		t.Fatal(err)
	}
	first, err := keyOf(t, dir, corestore.Options{PrimaryKey: given})
	if err != nil {
		t.Fatal(err)
	}
	seed := given.Pair(keys.StoreNamespace{}, []byte("a")).Seed()
	for _, secret := range [][]byte{given[:], seed[:]} {
		if files := holding(t, dir, secret); len(files) > 0 {
			t.Errorf("a secret lies in %v", files)
		}
	}
	if again, err := keyOf(t, dir, corestore.Options{PrimaryKey: given}); err != nil || again != first {
		t.Errorf("opened again: %v, %v, want %v", again, err, first)
	}
	for _, o := range []corestore.Options{{PrimaryKey: testKey}, {}} {
		if _, err := keyOf(t, dir, o); !errors.Is(err, corestore.ErrPrimaryKey) {
			t.Errorf("with another key, or none: %v", err)
		}
	}
	if names, err := os.ReadDir(filepath.Join(dir, "secrets")); err == nil && len(names) > 0 {
		t.Errorf("secrets were kept: %v", names)
	}
}

func TestNoSecrets(t *testing.T) {
	db, err := datastore.New(dssync.MutexWrap(ds.NewMapDatastore()), datastore.Atomic, datastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer close1(t, db)
	if _, err := corestore.Open(t.Context(), db, corestore.Options{}); !errors.Is(err, corestore.ErrNoSecrets) {
		t.Fatalf("opened without a primary key: %v", err)
	}
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	appendTo(t, open(t, s, corestore.Name("a")), "block")
	if _, err := s.Open(t.Context(), corestore.Pair(seeded(1))); !errors.Is(err, core.ErrNoSecrets) {
		t.Errorf("a pair that cannot be kept: %v", err)
	}
	ref := corestore.Pair(seeded(1))
	ref.Derived = true
	appendTo(t, open(t, s, ref), "block")
}

func TestBadPrimaryKeyFile(t *testing.T) {
	db := memory(t)
	if err := db.Secrets().Store("primary-key", []byte("short")); err != nil {
		t.Fatal(err)
	}
	if _, err := corestore.Open(t.Context(), db, corestore.Options{}); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("a key of 5 bytes: %v", err)
	}
}

// TestPrimaryHashRots: what is lost with the hash of the key is only the check of a given one.
func TestPrimaryHashRots(t *testing.T) {
	for _, given := range []keys.PrimaryKey{{}, testKey} {
		raw := dssync.MutexWrap(ds.NewMapDatastore())
		secrets := datastore.FileSecrets(filepath.Join(t.TempDir(), "secrets"))
		first := keyInMap(t, raw, secrets, given)
		rot(t, raw, ds.RawKey("/p/-"))
		if given == testKey {
			s := openMap(t, raw, secrets, keys.PrimaryKey{9}) // cannot be told from the right one, and must not take its place
			if _, err := s.Open(t.Context(), corestore.Name("a")); !errors.Is(err, core.ErrOptions) {
				t.Errorf("opened a name with a wrong primary key: %v", err)
			}
			close1(t, s)
		}
		if again := keyInMap(t, raw, secrets, given); again != first {
			t.Errorf("key %v, want %v", again, first)
		}
	}
}

func keyInMap(t *testing.T, raw ds.Batching, secrets datastore.Secrets, given keys.PrimaryKey) keys.Key {
	t.Helper()
	s := openMap(t, raw, secrets, given)
	defer close1(t, s)
	c := open(t, s, corestore.Name("a"))
	appendTo(t, c, "block")
	return c.Key()
}

func openMap(t *testing.T, raw ds.Batching, secrets datastore.Secrets, given keys.PrimaryKey) *corestore.Store {
	t.Helper()
	db, err := datastore.New(raw, datastore.Atomic, datastore.Options{Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close1(t, db) })
	return openStore(t, db, corestore.Options{PrimaryKey: given})
}
