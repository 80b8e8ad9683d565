package pebble

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// TestBeginWriting: where writing cannot be begun ahead nothing is wrong; what fails otherwise is.
func TestBeginWriting(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("some bytes"); err != nil {
		t.Fatal(err)
	}
	pipe, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer end.Close()
	if err := beginWriting(file.Fd(), 0, 10); err != nil {
		t.Errorf("a file: %v", err)
	}
	for name, fd := range map[string]uintptr{"no file": vfs.InvalidFd, "a pipe": end.Fd()} {
		if err := beginWriting(fd, 0, 10); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := beginWriting(1<<20, 0, 10); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a file that is not open: %v", err)
	}
}

// closedFS is a file system whose journal files say that they are files which are not open.
type closedFS struct{ vfs.FS }

type closedFile struct{ vfs.File }

func (closedFile) Fd() uintptr { return 1 << 20 }

func (f closedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	if err == nil && strings.Contains(name, "journal") {
		file = closedFile{file}
	}
	return file, err
}

// TestHasty: a commit whose sync is awaited fails the store when writing cannot begin: the sync might not find it.
func TestHasty(t *testing.T) {
	for _, fsys := range []vfs.FS{vfs.Default, closedFS{vfs.Default}} {
		e, err := OpenEngine(t.TempDir(), Options{FS: fsys})
		if err != nil {
			t.Fatal(err)
		}
		b := &datastore.Batch{Ops: []datastore.Op{{Kind: datastore.OpSet, Key: []byte("k"), Value: []byte("v")}}}
		if err := e.Commit(b, false); err != nil {
			t.Errorf("not awaited: %v", err)
		}
		b.Awaited = true
		err = e.Commit(b, false)
		if failed := errors.Is(err, datastore.ErrStoreFailed); failed != (fsys != vfs.Default) || !failed && err != nil {
			t.Errorf("%T: %v", fsys, err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("%T: closing: %v", fsys, err)
		}
	}
}
