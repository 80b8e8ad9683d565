package crashfs

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// hookedFile is a file or directory whose changes pass the hook.
type hookedFile struct {
	vfs.File
	fs   *FS
	name string
	dir  bool
}

// Write implements io.Writer.
func (f *hookedFile) Write(p []byte) (int, error) { return f.write(p, f.File.Write) }

// WriteAt implements io.WriterAt.
func (f *hookedFile) WriteAt(p []byte, off int64) (int, error) {
	return f.write(p, func(p []byte) (int, error) { return f.File.WriteAt(p, off) })
}

func (f *hookedFile) write(p []byte, write func([]byte) (int, error)) (int, error) {
	err := f.fs.hook(Op{Kind: Write, Path: f.name, Len: len(p)})
	if err == nil {
		return write(p)
	}
	var s *Short
	if !errors.As(err, &s) || s.N <= 0 {
		return 0, err
	}
	n, werr := write(p[:min(s.N, len(p))])
	return n, errors.Join(err, werr)
}

// Sync implements vfs.File.
func (f *hookedFile) Sync() error { return f.sync(f.File.Sync) }

// SyncData implements vfs.File.
func (f *hookedFile) SyncData() error { return f.sync(f.File.SyncData) }

func (f *hookedFile) sync(sync func() error) error {
	k := Sync
	if f.dir {
		k = SyncDir
	}
	if err := f.fs.hook(Op{Kind: k, Path: f.name}); err != nil {
		return err
	}
	if f.fs.blind != nil && f.fs.blind(f.name) {
		return nil
	}
	return sync()
}

// memFile is a file in memory.
type memFile struct{ hookedFile }

// Punch writes zeros.
func (f *memFile) Punch(offset, length int64) error {
	if err := f.fs.hook(Op{Kind: Punch, Path: f.name}); err != nil {
		return err
	}
	_, err := f.File.WriteAt(make([]byte, length), offset)
	return err
}
