package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable"
)

// folderLock is a lock that is held on a store's folder. It ends with the process at the latest.
type folderLock struct {
	io.Closer
	fs     vfs.FS
	holder string // the file that names the process; empty for a reader
}

// Close gives the folder free.
func (l *folderLock) Close() error {
	var err error
	if l.holder != "" {
		err = durable.Remove(l.fs, l.holder)
	}
	return errors.Join(err, l.Closer.Close())
}

// lockFolder locks the folder for this process; a reader shares it with other readers and writes nothing. It does not
// wait: the error wraps datastore.ErrLocked and names who has the lock.
func lockFolder(fsys vfs.FS, dir string, shared bool) (io.Closer, error) {
	holder := fsys.PathJoin(dir, holderFile)
	c, held, err := tryLock(fsys, fsys.PathJoin(dir, lockFile), shared)
	if held {
		return nil, fmt.Errorf("%w by %s", datastore.ErrLocked, readHolder(fsys, holder))
	}
	if err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	if shared {
		return &folderLock{Closer: c, fs: fsys}, nil
	}
	if err := writeHolder(fsys, holder); err != nil && !isNoSpace(err) {
		return nil, errors.Join(fmt.Errorf("locking: %w", err), c.Close())
	}
	return &folderLock{Closer: c, fs: fsys, holder: holder}, nil
}

// writeHolder names this process. The name is only for messages; it need not outlive a crash, nor does the lock.
func writeHolder(fsys vfs.FS, name string) error {
	f, err := fsys.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "process %d (%s)\n", os.Getpid(), filepath.Base(os.Args[0]))
	return errors.Join(err, f.Close())
}

func readHolder(fsys vfs.FS, name string) string {
	b, err := durable.ReadFile(fsys, name, 256)
	if s := strings.TrimSpace(string(b)); err == nil && s != "" {
		return fmt.Sprintf("%q", s)
	}
	return "a process that has it open for reading"
}

type noLock struct{}

// Close implements io.Closer.
func (noLock) Close() error { return nil }

// tryLock locks a file. held tells that somebody else has the lock.
func tryLock(fsys vfs.FS, name string, shared bool) (c io.Closer, held bool, err error) {
	var f vfs.File
	if shared {
		f, err = fsys.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return noLock{}, false, nil // a copy on a medium that cannot be written
		}
	} else {
		f, err = fsys.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	}
	if err != nil {
		return nil, false, err
	}
	if fd := f.Fd(); fd != vfs.InvalidFd && canLock {
		if held, err = lockFD(fd, shared); held || err != nil {
			return nil, held, errors.Join(err, f.Close())
		}
		return f, false, nil
	}
	if err := f.Close(); err != nil || shared {
		return noLock{}, false, err
	}
	c, err = fsys.Lock(name)
	return c, err != nil, nil
}
