package datastore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFileSecrets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	s := FileSecrets(dir)
	if _, err := s.Load("a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("load without a folder: %v", err)
	}
	if err := s.Remove("a"); err != nil {
		t.Errorf("remove without a folder: %v", err)
	}
	if err := s.Store("a", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, "a"): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := s.Store("a", make([]byte, maxSecret+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if got, err := s.Load("a"); err != nil || string(got) != "secret" {
		t.Errorf("load: %q, %v", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestSecretFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	s := FileSecrets(dir)
	outside := filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		s.Store("open", []byte("secret")),
		os.Chmod(filepath.Join(dir, "open"), 0o640),
		os.WriteFile(outside, []byte("secret"), 0o600),
		os.Symlink(outside, filepath.Join(dir, "link")),
		os.Mkdir(filepath.Join(dir, "folder"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"open", "link", "folder"} {
		if b, err := s.Load(name); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if err := s.Remove("link"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("what the link led to: %v", err)
	}
}

// TestFileSecretsTorn has a crash come between the writing of a secret and its getting its name.
func TestFileSecretsTorn(t *testing.T) {
	dir := t.TempDir()
	s := FileSecrets(dir)
	torn := filepath.Join(dir, ".new-a")
	for name, next := range map[string]func() error{
		"stored again": func() error { return s.Store("a", []byte("secret")) },
		"removed":      func() error { return s.Remove("a") },
	} {
		if err := os.WriteFile(torn, []byte("sec"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := next(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(torn); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: what was torn is still there: %v", name, err)
		}
	}
}
