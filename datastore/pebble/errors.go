package pebble

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
)

// errAborted: Close does not wait any longer for work in the background.
var errAborted = errors.New("pebble: closing")

// errUndo: what a failed write left behind cannot be removed.
var errUndo = errors.New("pebble: a failed write cannot be undone")

func isNoSpace(err error) bool {
	return err != nil && (vfs.IsNoSpaceError(err) || errors.Is(err, syscall.EDQUOT))
}

// corrupt tells that the store as a whole is damaged.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %w", datastore.ErrCorrupt, fmt.Errorf(format, args...))
}

// worded is an error that others were put into words for.
type worded struct {
	text string
	args []any
}

func (w worded) Error() string { return w.text }

func (w worded) Unwrap() (errs []error) {
	for _, a := range w.args {
		if err, ok := a.(error); ok {
			errs = append(errs, err)
		}
	}
	return errs
}

// openError words an error of Pebble's Open: what is no failure of the file system is damage.
func openError(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && !errors.Is(err, fs.ErrNotExist) || errors.Is(err, errAborted) {
		return fmt.Errorf("opening the records: %w", err)
	}
	return corrupt("opening the records: %w", err)
}
