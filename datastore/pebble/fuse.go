package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable"
)

// fuse is the file system that Pebble works on. It keeps three promises that Pebble does not:
//
// Records must not reach stable storage before the block bytes they point to: beforeTable runs before a table file is
// synced.
//
// A marker must not reach stable storage before the entry of the file that it names: the folder is synced before one is
// made.
//
// When the disk has failed once, Pebble changes nothing any more. It carries on after some errors as if they could be
// mended, and would remove files that the state on disk still needs.
//
// A failure to write the list of tables is kept from Pebble, which means to end the process then, and is in no state to go on.
type fuse struct {
	vfs.FS
	blown       atomic.Pointer[error]
	beforeTable func() error
	pause       func() error // before a table file is created; holds Pebble back when it tries again and again
	failed      func(error)  // told once the disk has failed
}

// blow stops all further changes. The failure is told before the first of them is stopped: whoever is made to believe in one
// finds the store failed.
func (f *fuse) blow(cause error) {
	if f.failed != nil && f.blown.Load() == nil {
		f.failed(cause)
	}
	err := fmt.Errorf("%w: %w", datastore.ErrStoreFailed, cause)
	f.blown.CompareAndSwap(nil, &err)
}

// do runs one change, unless the fuse has blown. A full disk does not blow it: Pebble tries again by itself where it
// can, and reports a fatal error where it cannot.
func (f *fuse) do(change func() error) error {
	if err := f.blown.Load(); err != nil {
		if f.pause != nil {
			_ = f.pause() // it would try again at once, and does not stop doing so before it is closed
		}
		return *err
	}
	err := change()
	if err != nil && !isNoSpace(err) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
		f.blow(err)
	}
	return err
}

// pretend runs one change that Pebble believes in though it failed: the fuse has blown by then, for a full disk too, and
// nothing that Pebble builds on it gets to the disk or is acknowledged.
func (f *fuse) pretend(change func() error) {
	if f.blown.Load() != nil {
		return
	}
	if err := change(); err != nil {
		f.blow(err)
	}
}

// isMarker tells of a file whose name points to another file, which must be there whenever the marker is.
func isMarker(name string) bool { return strings.HasPrefix(name, "marker.") }

// isList tells of the list of tables.
func isList(name string) bool { return strings.HasPrefix(name, "MANIFEST-") }

// isListMarker tells of the marker that names the list.
func isListMarker(name string) bool { return strings.HasPrefix(name, "marker.manifest.") }

// isLog tells of a log of Pebble, which holds nothing: the journal stands in for it.
func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

func (f *fuse) file(name string, open func() (vfs.File, error)) (file vfs.File, err error) {
	err = f.do(func() error {
		file, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	if isLog(name) {
		return &emptyLog{file}, nil
	}
	if isList(f.PathBase(name)) {
		return &fusedList{fusedFile{File: file, fuse: f}}, nil
	}
	return &fusedFile{File: file, fuse: f, table: isTable(name)}, nil
}

// Create implements vfs.FS.
func (f *fuse) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if isTable(name) && f.pause != nil {
		if err := f.pause(); err != nil {
			return nil, err
		}
	}
	create := func() (vfs.File, error) { return f.FS.Create(name, c) }
	if isMarker(f.PathBase(name)) {
		create = func() (vfs.File, error) {
			if err := durable.SyncDir(f.FS, f.PathDir(name)); err != nil {
				return nil, err
			}
			return f.FS.Create(name, c)
		}
	}
	if isListMarker(f.PathBase(name)) {
		return f.listMarker(create)
	}
	return f.file(name, create)
}

// listMarker makes the marker of the list, an empty file.
func (f *fuse) listMarker(create func() (vfs.File, error)) (file vfs.File, err error) {
	f.pretend(func() error {
		file, err = create()
		return err
	})
	if file == nil {
		return vfs.NewMem().Create("marker", vfs.WriteCategoryUnspecified)
	}
	return file, nil
}

// OpenReadWrite implements vfs.FS.
func (f *fuse) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.file(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

// OpenDir implements vfs.FS.
func (f *fuse) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fusedDir{fusedFile{File: d, fuse: f}}, nil
}

// ReuseForWrite implements vfs.FS.
func (f *fuse) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(newname, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, c) })
}

// Link implements vfs.FS.
func (f *fuse) Link(oldname, newname string) error {
	return f.do(func() error { return f.FS.Link(oldname, newname) })
}

// Remove implements vfs.FS.
func (f *fuse) Remove(name string) error { return f.do(func() error { return f.FS.Remove(name) }) }

// RemoveAll implements vfs.FS.
func (f *fuse) RemoveAll(name string) error {
	return f.do(func() error { return f.FS.RemoveAll(name) })
}

// Rename implements vfs.FS.
func (f *fuse) Rename(oldname, newname string) error {
	return f.do(func() error { return f.FS.Rename(oldname, newname) })
}

// MkdirAll implements vfs.FS.
func (f *fuse) MkdirAll(dir string, perm os.FileMode) error {
	return f.do(func() error { return f.FS.MkdirAll(dir, perm) })
}

// Lock implements vfs.FS.
func (f *fuse) Lock(name string) (io.Closer, error) { return f.FS.Lock(name) }

// Unwrap implements vfs.FS.
func (f *fuse) Unwrap() vfs.FS { return f.FS }

// fusedFile is a file that was opened for changes, or a directory.
type fusedFile struct {
	vfs.File
	fuse  *fuse
	table bool
}

func (f *fusedFile) Write(p []byte) (n int, err error) {
	err = f.fuse.do(func() error {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *fusedFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.fuse.do(func() error {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	return n, err
}

func (f *fusedFile) Sync() error { return f.sync(f.File.Sync) }

func (f *fusedFile) SyncData() error { return f.sync(f.File.SyncData) }

func (f *fusedFile) sync(sync func() error) error {
	if f.table && f.fuse.beforeTable != nil {
		if err := f.fuse.beforeTable(); err != nil {
			return err
		}
	}
	return f.fuse.do(sync)
}

func (f *fusedFile) SyncTo(length int64) (full bool, err error) {
	err = f.fuse.do(func() error {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// fusedList is the list of tables.
type fusedList struct{ fusedFile }

func (l *fusedList) Write(p []byte) (int, error) {
	l.fuse.pretend(func() error {
		_, err := l.File.Write(p)
		return err
	})
	return len(p), nil
}

func (l *fusedList) Sync() error {
	l.fuse.pretend(l.File.Sync)
	return nil
}

func (l *fusedList) SyncData() error {
	l.fuse.pretend(l.File.SyncData)
	return nil
}

// fusedDir is a directory. Pebble ends the process when one cannot be synced, so it is not told.
type fusedDir struct{ fusedFile }

func (d *fusedDir) Sync() error {
	d.fuse.pretend(d.File.Sync)
	return nil
}

func (d *fusedDir) SyncData() error { return d.Sync() }

// emptyLog is a log that stays empty, so that a full disk does not matter to it.
type emptyLog struct{ vfs.File }

func (l *emptyLog) Write(p []byte) (int, error) { return len(p), nil }

func (l *emptyLog) Preallocate(int64, int64) error { return nil }

func (l *emptyLog) Sync() error { return nil }

func (l *emptyLog) SyncData() error { return nil }

func (l *emptyLog) SyncTo(int64) (bool, error) { return true, nil }
