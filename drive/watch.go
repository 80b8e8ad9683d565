package drive

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// Change tells that something below a folder is not as it was.
type Change struct {
	// Now and Before are the versions on both sides of it. They are of a mounted drive if At is set.
	Now, Before *Drive
	// At is the path of the mount below which it changed, "" for the drive itself.
	At string
	// Folder is the folder of the drive below which it changed.
	Folder string
}

// WatchOptions say what is watched.
type WatchOptions struct {
	// Mounts also watches the drives that are mounted below the folder, and not pinned; those that come are watched from then on.
	Mounts bool
}

// Watch yields a change whenever entries below a folder were written, until ctx ends: then its error comes last. Writes that follow
// each other fast come as one. The file that is named as the folder is not watched. When the drive moves to another fork, that is a
// change, and Before fails with core.ErrTruncated where it was cut.
func (d *Drive) Watch(ctx context.Context, folder string, o WatchOptions) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		p, err := d.folder(ctx, folder)
		if err != nil {
			yield(Change{}, pathError("watch", folder, err))
			return
		}
		if o.Mounts {
			watchAll(ctx, p, yield)
			return
		}
		for c, err := range p.watch(ctx) {
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// watch yields the changes below a place.
func (p *place) watch(ctx context.Context) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for c, err := range p.drive.tree.Watch(ctx, folderRange(p.path)) {
			change := Change{At: p.at, Folder: p.path}
			if err == nil {
				change.Now = &Drive{s: p.drive.s, tree: c.Now, view: true}
				change.Before = &Drive{s: p.drive.s, tree: c.Before, view: true}
			}
			if !yield(change, err) || err != nil {
				return
			}
		}
	}
}

// watchers is one goroutine for each drive that is watched.
type watchers struct {
	ctx     context.Context
	first   place
	changes chan watched
	running sync.WaitGroup
	open    map[string]*watcher // by path of the mount
}

type watcher struct {
	place  place
	cancel context.CancelFunc
}

type watched struct {
	change Change
	err    error
	by     *watcher
}

// watchAll watches a place and the drives that are mounted below it.
func watchAll(ctx context.Context, p place, yield func(Change, error) bool) {
	inner, cancel := context.WithCancel(ctx)
	w := &watchers{ctx: inner, first: p, changes: make(chan watched), open: map[string]*watcher{}}
	defer w.running.Wait()
	defer cancel()
	w.start(p)
	err := w.rescan()
	for err == nil {
		select {
		case got := <-w.changes:
			if w.open[got.by.place.at] != got.by {
				continue // it was removed meanwhile
			}
			if got.err != nil && got.by.place.at != p.at && ctx.Err() == nil {
				w.stop(got.by.place.at) // a mounted drive that cannot be read is watched no longer
				continue
			}
			if !yield(got.change, got.err) || got.err != nil {
				return
			}
			if got.change.mountsDiffer(inner) {
				err = w.rescan()
			}
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	yield(Change{}, err)
}

// start watches one place.
func (w *watchers) start(p place) {
	ctx, cancel := context.WithCancel(w.ctx)
	one := &watcher{place: p, cancel: cancel}
	w.open[p.at] = one
	w.running.Go(func() {
		for c, err := range p.watch(ctx) {
			select {
			case w.changes <- watched{c, err, one}:
			case <-ctx.Done():
				return
			}
		}
	})
}

func (w *watchers) stop(at string) {
	w.open[at].cancel()
	delete(w.open, at)
}

// rescan brings the watchers in line with the mounts.
func (w *watchers) rescan() error {
	seen := map[string]bool{w.first.at: true}
	l := lister{ctx: w.ctx, options: ListOptions{Mounts: true}, chain: []visit{w.first.visit()}}
	var failed error
	l.yield = func(_ Entry, err error) bool {
		if !errors.Is(err, ErrEntry) {
			failed = err
		}
		return failed == nil
	}
	l.entered = func(p place) {
		if p.drive.view {
			return
		}
		seen[p.at] = true
		if have, ok := w.open[p.at]; ok {
			if have.place.drive.s == p.drive.s && have.place.path == p.path {
				return
			}
			w.stop(p.at)
		}
		w.start(p)
	}
	l.list(w.first)
	for at := range w.open {
		if failed == nil && !seen[at] {
			w.stop(at)
		}
	}
	return failed
}

// mountsDiffer tells whether mounts came or went with a change. When that cannot be told they may have.
func (c *Change) mountsDiffer(ctx context.Context) bool {
	p := place{drive: c.Now, path: c.Folder}
	for d, err := range p.diff(ctx, c.Before) {
		if err != nil {
			return true
		}
		if added, removed := d.MountChange(); added || removed {
			return true
		}
	}
	return false
}
