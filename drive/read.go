package drive

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/drive/blobs"
)

// MaxLinks is how many links in a row are followed.
const MaxLinks = 15

// Entry returns what is at a path; a link is not followed. Of what lies below a mount, Drive and Inner say where it really is. It
// fails with ErrNotFound, ErrPath, ErrEntry, an error of mounts, or as bee.Get does.
func (d *Drive) Entry(ctx context.Context, path string) (Entry, error) {
	p, e, err := d.find(ctx, path)
	if err != nil {
		return Entry{}, pathError("entry", path, err)
	}
	return p.entry(e), nil
}

// find returns the entry of a path, and where it is.
func (d *Drive) find(ctx context.Context, path string) (place, Entry, error) {
	path, err := Clean(path)
	if err != nil {
		return place{}, Entry{}, err
	}
	p, err := d.resolve(ctx, path, false)
	if err != nil {
		return p, Entry{}, err
	}
	e, err := p.lookup(ctx)
	return p, e, err
}

// lookup returns the entry of a place. What is shown as the root of a mount has none.
func (p *place) lookup(ctx context.Context) (Entry, error) {
	if p.path == "" {
		return Entry{}, ErrNotFound
	}
	return p.drive.lookup(ctx, p.path)
}

// Stat is Entry, but follows links, at most MaxLinks in a row, then it fails with ErrLinks. A link is resolved in the drive that
// holds it, and cannot leave the folder of it that is mounted.
func (d *Drive) Stat(ctx context.Context, path string) (Entry, error) {
	p, e, err := d.follow(ctx, path)
	if err != nil {
		return Entry{}, pathError("stat", path, err)
	}
	return p.entry(e), nil
}

// follow is find, going on through links.
func (d *Drive) follow(ctx context.Context, path string) (place, Entry, error) {
	p, e, err := d.find(ctx, path)
	for links := 0; err == nil && e.IsLink(); links++ {
		if links == MaxLinks {
			return p, e, ErrLinks
		}
		var target string
		if target, err = linkTarget(p.path, e.Link); err != nil {
			break
		}
		if !within(target, p.root) {
			return p, e, fmt.Errorf("%w: the link %.200q leaves what is mounted", ErrPath, e.Link)
		}
		p.path = target
		if p.hops++; p.hops > MaxHops {
			return p, e, ErrTooManyMounts
		}
		if p, err = p.through(ctx, false); err == nil {
			e, err = p.lookup(ctx)
		}
	}
	return p, e, err
}

// Exists tells whether there is an entry at a path; a link is not followed.
func (d *Drive) Exists(ctx context.Context, path string) (bool, error) {
	_, err := d.Entry(ctx, path)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ReadFile returns the contents of a file; links are followed. An entry without contents is an empty file. It fails as Stat and as
// blobs.Blobs.Get do, with ErrIsMount, and with ErrInvalidMount for an entry that speaks of a mount that cannot be.
func (d *Drive) ReadFile(ctx context.Context, path string) ([]byte, error) {
	f, err := d.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := f.readAll()
	return data, pathError("read", path, err)
}

// readable tells why an entry has no contents that can be read, if so.
func (e *Entry) readable() error {
	switch {
	case e.Mount != nil:
		return ErrIsMount
	case e.badMount:
		return ErrInvalidMount
	}
	return nil
}

// Size returns the bytes of an entry's contents, also where a block map has to be read for it.
func (d *Drive) Size(ctx context.Context, e Entry) (int64, error) {
	if n, known := e.Size(); known {
		return n, nil
	}
	b, err := d.blobsOf(ctx, &e)
	if err != nil {
		return 0, err
	}
	chunks, err := b.Map(ctx, *e.Blob)
	var n int64
	for _, c := range chunks {
		n += int64(c.Size)
	}
	return n, err
}

// blobsOf returns the contents of the drive that an entry lies in.
func (d *Drive) blobsOf(ctx context.Context, e *Entry) (*blobs.Blobs, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if e.Drive.IsZero() || e.Drive == d.Key() {
		return d.s.content(ctx)
	}
	s, err := d.s.family.get(ctx, e.Drive)
	if err != nil {
		return nil, err
	}
	return s.content(ctx)
}

// Has tells whether what is at a path is stored here: all contents of a file, or of all files in a folder that has any. Of a link,
// and of an entry without contents, it is false. Mounts are not crossed.
func (d *Drive) Has(ctx context.Context, path string) (bool, error) {
	folder, err := cleanFolder(path)
	if err != nil {
		return false, pathError("has", path, err)
	}
	p, err := d.resolve(ctx, folder, true)
	if err != nil {
		return false, pathError("has", path, err)
	}
	if e, err := p.lookup(ctx); err == nil {
		if e.Blob == nil {
			return false, nil
		}
		return p.drive.hasBlob(ctx, &e)
	} else if !errors.Is(err, ErrNotFound) {
		return false, pathError("has", path, err)
	}
	some := false
	for e, err := range p.drive.entries(ctx, p.path) {
		if err != nil {
			return false, pathError("has", path, err)
		}
		some = true
		if e.Blob == nil {
			continue
		}
		if ok, err := p.drive.hasBlob(ctx, &e); err != nil || !ok {
			return false, pathError("has", path, err)
		}
	}
	return some, nil
}

func (d *Drive) hasBlob(ctx context.Context, e *Entry) (bool, error) {
	if e.Blob.BlockLength == 0 {
		return true, nil
	}
	b, err := d.s.content(ctx)
	if errors.Is(err, ErrEmpty) || errors.Is(err, core.ErrNotAvailable) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return b.Has(ctx, *e.Blob)
}
