//go:build unix

package datastore

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openSecret opens a file, but not through a link and without waiting for a pipe's other end.
func openSecret(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
