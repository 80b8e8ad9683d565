package drive

import (
	"context"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive/blobs"
)

// target returns the drive that a change at a path concerns, and the path there.
func (d *Drive) target(ctx context.Context, path string) (place, error) {
	if err := d.writable(); err != nil {
		return place{}, err
	}
	clean, err := Clean(path)
	if err != nil {
		return place{}, err
	}
	p, err := d.resolve(ctx, clean, false)
	if err == nil && p.drive != d && p.drive.writable() != nil {
		err = ErrReadOnlyMount
	}
	if err == nil && p.path == "" {
		err = ErrIsMount
	}
	return p, err
}

// change makes one change without contents, in the drive that it concerns.
func (d *Drive) change(ctx context.Context, op, path string, fn func(tx *Batch, path string) error) error {
	p, err := d.target(ctx, path)
	if err == nil {
		err = p.drive.commit(ctx, nil, func(tx *Batch) error { return fn(tx, p.path) })
	}
	return pathError(op, path, err)
}

// WriteFile puts a file, in place of what is at its path. Contents and entry are one commit. Below a mount it is written into the
// drive that is mounted there, or the call fails with ErrReadOnlyMount.
func (d *Drive) WriteFile(ctx context.Context, path string, data []byte, m Meta) error {
	return pathError("write", path, d.writeFile(ctx, path, data, m))
}

func (d *Drive) writeFile(ctx context.Context, path string, data []byte, m Meta) error {
	if len(data) >= flushBytes {
		w, err := d.Create(ctx, path, m)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			w.Abort()
			return err
		}
		return w.Close()
	}
	p, err := d.target(ctx, path)
	if err != nil {
		return err
	}
	b, err := p.drive.s.content(ctx)
	if err != nil {
		return err
	}
	tail, err := b.Lock(ctx)
	if err != nil {
		return err
	}
	defer tail.Unlock()
	return p.drive.commit(ctx, tail, func(tx *Batch) error { return tx.write(p.path, data, m, false) })
}

// Symlink puts a symbolic link. The target is not looked at; a relative one begins at the link itself, as if that were a folder:
// a file beside it is "../name".
func (d *Drive) Symlink(ctx context.Context, path, target string, m Meta) error {
	return d.change(ctx, "symlink", path, func(tx *Batch, path string) error { return tx.symlink(path, target, m) })
}

// SetEntry is Batch.SetEntry.
func (d *Drive) SetEntry(ctx context.Context, path string, e Entry) error {
	return d.change(ctx, "set", path, func(tx *Batch, path string) error { return tx.SetEntry(path, e) })
}

// Remove removes an entry. One that is not there is not an error, and writes nothing. A mount is removed by Unmount. The contents
// stay in the drive's past, and in the store until they are cleared.
func (d *Drive) Remove(ctx context.Context, path string) error {
	return d.change(ctx, "remove", path, func(tx *Batch, path string) error { return tx.Remove(path) })
}

// RemoveAll removes an entry and all below it, in one commit. A mount there fails with ErrIsMount.
func (d *Drive) RemoveAll(ctx context.Context, path string) error {
	return d.change(ctx, "remove", path, func(tx *Batch, path string) error {
		clean, err := tx.clean(path)
		if err != nil {
			return err
		}
		list := []string{clean}
		for found, err := range tx.tx.Range(folderRange(clean)) {
			if err != nil {
				return err
			}
			name, _ := files.Trim(found.Key)
			if e, err := decodeFound(string(name), found); err == nil && e.Mount != nil {
				return pathError("remove", e.Path, ErrIsMount)
			}
			list = append(list, string(name))
		}
		for _, path := range list {
			if err := tx.tx.Delete(files.Key(path)); err != nil {
				return err
			}
		}
		return nil
	})
}

// folderRange is the entries below a folder.
func folderRange(folder string) bee.Range {
	return files.Range(bee.Range{GT: []byte(folder + "/"), LT: []byte(folder + "0")})
}

// Writer writes one file. The entry comes with Close; until then nothing is to be seen of it. It is for one goroutine.
type Writer struct {
	*blobs.Writer
	place place
	entry Entry
	ctx   context.Context
	path  string
}

// Create begins to write a file of any length, in bounded memory; the file is there when Close returns. Once it has gathered a few
// MiB, other files of the drive wait for it to be closed. Its writes end with ctx.
func (d *Drive) Create(ctx context.Context, path string, m Meta) (*Writer, error) {
	return d.CreateWith(ctx, path, m, blobs.WriterOptions{})
}

// CreateWith is Create with a say in how the contents are cut, and whether blocks are used again. With Dedup and no Base, what is at
// the path now is the base.
func (d *Drive) CreateWith(ctx context.Context, path string, m Meta, o blobs.WriterOptions) (*Writer, error) {
	p, err := d.target(ctx, path)
	if err != nil {
		return nil, pathError("create", path, err)
	}
	meta, err := m.metadata()
	if err != nil {
		return nil, pathError("create", path, err)
	}
	b, err := p.drive.s.content(ctx)
	if err != nil {
		return nil, pathError("create", path, err)
	}
	if o.Dedup && o.Base == nil {
		if old, err := p.lookup(ctx); err == nil {
			o.Base = old.Blob
		}
	}
	w := &Writer{place: p, ctx: ctx, path: path, entry: Entry{Executable: m.Executable, Metadata: meta}}
	w.Writer = b.NewWriter(ctx, o)
	return w, nil
}

// Close puts the file at its path, its last contents and the entry in one commit. After an error it is not there, and Abort need not
// be called.
func (w *Writer) Close() error {
	id, tail, err := w.Finish()
	if err != nil {
		return pathError("write", w.path, err)
	}
	defer tail.Unlock()
	w.entry.Blob = &id
	err = w.place.drive.commit(w.ctx, tail, func(tx *Batch) error {
		clean, err := tx.clean(w.place.path)
		if err != nil {
			return err
		}
		return tx.put(clean, &w.entry)
	})
	return pathError("write", w.path, err)
}
