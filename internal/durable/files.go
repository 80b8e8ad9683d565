package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// SyncDir puts the entries of a directory on stable storage.
func SyncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// MkdirAll makes a directory with its missing parents; once it returns, all of them outlive a power loss.
func MkdirAll(fsys vfs.FS, dir string, perm os.FileMode) error {
	parent := fsys.PathDir(dir)
	if _, err := fsys.Stat(dir); err == nil || parent == dir {
		return err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := MkdirAll(fsys, parent, perm); err != nil {
		return err
	}
	if err := fsys.MkdirAll(dir, perm); err != nil {
		return err
	}
	return SyncDir(fsys, parent)
}

// WriteFile puts data into the file name, with the permission bits perm where the file system has such. A crash leaves
// the old file or the new one, and perhaps name with ".tmp" behind it; once WriteFile returns, the new one is on stable
// storage.
func WriteFile(fsys vfs.FS, name string, data []byte, perm os.FileMode) error {
	tmp := name + ".tmp"
	if err := writeSynced(fsys, tmp, data, perm); err != nil {
		return errors.Join(err, Remove(fsys, tmp))
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return errors.Join(err, Remove(fsys, tmp))
	}
	return SyncDir(fsys, fsys.PathDir(name))
}

func writeSynced(fsys vfs.FS, name string, data []byte, perm os.FileMode) error {
	f, err := fsys.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if c, ok := f.(interface{ Chmod(os.FileMode) error }); ok {
		err = c.Chmod(perm) // before the first byte
	}
	if err == nil {
		_, err = f.Write(append([]byte(nil), data...))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// ReadFile returns what is in a file of at most limit bytes; a longer one is cut.
func ReadFile(fsys vfs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	return data, errors.Join(err, f.Close())
}

// Remove removes a file. It is no error when there is none.
func Remove(fsys vfs.FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
