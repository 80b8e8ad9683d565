//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package mirror

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockFolder waits until no other run, of this process or another, writes to a folder: two would take each other's partial files
// for their own. Who closes the file that it returns lets the next one in. Where a file system has no locks it returns nil.
func lockFolder(ctx context.Context, root *os.Root) (*os.File, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, f.Close()
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		}
	}
}

// lockPoll is how often a folder is looked at that another run writes to.
const lockPoll = 20 * time.Millisecond
