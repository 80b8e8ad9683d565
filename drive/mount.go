package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// MountOptions say how a mount is made. The zero value follows the whole drive.
type MountOptions struct {
	// Version pins the mount to a version of the drive, 0 follows it.
	Version uint64
	// Path shows only a folder of the drive.
	Path string
	// Verify pins the history too: fork and tree hash at Version go into the record. The drive must be within reach.
	Verify bool
	// Force mounts in place of a file, and over entries below the path, which are hidden then; other implementations still show them.
	Force bool
}

// Mount shows another drive at a path, from now on and for all readers. The record has only the key: an encrypted drive is read by
// those whom Ref.Unlock gives its encryption key. A mount in place of one is changed; other metadata of it is kept.
//
// It fails with ErrNotEmpty when there are entries below the path, which the mount would hide, with fs.ErrExist when there is a file,
// with ErrReadOnlyMount, or as Update does.
func (d *Drive) Mount(ctx context.Context, path string, key keys.Key) error {
	return d.MountWith(ctx, path, key, MountOptions{})
}

// MountWith is Mount of a version or a folder of a drive.
func (d *Drive) MountWith(ctx context.Context, path string, key keys.Key, o MountOptions) error {
	m := Mount{Key: key, Version: o.Version}
	var err error
	if m.Path, err = cleanFolder(o.Path); err == nil {
		err = m.check()
	}
	if err == nil && o.Verify {
		err = d.verified(ctx, &m)
	}
	if err != nil {
		return pathError("mount", path, err)
	}
	return d.change(ctx, "mount", path, func(tx *Batch, path string) error { return tx.mount(path, &m, o.Force) })
}

// verified gives a mount the fork and the hash of its version.
func (d *Drive) verified(ctx context.Context, m *Mount) error {
	if m.Version == 0 {
		return fmt.Errorf("%w: a history without a version", ErrInvalidMount)
	}
	if err := d.check(); err != nil {
		return err
	}
	s, err := d.s.family.get(ctx, m.Key)
	if err == nil {
		err = s.reach(ctx, m.Version)
	}
	if err != nil {
		return err
	}
	m.Fork = s.db.Head().Fork
	m.Hash, err = treeHash(ctx, s.db, m.Version)
	return err
}

// mount puts the record of a mount.
func (b *Batch) mount(path string, m *Mount, force bool) error {
	if _, err := b.clean(path); err != nil && !errors.Is(err, ErrIsMount) {
		return err
	}
	clean, err := Clean(path)
	if err != nil {
		return err
	}
	old, err := b.lookup(clean)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrEntry) && force:
	case err != nil:
		return err
	case old.Mount == nil && !force:
		return fmt.Errorf("drive: %w", fs.ErrExist)
	}
	if old.Mount == nil && !force {
		for _, err := range b.tx.Range(folderRange(clean)) {
			if err == nil {
				err = ErrNotEmpty
			}
			return err
		}
	}
	meta, err := withRecord(old.Metadata, m)
	if err != nil {
		return err
	}
	return b.put(clean, &Entry{Executable: old.Executable && old.Mount != nil, Metadata: meta})
}

// withRecord sets the record in the metadata of a mount, in its place or behind all else.
func withRecord(meta json.RawMessage, m *Mount) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(meta))
	out := []byte("{")
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return append(append([]byte(`{"mount":`), m.json()...), '}'), nil
	}
	done := false
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		if name == "mount" {
			value, done = m.json(), true
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendString(out, fmt.Sprint(name)), ':')
		out = append(out, value...)
	}
	if !done {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, `"mount":`...), m.json()...)
	}
	return compactJSON(append(out, '}'))
}

// Unmount removes a mount; the drive that was mounted stays as it is. It fails with ErrNotMount when there is none.
func (d *Drive) Unmount(ctx context.Context, path string) error {
	return d.change(ctx, "unmount", path, func(tx *Batch, path string) error {
		switch _, err := tx.clean(path); {
		case errors.Is(err, ErrIsMount):
		case err == nil:
			return ErrNotMount
		default:
			return err
		}
		clean, err := Clean(path)
		if err != nil {
			return err
		}
		delete(tx.plain, clean)
		return tx.tx.Delete(files.Key(clean))
	})
}

// Mounts yields the mounts below a folder, with o.Mounts also those in mounted drives.
func (d *Drive) Mounts(ctx context.Context, folder string, o ListOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range d.List(ctx, folder, o) {
			if err == nil && e.Mount == nil || errors.Is(err, ErrEntry) {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Mounted returns the drive that is shown at a path, and the path in it: of a mount, and of all below it. It is for reading, and is
// closed with this drive.
func (d *Drive) Mounted(ctx context.Context, path string) (*Drive, string, error) {
	p, err := d.folder(ctx, path)
	if err != nil {
		return nil, "", pathError("mount", path, err)
	}
	return p.drive, p.path, nil
}

// Pin says which history of a drive a mount shows.
type Pin struct {
	Path string
	// Mount is pinned, with fork and hash.
	Mount Mount
	// Unavailable is set, and the mount as its record is, where it could not be reached.
	Unavailable error
}

// Pins returns the versions that all mounts below a folder show now, mounts in mounted drives too: what it takes to have the same
// view again, or to find later what changed.
func (d *Drive) Pins(ctx context.Context, folder string) ([]Pin, error) {
	var list []Pin
	for e, err := range d.Mounts(ctx, folder, ListOptions{Mounts: true}) {
		if err != nil {
			return nil, err
		}
		p := Pin{Path: e.Path, Mount: *e.Mount, Unavailable: e.Unavailable}
		if p.Unavailable == nil {
			if err := d.pin(ctx, &p.Mount); err != nil {
				p.Unavailable = err
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// pin pins a mount to what it shows now.
func (d *Drive) pin(ctx context.Context, m *Mount) error {
	s, err := d.s.family.get(ctx, m.Key)
	if err != nil {
		return err
	}
	version := m.Version
	if version == 0 {
		version = s.drive().Version()
	}
	if s.db.Head().Length < version { // an empty drive has no history
		m.Version = version
		return nil
	}
	hash, err := treeHash(ctx, s.db, version)
	if err == nil && hash != (merkle.Hash{}) {
		m.Version, m.Fork, m.Hash = version, s.db.Head().Fork, hash
	}
	return err
}
