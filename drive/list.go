package drive

import (
	"context"
	"errors"
	"iter"
)

// ListOptions say what a listing has. The zero value has all entries of the drive itself.
type ListOptions struct {
	// Mounts descends into mounted drives: their entries stand where their paths belong, after the mount's own entry.
	Mounts bool
	// Ignore leaves out the paths for which it is true, and all below them.
	Ignore func(path string) bool
}

// MaxDescents is how many mounts one listing descends into.
const MaxDescents = 4096

// List yields the entries below a folder, in the order of the bytes of their paths; "/" or "" is the root. The file that is named as
// the folder is not among them. What a mount hides is left out. A listing is of the version that is shown when it begins.
//
// A value that is no entry comes as its path with an error that wraps ErrEntry, and the listing goes on behind it. After any other
// error it ends.
func (d *Drive) List(ctx context.Context, folder string, o ListOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		p, err := d.folder(ctx, folder)
		if err != nil {
			yield(Entry{}, pathError("list", folder, err))
			return
		}
		l := lister{ctx: ctx, options: o, yield: yield, chain: p.chain()}
		l.list(p)
	}
}

// folder returns the place of a folder, which may be a mount.
func (d *Drive) folder(ctx context.Context, folder string) (place, error) {
	path, err := cleanFolder(folder)
	if err != nil {
		return place{}, err
	}
	if err := d.check(); err != nil {
		return place{}, err
	}
	return d.resolve(ctx, path, true)
}

// entries yields the entries of this drive below a clean folder, mounts not crossed, what they hide left out; with errors as List.
func (d *Drive) entries(ctx context.Context, folder string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var hidden shadows
		for found, err := range d.tree.Range(ctx, folderRange(folder)) {
			var e Entry
			if err == nil {
				name, _ := files.Trim(found.Key)
				if hidden.cover(name) {
					continue
				}
				e, err = decodeFound(string(name), found)
			}
			if e.Mount != nil {
				hidden.add(e.Path)
			}
			if !yield(e, err) || err != nil && !errors.Is(err, ErrEntry) {
				return
			}
		}
	}
}

// shadows are the mounts that a walk has met: they hide what lies below them.
type shadows map[string]struct{}

func (s *shadows) add(path string) {
	if *s == nil {
		*s = shadows{}
	}
	(*s)[path] = struct{}{}
}

// cover tells whether a path is hidden.
func (s shadows) cover(path []byte) bool {
	if len(s) == 0 {
		return false
	}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			if _, ok := s[string(path[:i])]; ok {
				return true
			}
		}
	}
	return false
}
