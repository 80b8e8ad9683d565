//go:build linux || darwin

package badger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// locked tells whether somebody has the folder locked, the way Badger locks it.
func locked(dir string, readOnly bool) bool {
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close() // gives the lock up
	how := unix.LOCK_EX
	if readOnly {
		how = unix.LOCK_SH
	}
	return errors.Is(unix.Flock(int(d.Fd()), how|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Free implements datastore.Spacer.
func (e *engine) Free() (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(e.dir, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize), nil
}

// Used implements datastore.Spacer.
func (e *engine) Used() (n uint64, err error) {
	err = filepath.WalkDir(e.dir, func(path string, entry fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = entry.Info()
		}
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			n += uint64(s.Blocks) * 512
		}
		return nil
	})
	return n, err
}
