package mirror

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
)

// chunk is how much is read at a time, in bytes.
const chunk = 512 << 10

// meter counts what is read of a file, and stops where it has more bytes than it said.
type meter struct {
	r      io.Reader
	run    *run
	job    *job
	silent bool   // it is no progress
	limit  int64  // the size of the file, if it is above 0
	quota  *quota // what is charged, if the size was not known
	n      int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	progress := int64(n)
	if m.silent || m.job.want.size < 0 {
		progress = 0
	}
	m.job.counted += progress
	m.run.read(m.job.want.path, int64(n), progress)
	if m.limit > 0 && m.n > m.limit {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrSize, m.limit)
	}
	if m.quota != nil && n > 0 {
		if err := m.quota.take(0, int64(n)); err != nil {
			return 0, err
		}
	}
	return n, err
}

// check says that all was read.
func (m *meter) check() error {
	if m.limit > 0 && m.n != m.limit {
		return fmt.Errorf("%w: %d bytes instead of %d", ErrSize, m.n, m.limit)
	}
	return nil
}

// ahead reads a few chunks ahead of its reader.
type ahead struct {
	full, free chan []byte
	quit       chan struct{}
	done       sync.WaitGroup

	now, buf []byte // what is left of the chunk in hand, and all of it
	err      error  // of the reading side, to be seen once full is closed
}

// readAhead reads r in a goroutine, which Close waits for.
func readAhead(r io.Reader) *ahead {
	const chunks = 4
	a := &ahead{full: make(chan []byte, chunks), free: make(chan []byte, chunks), quit: make(chan struct{})}
	for range chunks {
		a.free <- nil
	}
	a.done.Go(func() {
		defer close(a.full)
		a.err = a.run(r)
	})
	return a
}

func (a *ahead) run(r io.Reader) error {
	for {
		select {
		case <-a.quit:
			return nil
		case buf := <-a.free:
			if buf == nil {
				buf = make([]byte, chunk)
			}
			n, err := fill(r, buf[:chunk])
			if n > 0 {
				a.full <- buf[:n]
			}
			if err != nil {
				return err
			}
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.now) == 0 {
		if a.buf != nil {
			a.free <- a.buf
			a.buf = nil
		}
		buf, ok := <-a.full
		if !ok {
			return 0, a.err
		}
		a.now, a.buf = buf, buf
	}
	n := copy(p, a.now)
	a.now = a.now[n:]
	return n, nil
}

// Close ends the reading; the read that is under way is waited for.
func (a *ahead) Close() error {
	close(a.quit)
	a.done.Wait()
	return nil
}

// fill reads until p is full or r fails, with io.EOF at its end.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// sameContents reads two contents until they differ.
func sameContents(ctx context.Context, want, have io.Reader) (bool, error) {
	a, b := make([]byte, chunk/2), make([]byte, chunk/2)
	for ctx.Err() == nil {
		n, err := fill(want, a)
		if err != nil && err != io.EOF {
			return false, err
		}
		m, other := fill(have, b)
		if other != nil && other != io.EOF {
			return false, nil // what cannot be read is written anew
		}
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if err != nil {
			return other != nil, nil
		}
	}
	return false, ctx.Err()
}
