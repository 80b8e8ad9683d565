package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
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
		return f.place(w, func(dir *os.Root, part string) error { return dir.Symlink(w.want.link, part) })
	default:
		return f.place(w, func(dir *os.Root, part string) error {
			return f.fill(ctx, dir, part, w.want, bytes.NewReader(w.data), nil)
		})
	}
}

func (f *folder) stream(ctx context.Context, w write, r io.Reader, check func() error) error {
	// The first bytes are awaited before anything is made: a file whose contents cannot be had leaves no trace.
	head := make([]byte, chunk)
	n, err := fill(r, head)
	if err != nil && err != io.EOF {
		return err
	}
	return f.place(w, func(dir *os.Root, part string) error {
		return f.fill(ctx, dir, part, w.want, io.MultiReader(bytes.NewReader(head[:n]), r), check)
	})
}

// place has a file or link made under a temporary name, and gives it its own.
func (f *folder) place(w write, make func(dir *os.Root, part string) error) error {
	part := partialName(w.want.path)
	err := f.within(part, true, make)
	if err == nil {
		// The folder is taken again: it may have been moved away while a large file was written.
		err = f.within(part, true, func(dir *os.Root, part string) error { return f.rename(dir, part, w) })
	}
	if err != nil && w.want.size >= 0 && w.want.size <= smallFile {
		_ = f.root.Remove(part) // else the next run does
	} else if err != nil {
		f.keepPartial(part)
	}
	return err
}

// within does something with a name in its folder, which with create is made if it is not there. No link leads to the folder.
func (f *folder) within(p string, create bool, do func(dir *os.Root, name string) error) error {
	d, err := f.holds.take(parent(p), create)
	if err != nil {
		return err
	}
	defer f.holds.release(d)
	if err = do(d.Root, path.Base(p)); err != nil {
		f.holds.forget(parent(p)) // perhaps for what became of the folder
	}
	return err
}

// fill writes contents to a partial file. What it has already, from a run that was interrupted, is compared and not written again.
func (f *folder) fill(ctx context.Context, dir *os.Root, part string, e entry, r io.Reader, check func() error) (err error) {
	perm := permissions(e)
	file, fresh, err := create(dir, part, perm|0o600)
	if err != nil {
		return err
	}
	defer func() {
		if end := file.Close(); err == nil {
			err = end
		}
		if err == nil && usable(e.time) {
			err = dir.Chtimes(part, e.time, e.time)
		}
	}()
	if _, err := copyOver(ctx, file, r, fresh); err != nil {
		return err
	}
	if check != nil {
		if err := check(); err != nil {
			return err
		}
	}
	if fresh && perm&0o600 == 0o600 {
		return nil // as it was made
	}
	return restrict(file, perm)
}

// create opens a partial file, and tells whether it is new and empty. What stands under its name and is no file of ours to go on
// with is removed.
func create(dir *os.Root, part string, perm fs.FileMode) (_ *os.File, fresh bool, err error) {
	file, err := dir.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if !errors.Is(err, fs.ErrExist) {
		return file, true, err
	}
	if info, err := dir.Lstat(part); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o600 == 0o600 && info.Size() > smallFile {
		if file, err := dir.OpenFile(part, os.O_RDWR|openFlags, 0); err == nil {
			if opened, err := file.Stat(); err == nil && os.SameFile(info, opened) {
				return file, false, nil
			}
			_ = file.Close()
		}
	}
	if err := dir.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	file, err = dir.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	return file, true, err
}

// copyOver makes a file, which may be known to be empty, what r has, from its beginning, and writes only what differs from what it has.
func copyOver(ctx context.Context, file *os.File, r io.Reader, empty bool) (written int64, err error) {
	if whole, ok := r.(*bytes.Reader); ok && empty {
		return whole.WriteTo(file)
	}
	old, at := int64(0), int64(0)
	if !empty {
		info, err := file.Stat()
		if err != nil {
			return 0, err
		}
		old = info.Size()
	}
	buf := make([]byte, chunk)
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

// rename gives a complete file its name, in place of what was listed there and nothing else.
func (f *folder) rename(dir *os.Root, part string, w write) error {
	f.finishing.Lock()
	defer f.finishing.Unlock()
	name := path.Base(w.want.path)
	info, err := dir.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		// An empty folder is nothing to a mirror; one with something in it cannot be removed this way.
		f.holds.forget(w.want.path)
		if !f.options.Prune || dir.Remove(name) != nil {
			return fmt.Errorf("%w: a folder", ErrInTheWay)
		}
	case w.have == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%w: %v", ErrInTheWay, info.Mode().Type())
	case w.have == nil:
		return ErrClash
	}
	return dir.Rename(part, name)
}
