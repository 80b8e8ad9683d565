package drive

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/hypernode/hypernode/bee"
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
		l := lister{ctx: ctx, options: o, yield: yield, chain: []visit{p.visit()}}
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

// visit names what is shown somewhere: two equal ones, one within the other, have no end.
type visit struct {
	key     string
	version uint64
	root    string
}

func (p *place) visit() visit {
	v := visit{key: p.drive.Key().String(), root: p.root}
	if p.drive.view {
		v.version = p.drive.Version()
	}
	return v
}

// lister walks through drives.
type lister struct {
	ctx      context.Context
	options  ListOptions
	yield    func(Entry, error) bool
	chain    []visit // from the first drive to the one that is being listed
	descents int
	entered  func(place) // told of each mount that is descended into; may be nil
}

// list yields the entries of a place. It tells whether the listing goes on.
func (l *lister) list(p place) bool {
	var mounts []mountedAt // that are met and not listed yet
	for e, err := range p.drive.entries(l.ctx, p.path) {
		if err != nil && !errors.Is(err, ErrEntry) {
			l.yield(Entry{}, pathError("list", p.outer(p.path), err))
			return false
		}
		if l.options.Ignore != nil && l.ignored(&p, e.Path) {
			continue
		}
		if !l.below(&mounts, e.Path) {
			return false
		}
		inner := e.Path
		e = p.entry(e)
		var next place
		if e.Mount != nil && l.options.Mounts {
			next = l.enter(&p, inner, &e)
		}
		if !l.yield(e, pathError("list", e.Path, err)) {
			return false
		}
		if next.drive != nil {
			if l.entered != nil {
				l.entered(next)
			}
			mounts = append(mounts, mountedAt{inner, next})
		}
	}
	return l.below(&mounts, "")
}

// mountedAt is a mount whose entries are due when a walk has come to them.
type mountedAt struct {
	inner string
	place place
}

// below lists the mounts whose entries stand before a path, or with "", all.
func (l *lister) below(mounts *[]mountedAt, path string) bool {
	for len(*mounts) > 0 {
		first := 0
		for i, m := range *mounts {
			if m.inner+"/" < (*mounts)[first].inner+"/" {
				first = i
			}
		}
		m := (*mounts)[first]
		if path != "" && m.inner+"/" > path {
			return true
		}
		*mounts = slices.Delete(*mounts, first, first+1)
		l.chain = append(l.chain, m.place.visit())
		more := l.list(m.place)
		l.chain = l.chain[:len(l.chain)-1]
		if !more {
			return false
		}
	}
	return true
}

// enter returns the place that a mount shows, or none when it leads back or cannot be reached, which the entry then tells.
func (l *lister) enter(p *place, inner string, e *Entry) place {
	if l.descents++; l.descents > MaxDescents || p.hops+1 > MaxHops {
		e.Unavailable = ErrTooManyMounts
		return place{}
	}
	// A mount that leads back is known by its record: nothing has to be opened for it.
	back := visit{e.Mount.Key.String(), e.Mount.Version, e.Mount.Path}
	if slices.Contains(l.chain, back) {
		e.Cycle = true
		return place{}
	}
	d, err := p.drive.s.mounted(l.ctx, e.Mount)
	if err != nil {
		e.Unavailable = err
		return place{}
	}
	next := place{drive: d, path: e.Mount.Path, root: e.Mount.Path, at: p.outer(inner), hops: p.hops + 1}
	// The folder that is shown may itself lie below a mount.
	through, err := next.through(l.ctx, true)
	if err != nil {
		e.Unavailable = err
		return place{}
	}
	if slices.Contains(l.chain, through.visit()) {
		e.Cycle = true
		return place{}
	}
	return through
}

func (l *lister) ignored(p *place, path string) bool {
	for _, a := range ancestors(path, true) {
		if len(a) > len(p.path) && l.options.Ignore(p.outer(a)) {
			return true
		}
	}
	return false
}

// IgnorePaths returns a ListOptions.Ignore for paths: each hides itself and everything below.
func IgnorePaths(paths ...string) (func(path string) bool, error) {
	hidden := map[string]struct{}{}
	for _, p := range paths {
		clean, err := Clean(p)
		if err != nil {
			return nil, err
		}
		hidden[clean] = struct{}{}
	}
	return func(path string) bool {
		_, ok := hidden[path]
		return ok
	}, nil
}

// DirEntry is a name in a folder.
type DirEntry struct {
	Name string
	// Entry is the file, link or mount of that name, nil where there are only entries below.
	Entry *Entry
	// Folder tells that there are entries below it, or a mount. A name may be a file and a folder.
	Folder bool
	// Err is set where the value is no entry; it wraps ErrEntry.
	Err error
}

// ReadDir returns the names in a folder, each once, in the order in which their first entries stand in a listing. A folder in which
// there is nothing, or that is not there, has none.
func (d *Drive) ReadDir(ctx context.Context, folder string) ([]DirEntry, error) {
	p, err := d.folder(ctx, folder)
	if err != nil {
		return nil, pathError("readdir", folder, err)
	}
	list, err := p.names(ctx)
	return list, pathError("readdir", folder, err)
}

// names returns the names in the folder that a place is.
func (p *place) names(ctx context.Context) (_ []DirEntry, err error) {
	r := dirReader{names: map[string]int{}}
	for from := []byte(p.path + "/"); from != nil && err == nil; {
		from, err = r.run(ctx, p, from)
	}
	return r.list, err
}

type dirReader struct {
	list  []DirEntry
	names map[string]int // places in list
}

// run reads names from a path on until it meets a folder, and returns the path to go on from: the first behind the folder.
func (r *dirReader) run(ctx context.Context, p *place, from []byte) ([]byte, error) {
	within := files.Range(bee.Range{GTE: from, LT: []byte(p.path + "0")})
	for found, err := range p.drive.tree.Range(ctx, within) {
		if err != nil {
			return nil, err
		}
		path, _ := files.Trim(found.Key)
		name, _, folder := strings.Cut(string(path[len(p.path)+1:]), "/")
		if folder {
			if name != "" { // else no path leads there
				r.add(name).Folder = true
			}
			return []byte(p.path + "/" + name + "0"), nil
		}
		if name == "" {
			continue
		}
		at := r.add(name)
		e, err := decodeFound(string(path), found)
		if at.Err = err; err != nil {
			continue
		}
		outer := p.entry(e)
		at.Entry, at.Folder = &outer, at.Folder || e.Mount != nil
	}
	return nil, nil
}

// add returns the entry of a name, which may be there.
func (r *dirReader) add(name string) *DirEntry {
	i, ok := r.names[name]
	if !ok {
		i = len(r.list)
		r.names[name] = i
		r.list = append(r.list, DirEntry{Name: name})
	}
	return &r.list[i]
}
