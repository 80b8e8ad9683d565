package pebble

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
)

// beginWriting has the kernel begin to write a range of a file. Where that cannot be, it is errors.ErrUnsupported.
func beginWriting(fd uintptr, offset, length int64) error {
	if fd == vfs.InvalidFd {
		return errors.ErrUnsupported
	}
	err := unix.SyncFileRange(int(fd), offset, length, unix.SYNC_FILE_RANGE_WRITE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ESPIPE) || errors.Is(err, unix.EINTR) {
		return errors.ErrUnsupported
	}
	return err
}

func punchFD(fd uintptr, offset, length int64) error {
	if fd == vfs.InvalidFd {
		return errors.ErrUnsupported
	}
	return unix.Fallocate(int(fd), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
}
