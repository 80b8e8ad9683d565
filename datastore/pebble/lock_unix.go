//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package pebble

import (
	"errors"

	"golang.org/x/sys/unix"
)

const canLock = true

// lockFD locks an open file, whoever opened it: unlike the locks of fcntl, this one also keeps out the same process.
func lockFD(fd uintptr, shared bool) (held bool, err error) {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	err = unix.Flock(int(fd), how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
