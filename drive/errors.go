package drive

import (
	"errors"
	"fmt"
	"io/fs"
)

// Errors that callers branch on. Those of packages bee, blobs and core come through as they are.
var (
	// ErrNotFound: there is no entry of that path. It is an fs.ErrNotExist.
	ErrNotFound = fmt.Errorf("drive: %w", fs.ErrNotExist)
	// ErrPath: a path that cannot be: it names no file, or leaves the drive. It is an fs.ErrInvalid.
	ErrPath = fmt.Errorf("drive: path cannot be resolved: %w", fs.ErrInvalid)
	// ErrEntry: the value of an entry is none that a drive writes.
	ErrEntry = errors.New("drive: invalid entry")
	// ErrIsFolder: a folder stands where a file is wanted; ErrNotFolder: a file where a folder is.
	ErrIsFolder  = errors.New("drive: is a folder")
	ErrNotFolder = errors.New("drive: not a folder")
	// ErrLinks: links that lead to links, more than MaxLinks in a row.
	ErrLinks = errors.New("drive: recursive symlink")
	// ErrClosed: the drive, a file or a batch was closed.
	ErrClosed = fmt.Errorf("drive: %w", fs.ErrClosed)
	// ErrReadOnly: a change to a version of the past, or to a drive that was opened read-only.
	ErrReadOnly = errors.New("drive: read-only")
	// ErrEmpty: a drive of which nothing is known, since its writer wrote nothing or no peer was met, has no contents yet.
	ErrEmpty = errors.New("drive: nothing is known of it yet")
	// ErrNoDrive: the core is no drive: it is no bee, or names no core for its contents.
	ErrNoDrive = errors.New("drive: not a drive")
	// ErrVersion: a version that the drive has not.
	ErrVersion = errors.New("drive: no such version")
	// ErrTag: a tag that does not exist, or whose name or value cannot be. It is an fs.ErrNotExist where there is none.
	ErrTag = errors.New("drive: invalid tag")
)

// Errors of mounts.
var (
	// ErrIsMount: a mount stands where a file is wanted.
	ErrIsMount = errors.New("drive: is a mount")
	// ErrNotMount: there is no mount to unmount.
	ErrNotMount = errors.New("drive: not a mount")
	// ErrInvalidMount: an entry that looks like a mount says nothing that can be mounted.
	ErrInvalidMount = errors.New("drive: invalid mount")
	// ErrNotEmpty: a mount would hide entries.
	ErrNotEmpty = errors.New("drive: there are entries below the mount point")
	// ErrTooManyMounts: a path goes through more than MaxHops mounts and links, or more than MaxChildren drives are mounted.
	ErrTooManyMounts = errors.New("drive: too many mounts")
	// ErrReadOnlyMount: a change below a mount that is pinned to a version, or whose drive cannot be written here.
	ErrReadOnlyMount = errors.New("drive: read-only mount")
	// ErrCrossDrive: a batch, or one change, concerns two drives.
	ErrCrossDrive = errors.New("drive: a change across drives")
	// ErrMountUnavailable: what is mounted cannot be reached.
	ErrMountUnavailable = errors.New("drive: mounted drive is not available")
	// ErrVersionUnavailable: what is mounted has not reached the version that the mount is pinned to.
	ErrVersionUnavailable = errors.New("drive: mounted version is not available")
	// ErrPinMismatch: what is mounted has another history than the one that the mount is pinned to.
	ErrPinMismatch = errors.New("drive: mounted drive has another history")
	// ErrLocked: what is mounted is encrypted, and no key was given for it.
	ErrLocked = errors.New("drive: mounted drive is encrypted")
)

// pathError wraps an error as the file functions of the standard library do.
func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
