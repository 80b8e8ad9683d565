package drive

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/hypernode/hypernode/bee"
)

// Difference is a path for which two versions have different entries. The entry of a version that lacks the path is nil; equal
// contents that were put anew are a difference.
type Difference struct{ Left, Right *Entry }

// Path is that of the entry.
func (d *Difference) Path() string {
	if d.Left != nil {
		return d.Left.Path
	}
	return d.Right.Path
}

// MountChange tells of a difference whether a mount came (added), went (removed), or leads elsewhere now (both).
func (d *Difference) MountChange() (added, removed bool) {
	var l, r *Mount
	if d.Left != nil {
		l = d.Left.Mount
	}
	if d.Right != nil {
		r = d.Right.Mount
	}
	if l != nil && r != nil && *l == *r {
		return false, false
	}
	return l != nil, r != nil
}

// DiffOptions say what a difference has. The zero value has the entries of the drive itself, where a mount is an entry.
type DiffOptions struct {
	// Mounts descends into mounts, given the versions that the mounted drives had in the older view: paths of mounts and versions,
	// as Pins returns them. A mount that the older view did not have, that leads elsewhere, or that is pinned is not descended into.
	Mounts map[string]uint64
}

// Diff yields the paths below a folder for which this drive (left) and an older version of it (right) have different entries, in the
// order of their bytes; what changed below mounts comes behind. What both versions share is not read. A value that is no entry comes as
// its path, on its side, with an error that wraps ErrEntry, and the difference goes on; after any other error it ends.
func (d *Drive) Diff(ctx context.Context, old *Drive, folder string, o DiffOptions) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		path, err := cleanFolder(folder)
		if err == nil {
			err = errors.Join(d.check(), old.check())
		}
		if err != nil {
			yield(Difference{}, pathError("diff", folder, err))
			return
		}
		here := place{drive: d, path: path}
		for diff, err := range here.diff(ctx, old) {
			if !yield(diff, err) || err != nil && !errors.Is(err, ErrEntry) {
				return
			}
		}
		for _, at := range slices.Sorted(maps.Keys(o.Mounts)) {
			p, before, err := d.descend(ctx, old, at, path, o.Mounts[at])
			if err != nil {
				yield(Difference{}, pathError("diff", at, err))
				return
			}
			if before == nil {
				continue
			}
			for diff, err := range p.diff(ctx, before) {
				if !yield(diff, err) || err != nil && !errors.Is(err, ErrEntry) {
					return
				}
			}
		}
	}
}

// diff yields the differences below a place.
func (p *place) diff(ctx context.Context, old *Drive) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		for diff, err := range p.drive.tree.Diff(ctx, old.tree, folderRange(p.path)) {
			if err != nil {
				yield(Difference{}, err)
				return
			}
			left, wrongLeft := p.side(diff.Left)
			right, wrongRight := p.side(diff.Right)
			if !yield(Difference{left, right}, cmp.Or(wrongLeft, wrongRight)) {
				return
			}
		}
	}
}

// side makes an entry of one side of a difference; of a value that is none it has the path, and an ErrEntry.
func (p *place) side(found *bee.Entry) (*Entry, error) {
	if found == nil {
		return nil, nil
	}
	name, _ := files.Trim(found.Key)
	e, err := decodeFound(string(name), *found)
	e = p.entry(e)
	return &e, err
}

// descend returns what a mount at a path shows now, and the mounted drive at an older version; nothing if the older view of this
// drive did not show the same there.
func (d *Drive) descend(ctx context.Context, old *Drive, at, folder string, version uint64) (p place, before *Drive, err error) {
	at, err = Clean(at)
	if err != nil || !within(at, folder) {
		return p, nil, err
	}
	now, e, err := d.find(ctx, at)
	if errors.Is(err, ErrNotFound) || err == nil && (e.Mount == nil || e.Mount.Version > 0) {
		return p, nil, nil
	}
	if err != nil {
		return p, nil, err
	}
	if now.drive == d { // further down the versions that are given say what was shown
		was, err := old.lookup(ctx, at)
		if err != nil || was.Mount == nil || *was.Mount != *e.Mount {
			if errors.Is(err, ErrNotFound) {
				err = nil
			}
			return p, nil, err
		}
	}
	p, err = now.through(ctx, true)
	if err != nil || p.drive.view {
		return p, nil, err
	}
	return p, p.drive.At(version), nil
}
