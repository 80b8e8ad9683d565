package pebble

import "github.com/cockroachdb/pebble/v2/vfs"

// puncher is a file that can make a hole of a range: it then reads as zeros and takes no space.
type puncher interface {
	Punch(offset, length int64) error
}

// punch makes a hole. It returns errors.ErrUnsupported where there is no way to.
func punch(f vfs.File, offset, length int64) error {
	if p, ok := f.(puncher); ok {
		return p.Punch(offset, length)
	}
	return punchFD(f.Fd(), offset, length)
}
