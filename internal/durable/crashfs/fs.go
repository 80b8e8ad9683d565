// Package crashfs is a test kit for what writes files through the file system interface of Pebble. Wrap calls a hook
// before each operation that changes something: the hook can count, take a picture of the disk as a power loss would
// leave it at that moment, or let the operation fail. NewCrasher is a hook that takes pictures.
package crashfs

import (
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Kind is what an operation does.
type Kind uint8

// The kinds of operations that change something.
const (
	Create Kind = iota + 1
	Link
	Remove
	Rename
	Reuse
	Mkdir
	Write
	Sync
	SyncDir
	Punch
)

// String returns the name of the kind.
func (k Kind) String() string {
	return [...]string{"none", "create", "link", "remove", "rename", "reuse", "mkdir", "write", "sync", "syncdir", "punch"}[k]
}

// Op is an operation that is about to be done.
type Op struct {
	Kind Kind
	Path string
	Len  int // of the bytes that are written
}

// Short is an error of a hook that lets the first N bytes of a write through before it fails with Err.
type Short struct {
	N   int
	Err error
}

// Error implements error.
func (s *Short) Error() string { return s.Err.Error() }

// Unwrap returns Err.
func (s *Short) Unwrap() error { return s.Err }

// Hook is called before each operation. An error lets the operation fail with it. It may be called from several
// goroutines at a time.
type Hook func(Op) error

// FS is a file system with a hook.
type FS struct {
	vfs.FS
	hook  Hook
	blind func(path string) bool // whose syncs are a lie
}

// Wrap returns fsys with a hook before each change. Files in memory learn to make holes, by writing zeros.
func Wrap(fsys vfs.FS, hook Hook) *FS { return &FS{FS: fsys, hook: hook} }

// WithoutSync makes every sync of some files and folders a lie: it does nothing and reports success. A test that does
// not notice is blind.
func (f *FS) WithoutSync(of func(path string) bool) *FS {
	return &FS{FS: f.FS, hook: f.hook, blind: of}
}

func (f *FS) file(op Op, open func() (vfs.File, error)) (vfs.File, error) {
	if err := f.hook(op); err != nil {
		return nil, err
	}
	file, err := open()
	return f.wrap(op.Path, file), err
}

func (f *FS) wrap(name string, file vfs.File) vfs.File {
	if file == nil {
		return nil
	}
	h := hookedFile{File: file, fs: f, name: name}
	if file.Fd() == vfs.InvalidFd {
		return &memFile{h}
	}
	return &h
}

// Create implements vfs.FS.
func (f *FS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(Op{Kind: Create, Path: name}, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

// OpenReadWrite implements vfs.FS. It counts as a change only where it creates the file.
func (f *FS) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	open := func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) }
	if _, err := f.Stat(name); err != nil {
		return f.file(Op{Kind: Create, Path: name}, open)
	}
	file, err := open()
	return f.wrap(name, file), err
}

// OpenDir implements vfs.FS.
func (f *FS) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &hookedFile{File: d, fs: f, name: name, dir: true}, nil
}

// ReuseForWrite implements vfs.FS.
func (f *FS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	op := Op{Kind: Reuse, Path: newname}
	return f.file(op, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, c) })
}

// Link implements vfs.FS.
func (f *FS) Link(oldname, newname string) error {
	if err := f.hook(Op{Kind: Link, Path: newname}); err != nil {
		return err
	}
	return f.FS.Link(oldname, newname)
}

// Remove implements vfs.FS.
func (f *FS) Remove(name string) error {
	if err := f.hook(Op{Kind: Remove, Path: name}); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// RemoveAll implements vfs.FS.
func (f *FS) RemoveAll(name string) error {
	if err := f.hook(Op{Kind: Remove, Path: name}); err != nil {
		return err
	}
	return f.FS.RemoveAll(name)
}

// Rename implements vfs.FS.
func (f *FS) Rename(oldname, newname string) error {
	if err := f.hook(Op{Kind: Rename, Path: newname}); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

// MkdirAll implements vfs.FS.
func (f *FS) MkdirAll(dir string, perm os.FileMode) error {
	if err := f.hook(Op{Kind: Mkdir, Path: dir}); err != nil {
		return err
	}
	return f.FS.MkdirAll(dir, perm)
}

// Lock implements vfs.FS. It is no change: a lock does not outlive its process.
func (f *FS) Lock(name string) (io.Closer, error) { return f.FS.Lock(name) }

// Unwrap implements vfs.FS.
func (f *FS) Unwrap() vfs.FS { return f.FS }
