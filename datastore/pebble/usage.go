package pebble

import (
	"errors"
	"io/fs"

	"github.com/hypernode/hypernode/datastore"
)

// Free implements datastore.Spacer.
func (e *Engine) Free() (free, total uint64, err error) {
	u, err := e.fs.GetDiskUsage(e.dir)
	return u.AvailBytes, u.TotalBytes, err
}

// Used implements datastore.Spacer: the bytes of all files as the file system counts them, holes left out.
func (e *Engine) Used() (uint64, error) {
	if e.isClosed() {
		return 0, datastore.ErrClosed
	}
	return e.used(e.dir)
}

func (e *Engine) used(name string) (uint64, error) {
	info, err := e.fs.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // removed meanwhile
	}
	if err != nil {
		return 0, err
	}
	sum := allocated(info)
	if !info.IsDir() {
		return sum, nil
	}
	names, err := e.fs.List(name)
	if err != nil {
		return 0, err
	}
	for _, n := range names {
		u, err := e.used(e.fs.PathJoin(name, n))
		if err != nil {
			return 0, err
		}
		sum += u
	}
	return sum, nil
}
