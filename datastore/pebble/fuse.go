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
type fuse struct {
	vfs.FS
	blown       atomic.Pointer[error]
	beforeTable func() error
	pause       func() error // before a table file is created; holds Pebble back when it tries again and again
	failed      func(error)  // told once the disk has failed
}

// blow stops all further changes.
func (f *fuse) blow(cause error) {
	err := fmt.Errorf("%w: %w", datastore.ErrStoreFailed, cause)
	if f.blown.CompareAndSwap(nil, &err) && f.failed != nil {
		f.failed(cause)
	}
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

// isMarker tells of a file whose name points to another file, which must be there whenever the marker is.
func isMarker(name string) bool { return strings.HasPrefix(name, "marker.") }

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
	return &fusedFile{File: file, fuse: f, table: isTable(name)}, nil
}

// Create implements vfs.FS.
func (f *fuse) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if isTable(name) && f.pause != nil {
		if err := f.pause(); err != nil {
			return nil, err
		}
	}
	if isMarker(f.PathBase(name)) {
		dir := f.PathDir(name)
		if err := f.do(func() error { return durable.SyncDir(f.FS, dir) }); err != nil {
			return nil, err
		}
	}
	return f.file(name, func() (vfs.File, error) { return f.FS.Create(name, c) })
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

// fusedDir is a directory. Pebble ends the process when one cannot be synced, so it is not told: the fuse has blown by
// then, and nothing that Pebble believes after that gets to the disk or is acknowledged.
type fusedDir struct{ fusedFile }

func (d *fusedDir) Sync() error {
	if d.fuse.blown.Load() == nil {
		if err := d.File.Sync(); err != nil {
			d.fuse.blow(err)
		}
	}
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
