package drive

import (
	"context"
	"errors"
	"slices"
)

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

// chain is where a listing of the place begins. Who looks at a version of a drive comes back to it where the drive itself is mounted.
func (p *place) chain() []visit {
	v := p.visit()
	now := v
	now.version = 0
	return []visit{v, now}
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
