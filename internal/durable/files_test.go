package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestWriteFileOutlivesPowerLoss(t *testing.T) {
	mem := vfs.NewCrashableMem()
	if err := MkdirAll(mem, "/a/b/c", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two and more", ""} {
		if err := WriteFile(mem, "/a/b/c/f", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(mem.CrashClone(vfs.CrashCloneCfg{}), "/a/b/c/f", 100)
		if err != nil || string(got) != text {
			t.Fatalf("%q, %v; want %q", got, err, text)
		}
	}
}

func TestWriteFileMode(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := WriteFile(vfs.Default, name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := Remove(vfs.Default, name); err != nil {
		t.Fatal(err)
	}
	if err := Remove(vfs.Default, name); err != nil {
		t.Fatalf("removing what is not there: %v", err)
	}
}

// TestOverlay does everything to an overlay, and compares what is below before and after.
func TestOverlay(t *testing.T) {
	below := vfs.NewMem()
	for _, name := range []string{"/d/keep", "/d/change", "/d/remove", "/d/rename", "/d/e/deep"} {
		if err := MkdirAll(below, below.PathDir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(below, name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := below.String()
	o := NewOverlay(below)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := o.OpenReadWrite("/d/change", vfs.WriteCategoryUnspecified)
	must(err)
	_, err = f.WriteAt([]byte("CH"), 3)
	must(err)
	must(f.Close())
	must(o.Remove("/d/remove"))
	must(o.Rename("/d/rename", "/d/renamed"))
	must(o.Link("/d/keep", "/d/link"))
	must(WriteFile(o, "/d/new", []byte("new"), 0o600))
	must(o.RemoveAll("/d/e"))

	for name, want := range map[string]string{"/d/keep": "/d/keep", "/d/change": "/d/CHange", "/d/renamed": "/d/rename",
		"/d/link": "/d/keep", "/d/new": "new"} {
		if got, err := ReadFile(o, name, 100); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
		if _, err := o.Stat(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"/d/remove", "/d/rename", "/d/e/deep", "/d/none"} {
		if _, err := o.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if err := o.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("removing %s again: %v", name, err)
		}
	}
	list, err := o.List("/d")
	must(err)
	if len(list) != 5 {
		t.Errorf("%v", list)
	}
	if after := below.String(); after != before {
		t.Errorf("below was\n%s\nand is\n%s", before, after)
	}
}
