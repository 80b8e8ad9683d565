package pebble

import (
	"container/list"
	"errors"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// maxHandles is how many segments are kept open for reading.
const maxHandles = 64

// handles keeps segments open for reading, the latest used first. One that is in use stays open until it is not.
type handles struct {
	open func(number uint32) (vfs.File, error)

	mu    sync.Mutex // guards the fields below
	files map[uint32]*handle
	order *list.List // of *handle
}

type handle struct {
	file    vfs.File
	number  uint32
	users   int
	dropped bool // closed by its last user
	place   *list.Element
}

func newHandles(open func(uint32) (vfs.File, error)) *handles {
	return &handles{open: open, files: map[uint32]*handle{}, order: list.New()}
}

// readAt fills b with the bytes at off of a segment.
func (hs *handles) readAt(number uint32, b []byte, off int64) error {
	h, err := hs.acquire(number)
	if err != nil {
		return err
	}
	n, err := h.file.ReadAt(b, off)
	if n == len(b) {
		err = nil
	} else if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, hs.release(h))
}

func (hs *handles) acquire(number uint32) (*handle, error) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h := hs.files[number]
	if h == nil {
		file, err := hs.open(number)
		if err != nil {
			return nil, err
		}
		h = &handle{file: file, number: number}
		h.place = hs.order.PushFront(h)
		hs.files[number] = h
		hs.evictLocked()
	} else if h.place != hs.order.Front() {
		hs.order.MoveToFront(h.place)
	}
	h.users++
	return h, nil
}

func (hs *handles) release(h *handle) error {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h.users--
	if h.dropped && h.users == 0 {
		return h.file.Close()
	}
	return nil
}

// drop forgets a segment, which is about to be removed.
func (hs *handles) drop(number uint32) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if h := hs.files[number]; h != nil {
		hs.dropLocked(h)
	}
}

func (hs *handles) evictLocked() {
	for hs.order.Len() > maxHandles {
		hs.dropLocked(hs.order.Back().Value.(*handle))
	}
}

func (hs *handles) dropLocked(h *handle) {
	delete(hs.files, h.number)
	hs.order.Remove(h.place)
	h.dropped = true
	if h.users == 0 {
		_ = h.file.Close() // only read
	}
}

// close closes all that are not in use.
func (hs *handles) close() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for _, h := range hs.files {
		hs.dropLocked(h)
	}
}
