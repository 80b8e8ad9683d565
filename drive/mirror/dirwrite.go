package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

func (f *folder) grouped() bool { return false }

// apply makes one write.
func (f *folder) apply(ctx context.Context, writes []write) error {
	for _, w := range writes {
		if err := f.write(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) write(ctx context.Context, w write) error {
	switch {
	case w.keep:
		return f.setAttributes(w.want)
	case w.want.isLink():
		return f.place(w, func(part string) error { return f.root.Symlink(w.want.link, part) })
	default:
		return f.place(w, func(part string) error { return f.fill(ctx, w.want, part, bytes.NewReader(w.data), nil) })
	}
}

func (f *folder) stream(ctx context.Context, w write, r io.Reader, check func() error) error {
	// The first bytes are awaited before anything is made: a file whose contents cannot be had leaves no trace.
	head := make([]byte, chunk)
	n, err := fill(r, head)
	if err != nil && err != io.EOF {
		return err
	}
	return f.place(w, func(part string) error {
		return f.fill(ctx, w.want, part, io.MultiReader(bytes.NewReader(head[:n]), r), check)
	})
}

// place has a file or link made under a temporary name and gives it its own.
func (f *folder) place(w write, make func(part string) error) error {
	if err := f.ensure(parent(w.want.path)); err != nil {
		return err
	}
	part := partialName(w.want.path)
	err := make(part)
	if err == nil {
		err = f.rename(part, w)
	}
	if err != nil && w.want.size >= 0 && w.want.size <= smallFile {
		_ = f.root.Remove(part) // else the next run does
	} else if err != nil {
		f.keepPartial(part)
	}
	return err
}

// ensure makes a folder and those above it. No link may lead there.
func (f *folder) ensure(dir string) error {
	if dir == "" {
		return nil
	}
	f.mu.Lock()
	_, known := f.plain[dir]
	f.mu.Unlock()
	if known {
		return nil
	}
	if err := f.ensure(parent(dir)); err != nil {
		return err
	}
	info, err := f.root.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = f.root.Mkdir(dir, 0o777); err == nil || errors.Is(err, fs.ErrExist) {
			info, err = f.root.Lstat(dir)
		}
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is no folder", ErrInTheWay, dir)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.plain) >= maxRemembered {
		clear(f.plain)
	}
	f.plain[dir] = struct{}{}
	return nil
}

// fill writes contents to a partial file. What it has already, from a run that was interrupted, is compared and not written again.
func (f *folder) fill(ctx context.Context, e entry, part string, r io.Reader, check func() error) (err error) {
	file, err := f.create(part, e)
	if err != nil {
		return err
	}
	defer func() {
		if end := file.Close(); err == nil {
			err = end
		}
		if err == nil && usable(e.time) {
			err = f.root.Chtimes(part, e.time, e.time)
		}
	}()
	if _, err := copyOver(ctx, file, r); err != nil {
		return err
	}
	if check != nil {
		if err := check(); err != nil {
			return err
		}
	}
	return restrict(file, permissions(e))
}

// create opens a partial file. What stands under its name and is no file of ours to go on with is removed.
func (f *folder) create(part string, e entry) (*os.File, error) {
	perm := permissions(e) | 0o600
	file, err := f.root.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if !errors.Is(err, fs.ErrExist) {
		return file, err
	}
	if info, err := f.root.Lstat(part); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o600 == 0o600 && info.Size() > smallFile {
		if file, err := f.root.OpenFile(part, os.O_RDWR|openFlags, 0); err == nil {
			if opened, err := file.Stat(); err == nil && os.SameFile(info, opened) {
				return file, nil
			}
			_ = file.Close()
		}
	}
	if err := f.root.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return f.root.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
}

// copyOver makes a file what r has, from its beginning, and writes only what differs from what it has.
func copyOver(ctx context.Context, file *os.File, r io.Reader) (written int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	old, at := info.Size(), int64(0)
	buf := make([]byte, min(chunk, bufferFor(r)))
	var there []byte
	for err == nil {
		if err := ctx.Err(); err != nil {
			return written, err
		}
		var n int
		n, err = fill(r, buf)
		if n > 0 && at < old {
			if there == nil {
				there = make([]byte, len(buf))
			}
			if m, _ := file.ReadAt(there[:n], at); m == n && bytes.Equal(there[:n], buf[:n]) {
				at += int64(n)
				continue
			}
		}
		if m, failed := file.WriteAt(buf[:n], at); failed != nil {
			return written + int64(m), failed
		}
		at, written = at+int64(n), written+int64(n)
	}
	if err != io.EOF {
		return written, err
	}
	if at < old {
		return written, file.Truncate(at)
	}
	return written, nil
}

// bufferFor returns the size of a buffer for a reader, in bytes: small ones know how much they have.
func bufferFor(r io.Reader) int {
	if l, ok := r.(interface{ Len() int }); ok {
		return l.Len() + 1
	}
	return chunk
}

// rename gives a complete file its name, in place of what was listed there and nothing else.
func (f *folder) rename(part string, w write) error {
	f.finishing.Lock()
	defer f.finishing.Unlock()
	info, err := f.root.Lstat(w.want.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		// An empty folder is nothing to a mirror; one with something in it cannot be removed this way.
		if !f.options.Prune || f.root.Remove(w.want.path) != nil {
			return fmt.Errorf("%w: a folder", ErrInTheWay)
		}
	case w.have == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%w: %v", ErrInTheWay, info.Mode().Type())
	case w.have == nil:
		return ErrClash
	}
	return f.root.Rename(part, w.want.path)
}
