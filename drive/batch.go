package drive

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive/blobs"
)

// flushBytes is how many bytes of contents an Update gathers before it appends them, ahead of their entries.
const flushBytes = 16 << 20

// Batch is the changes of one Update. It reads what it has written; others do not, until the Update returns. It is for the goroutine
// that runs the Update, and its methods fail with ErrClosed once that ended. All paths are of one drive: what lies below a mount
// fails with ErrCrossDrive.
type Batch struct {
	ctx   context.Context
	tx    *bee.Batch
	tail  *blobs.Tail // nil for changes without contents
	plain map[string]struct{}
	done  bool
}

// Update runs fn and commits the changes that it made, all or nothing, in one commit; contents of more than 16 MiB are appended
// before. When fn fails, or panics, nothing is changed. Updates of one drive follow each other, and wait for files that are being
// written by Create and have gathered more than a few MiB; an Update or another change begun within fn never gets its turn.
//
// It fails with the error of fn, ErrReadOnly, core.ErrNotWritable, or as bee.Update does.
func (d *Drive) Update(ctx context.Context, fn func(tx *Batch) error) error {
	if err := d.writable(); err != nil {
		return err
	}
	b, err := d.s.content(ctx)
	if err != nil {
		return err
	}
	tail, err := b.Lock(ctx)
	if err != nil {
		return err
	}
	defer tail.Unlock()
	return d.commit(ctx, tail, fn)
}

// commit runs fn and appends entries together with the contents that wait in tail, which may be nil.
func (d *Drive) commit(ctx context.Context, tail *blobs.Tail, fn func(tx *Batch) error) error {
	if err := d.writable(); err != nil {
		return err
	}
	if err := d.s.known(ctx); err != nil {
		return err
	}
	return d.tree.Update(ctx, func(tx *bee.Batch) error {
		b := &Batch{ctx: ctx, tx: tx, tail: tail, plain: map[string]struct{}{}}
		defer func() { b.done = true }()
		if err := fn(b); err != nil {
			return err
		}
		if tail != nil && tail.Size() > 0 {
			tx.With(tail.Pending())
		}
		return nil
	})
}

// clean is Clean of the path of a change, which must not go through a mount or replace one.
func (b *Batch) clean(path string) (string, error) {
	if b.done {
		return "", ErrClosed
	}
	path, err := Clean(path)
	if err != nil {
		return "", err
	}
	for _, folder := range ancestors(path, true) {
		if _, ok := b.plain[folder]; ok {
			continue
		}
		e, err := b.lookup(folder)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrEntry):
			return "", err
		case err == nil && e.Mount != nil && folder == path:
			return "", ErrIsMount
		case err == nil && e.Mount != nil:
			return "", fmt.Errorf("%w: %s is a mount", ErrCrossDrive, folder)
		}
		if folder != path {
			b.plain[folder] = struct{}{}
		}
	}
	return path, nil
}

func (b *Batch) lookup(path string) (Entry, error) {
	found, err := b.tx.Get(files.Key(path))
	if errors.Is(err, bee.ErrNotFound) {
		return Entry{}, ErrNotFound
	}
	if err != nil {
		return Entry{}, err
	}
	return decodeFound(path, found)
}

// Entry returns what is at a path; links are not followed, mounts not crossed.
func (b *Batch) Entry(path string) (Entry, error) {
	if b.done {
		return Entry{}, ErrClosed
	}
	clean, err := Clean(path)
	if err != nil {
		return Entry{}, pathError("entry", path, err)
	}
	e, err := b.lookup(clean)
	return e, pathError("entry", path, err)
}

// WriteFile puts a file, in place of what is at its path. The data is copied.
func (b *Batch) WriteFile(path string, data []byte, m Meta) error {
	return pathError("write", path, b.write(path, data, m, true))
}

func (b *Batch) write(path string, data []byte, m Meta, kept bool) error {
	clean, err := b.clean(path)
	if err != nil {
		return err
	}
	meta, err := m.metadata()
	if err != nil {
		return err
	}
	var id blobs.ID
	if kept && len(data) < flushBytes {
		id = b.tail.PutCopy(data)
	} else {
		id = b.tail.Put(data)
	}
	if kept && b.tail.Size() >= flushBytes {
		if err := b.tail.Flush(b.ctx); err != nil {
			return err
		}
	}
	return b.put(clean, &Entry{Executable: m.Executable, Blob: &id, Metadata: meta})
}

// put sets an entry as it is.
func (b *Batch) put(clean string, e *Entry) error {
	delete(b.plain, clean)
	return b.tx.Put(files.Key(clean), e.encode())
}

// Symlink puts a symbolic link. The target is not looked at; a relative one begins at the link itself, as if that were a folder.
func (b *Batch) Symlink(path, target string, m Meta) error {
	return pathError("symlink", path, b.symlink(path, target, m))
}

func (b *Batch) symlink(path, target string, m Meta) error {
	if target == "" || len(target) > MaxPath {
		return fmt.Errorf("%w: a link to nothing, or to %d bytes", ErrPath, len(target))
	}
	clean, err := b.clean(path)
	if err != nil {
		return err
	}
	meta, err := m.metadata()
	if err != nil {
		return err
	}
	return b.put(clean, &Entry{Link: target, Metadata: meta})
}

// SetEntry puts Executable, Link, Blob and Metadata of an entry as they are, also in place of a mount, and also where the metadata is
// one: to change the metadata of a file, to give a blob a second name, or to take over an entry of another implementation.
func (b *Batch) SetEntry(path string, e Entry) error {
	if b.done {
		return ErrClosed
	}
	clean, err := Clean(path)
	if err == nil && e.Blob != nil {
		err = e.Blob.Check()
	}
	if err == nil {
		e.Metadata, err = compactJSON(e.Metadata)
	}
	if err == nil {
		err = b.put(clean, &e)
	}
	return pathError("set", path, err)
}

// Remove removes an entry. One that is not there is not an error, and writes nothing. A mount is removed by Unmount.
func (b *Batch) Remove(path string) error {
	clean, err := b.clean(path)
	if err == nil {
		err = b.tx.Delete(files.Key(clean))
	}
	return pathError("remove", path, err)
}
