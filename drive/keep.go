package drive

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
)

// Clear gives back the space of the contents at a path, of a file or of all files below a folder. The entries stay; who reads the
// files fetches them again, which takes a peer that has them. Mounts are not crossed.
func (d *Drive) Clear(ctx context.Context, path string) error {
	return pathError("clear", path, d.clear(ctx, path))
}

func (d *Drive) clear(ctx context.Context, path string) error {
	p, err := d.folder(ctx, path)
	if err != nil {
		return err
	}
	if e, err := p.lookup(ctx); err == nil {
		return p.drive.clearEntry(ctx, &e)
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	for e, err := range p.drive.entries(ctx, p.path) {
		if err == nil {
			err = p.drive.clearEntry(ctx, &e)
		}
		if err != nil && !errors.Is(err, ErrEntry) {
			return err
		}
	}
	return nil
}

func (d *Drive) clearEntry(ctx context.Context, e *Entry) error {
	if e.Blob == nil || e.Blob.BlockLength == 0 {
		return nil
	}
	b, err := d.s.content(ctx)
	if err != nil {
		return err
	}
	return b.Clear(ctx, *e.Blob)
}

// ClearAll is Clear of all contents, those of the past too.
func (d *Drive) ClearAll(ctx context.Context) error {
	b, err := d.Blobs(ctx)
	if err != nil {
		return err
	}
	return b.Core().Clear(ctx, 0, math.MaxUint64)
}

// Purge deletes the drive from the store, entries, contents and keys, and closes it. Drives that are mounted in it stay in the store.
// A purge that was interrupted is finished by the next one.
func (d *Drive) Purge(ctx context.Context) error {
	if err := d.check(); err != nil {
		return err
	}
	if d.view || d.s.family.first != d.s {
		return fmt.Errorf("%w: purge the drive that was opened", ErrReadOnly)
	}
	// The contents go first: without the entries nobody knows which core they are.
	b, err := d.s.content(ctx)
	if err == nil {
		err = b.Core().Delete(ctx)
	}
	if errors.Is(err, ErrEmpty) || errors.Is(err, ErrNoDrive) || errors.Is(err, core.ErrNotAvailable) {
		err = nil // there are no contents here
	}
	if err != nil {
		return fmt.Errorf("drive: deleting the contents: %w", err)
	}
	if err := d.s.db.Delete(ctx); err != nil {
		return fmt.Errorf("drive: deleting the entries: %w", err)
	}
	err = d.Close()
	if errors.Is(err, core.ErrDeleted) {
		err = nil
	}
	return err
}

// BlobsLength returns how many blocks of the contents the entries of this version need: where the last of their blobs ends.
func (d *Drive) BlobsLength(ctx context.Context) (n uint64, err error) {
	if err := d.check(); err != nil {
		return 0, err
	}
	for found, err := range d.tree.Range(ctx, bee.Range{}) {
		if err != nil {
			return 0, err
		}
		e, err := decodeEntry(found.Value)
		if err != nil {
			if _, file := files.Trim(found.Key); !file {
				continue
			}
			return 0, fmt.Errorf("%.200q: %w", found.Key, err)
		}
		if e.Blob != nil {
			n = max(n, e.Blob.BlockOffset+e.Blob.BlockLength)
		}
	}
	return n, nil
}

// Truncate cuts the drive back to a version, and its contents to what that version needs. Both cores begin a new fork, which every
// reader follows, also one of which nothing is cut. What is cut is gone, also contents that older versions had and this one has not. It fails with ErrVersion for a version that the drive has not.
func (d *Drive) Truncate(ctx context.Context, version uint64) error {
	if err := d.writable(); err != nil {
		return err
	}
	version = max(version, 1)
	if version > d.Version() || d.s.db.Head().Length == 0 && version > 1 {
		return fmt.Errorf("%w: %d of %d", ErrVersion, version, d.Version())
	}
	if d.s.db.Head().Length == 0 {
		return nil
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
	length, err := d.At(version).BlobsLength(ctx)
	if err != nil {
		return fmt.Errorf("drive: the contents of version %d: %w", version, err)
	}
	// The entries go first: a crash between leaves contents that nobody names, never an entry without its bytes.
	if err := d.s.db.Truncate(ctx, version); err != nil {
		return fmt.Errorf("drive: cutting the entries: %w", err)
	}
	if err := b.Core().Truncate(ctx, min(length, b.Core().Head().Length)); err != nil {
		return fmt.Errorf("drive: cutting the contents: %w", err)
	}
	return nil
}

// Info is what there is to tell about a drive on this node.
type Info struct {
	Version  uint64
	Writable bool
	// Entries is about the core of entries.
	Entries core.Info
	// Contents is about the core of contents, nil while it is not known which that is.
	Contents *core.Info
}

// Info gathers what there is to tell. Disk use is counted by reading all records of both cores but their blocks.
func (d *Drive) Info(ctx context.Context) (info Info, err error) {
	if err := d.check(); err != nil {
		return info, err
	}
	info.Version, info.Writable = d.Version(), d.Writable()
	if info.Entries, err = d.s.db.Info(ctx); err != nil {
		return info, err
	}
	b, err := d.s.content(ctx)
	if errors.Is(err, ErrEmpty) || errors.Is(err, core.ErrNotAvailable) {
		return info, nil
	}
	if err != nil {
		return info, err
	}
	c, err := b.Core().Info(ctx)
	info.Contents = &c
	return info, err
}
