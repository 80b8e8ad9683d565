package pebble

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	s := e.Secrets()
	if _, err := s.Load("seed"); !errors.Is(err, datastore.ErrNotFound) {
		t.Fatal(err)
	}
	for _, v := range []string{"first", "the second", ""} {
		if err := s.Store("seed", []byte(v)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load("seed"); err != nil || string(got) != v {
			t.Fatalf("%q, %v", got, err)
		}
	}
	path := filepath.Join(dir, secretsDir, "seed")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	for _, bad := range []string{"", "../seed", "a/b", "A", "a.b", strings.Repeat("a", 101)} {
		if err := s.Store(bad, nil); err == nil {
			t.Errorf("name %q was taken", bad)
		}
	}
	if err := s.Remove("seed"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("seed"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("seed"); !errors.Is(err, datastore.ErrNotFound) {
		t.Fatal(err)
	}
	mustClose(t, e)
}

func TestSecretsExposed(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	s := e.Secrets()
	if err := s.Store("seed", []byte("x")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, secretsDir, "seed")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("seed"); !errors.Is(err, datastore.ErrSecretExposed) {
		t.Fatalf("readable by the group: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(dir, secretsDir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("link"); !errors.Is(err, datastore.ErrSecretExposed) {
		t.Fatalf("a link: %v", err)
	}
	mustClose(t, e)
}

// TestSecretsTorn: what a crash left of the storing of a secret goes when the store is opened.
func TestSecretsTorn(t *testing.T) {
	dir := t.TempDir()
	mustClose(t, mustOpen(t, dir, Options{}))
	torn := filepath.Join(dir, secretsDir, "seed.tmp")
	write(t, torn, "half a sec")
	mustClose(t, mustOpen(t, dir, Options{}))
	if _, err := os.Stat(torn); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}
