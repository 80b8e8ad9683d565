package drive

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/drive/blobs"
)

// DownloadOptions say what is downloaded.
type DownloadOptions struct {
	// Mounts crosses into mounted drives. Those that cannot be reached are left out.
	Mounts bool
	// Progress is told how many of the blocks that were missing have come in, now and then; it must not block. With Mounts the
	// drives come one after the other, each with a count of its own.
	Progress func(done, total uint64)
}

// Download fetches what is at a path: a file, or all below a folder, "" or "/" being the whole drive. It returns when all is here.
// What is here already is not fetched, and values that are no entries are left out.
func (d *Drive) Download(ctx context.Context, path string, o DownloadOptions) error {
	return pathError("download", path, d.download(ctx, path, o))
}

func (d *Drive) download(ctx context.Context, path string, o DownloadOptions) error {
	p, err := d.folder(ctx, path)
	if err != nil {
		return err
	}
	g := gathering{}
	if e, err := p.lookup(ctx); err == nil {
		if err := g.add(ctx, p.drive, &e); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	for e, err := range d.List(ctx, path, ListOptions{Mounts: o.Mounts}) {
		if errors.Is(err, ErrEntry) {
			continue
		}
		if err != nil {
			return err
		}
		if err := g.addFound(ctx, d, &e); err != nil {
			return err
		}
	}
	return g.fetch(ctx, o)
}

// DownloadDiff fetches the files below a folder that an older version has not, or has otherwise. Mounts are not crossed.
func (d *Drive) DownloadDiff(ctx context.Context, old *Drive, folder string, o DownloadOptions) error {
	g := gathering{}
	for diff, err := range d.Diff(ctx, old, folder, DiffOptions{}) {
		if errors.Is(err, ErrEntry) {
			continue
		}
		if err == nil && diff.Left != nil {
			err = g.addFound(ctx, d, diff.Left)
		}
		if err != nil {
			return pathError("download", folder, err)
		}
	}
	return pathError("download", folder, g.fetch(ctx, o))
}

// DownloadRange fetches blocks of the core of entries, and of the core of contents. An End of 0 means all that follow, also what is
// yet to be appended.
func (d *Drive) DownloadRange(ctx context.Context, entries, contents []core.Range, o DownloadOptions) error {
	if err := d.check(); err != nil {
		return err
	}
	if len(entries) > 0 {
		if err := d.s.db.Download(ctx, core.Want{Ranges: entries, Linear: true, Progress: o.Progress}); err != nil {
			return err
		}
	}
	if len(contents) == 0 {
		return nil
	}
	b, err := d.s.content(ctx)
	if err != nil {
		return err
	}
	return b.Core().Download(ctx, core.Want{Ranges: contents, Linear: true, Progress: o.Progress})
}

// gathering is the blocks of many files, in the order in which they were added, by drive.
type gathering struct {
	drives []*gathered
	byCore map[*blobs.Blobs]*gathered
}

type gathered struct {
	blobs  *blobs.Blobs
	ranges []core.Range
}

// addFound adds an entry of a listing of d.
func (g *gathering) addFound(ctx context.Context, d *Drive, e *Entry) error {
	if e.Blob == nil || e.Blob.BlockLength == 0 {
		return nil
	}
	b, err := d.blobsOf(ctx, e)
	if err != nil {
		return err
	}
	return g.addBlob(ctx, b, *e.Blob)
}

// add adds an entry of the drive d itself.
func (g *gathering) add(ctx context.Context, d *Drive, e *Entry) error {
	if e.Blob == nil || e.Blob.BlockLength == 0 {
		return nil
	}
	b, err := d.s.content(ctx)
	if err != nil {
		return err
	}
	return g.addBlob(ctx, b, *e.Blob)
}

// addBlob adds the blocks of a blob; its block map is fetched.
func (g *gathering) addBlob(ctx context.Context, b *blobs.Blobs, id blobs.ID) error {
	list, err := b.Ranges(ctx, id, true)
	if err != nil {
		return err
	}
	one := g.byCore[b]
	if one == nil {
		one = &gathered{blobs: b}
		if g.byCore == nil {
			g.byCore = map[*blobs.Blobs]*gathered{}
		}
		g.byCore[b], g.drives = one, append(g.drives, one)
	}
	for _, r := range list {
		if n := len(one.ranges); n > 0 && one.ranges[n-1].End == r.Start {
			one.ranges[n-1].End = r.End
		} else {
			one.ranges = append(one.ranges, r)
		}
	}
	return nil
}

// fetch downloads what was gathered.
func (g *gathering) fetch(ctx context.Context, o DownloadOptions) error {
	for _, one := range g.drives {
		err := one.blobs.Core().Download(ctx, core.Want{Ranges: one.ranges, Linear: true, Progress: o.Progress})
		if err != nil {
			return err
		}
	}
	return nil
}
