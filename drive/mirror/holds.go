package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"
)

// How many folders are held open beside those in use, and for how long: one that somebody moves away is not used for longer.
const (
	maxHolds = 32
	holdTime = time.Second
)

// holds keeps the folders open that were used last, since going from the root to the folder of each file takes longer than writing
// a small one. No link leads to any of them.
type holds struct {
	top hold

	mu    sync.Mutex // guards all below, and the fields of all holds
	open  map[string]*hold
	clock uint64 // counts what is taken
}

// hold is an open folder.
type hold struct {
	*os.Root
	users  int
	used   uint64 // the clock when it was taken last
	since  time.Time
	closed bool // forgotten: its last user closes it
}

func newHolds(root *os.Root) *holds {
	return &holds{top: hold{Root: root}, open: map[string]*hold{}}
}

// take returns the folder of a path, "" for the root, to be released. With create it is made if it is not there, else the error is
// an fs.ErrNotExist, also where a link or a file stands.
func (h *holds) take(dir string, create bool) (*hold, error) {
	if dir == "" {
		return &h.top, nil
	}
	if d := h.known(dir); d != nil {
		return d, nil
	}
	up, err := h.take(parent(dir), create)
	if err != nil {
		return nil, err
	}
	defer h.release(up)
	root, err := step(up.Root, path.Base(dir), create)
	if errors.Is(err, ErrInTheWay) {
		if err = fmt.Errorf("%w: %s is no folder", ErrInTheWay, dir); !create {
			err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return h.keep(dir, root), nil
}

// step opens a folder in a folder, which is not a link to one.
func step(in *os.Root, name string, create bool) (*os.Root, error) {
	info, err := in.Lstat(name)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err = in.Mkdir(name, 0o777); err == nil || errors.Is(err, fs.ErrExist) {
			info, err = in.Lstat(name)
		}
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, ErrInTheWay
	}
	root, err := in.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(info, opened) {
		err = ErrChanging
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// known takes a folder that is open.
func (h *holds) known(dir string) *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.open[dir]
	if d == nil {
		return nil
	}
	if time.Since(d.since) > holdTime {
		h.forgetLocked(dir)
		return nil
	}
	h.clock++
	d.users, d.used = d.users+1, h.clock
	return d
}

// keep takes a folder that was just opened, or the same one that somebody else opened meanwhile.
func (h *holds) keep(dir string, root *os.Root) *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	if d := h.open[dir]; d != nil {
		_ = root.Close()
		d.users, d.used = d.users+1, h.clock
		return d
	}
	h.evictLocked()
	d := &hold{Root: root, users: 1, used: h.clock, since: time.Now()}
	h.open[dir] = d
	return d
}

// evictLocked forgets the folder that was not used for longest, when there are too many.
func (h *holds) evictLocked() {
	if len(h.open) < maxHolds {
		return
	}
	oldest := ""
	for dir, d := range h.open {
		if oldest == "" || d.used < h.open[oldest].used {
			oldest = dir
		}
	}
	h.forgetLocked(oldest)
}

// release gives a folder back.
func (h *holds) release(d *hold) {
	if d == &h.top {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.users--; d.users == 0 && d.closed {
		_ = d.Close() // nothing was written to the folder itself
	}
}

// forget has a folder looked up anew by who takes it next.
func (h *holds) forget(dir string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetLocked(dir)
}

func (h *holds) forgetLocked(dir string) {
	d := h.open[dir]
	if d == nil {
		return
	}
	delete(h.open, dir)
	if d.closed = true; d.users == 0 {
		_ = d.Close()
	}
}

// close closes all folders but the root.
func (h *holds) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for dir := range h.open {
		h.forgetLocked(dir)
	}
}
