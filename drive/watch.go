package drive

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
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
	// Mounts also watches the drives that are mounted below the folder, and not pinned; those that come are watched from then on. When
	// one comes within reach that was not, that is a change, from its first version.
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
	came    []Change            // drives that were awaited, to be told
}

type watcher struct {
	place   place
	awaited keys.Key // of a drive that could not be reached; then place has only the path
	cancel  context.CancelFunc
}

type watched struct {
	change Change
	came   bool // the drive that was awaited is within reach
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
		for _, c := range w.came {
			if !yield(c, nil) {
				return
			}
		}
		w.came = nil
		select {
		case got := <-w.changes:
			if w.open[got.by.place.at] != got.by {
				continue // it was removed meanwhile
			}
			if got.came {
				err = w.rescan()
				continue
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
	w.run(&watcher{place: p}, func(ctx context.Context, tell func(watched) bool) {
		for c, err := range p.watch(ctx) {
			if !tell(watched{change: c, err: err}) {
				return
			}
		}
	})
}

// await waits until a mounted drive is within reach.
func (w *watchers) await(at string, key keys.Key) {
	s, err := w.first.drive.s.family.get(w.ctx, key)
	if err != nil {
		return // nothing will be heard of it
	}
	one := &watcher{place: place{at: at}, awaited: key}
	w.run(one, func(ctx context.Context, tell func(watched) bool) {
		if _, err := s.db.Wait(ctx, core.Head{}); err == nil && s.unlocked(ctx) == nil {
			tell(watched{came: true})
		}
	})
}

// run has a goroutine look after a place. What it tells is dropped once another has its place.
func (w *watchers) run(one *watcher, look func(ctx context.Context, tell func(watched) bool)) {
	ctx, cancel := context.WithCancel(w.ctx)
	one.cancel = cancel
	w.open[one.place.at] = one
	w.running.Go(func() {
		look(ctx, func(x watched) bool {
			x.by = one
			select {
			case w.changes <- x:
				return true
			case <-ctx.Done():
				return false
			}
		})
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
	l.yield = func(e Entry, err error) bool {
		if !errors.Is(err, ErrEntry) {
			failed = err
		}
		if errors.Is(e.Unavailable, ErrMountUnavailable) && e.Mount.Version == 0 {
			seen[e.Path] = true
			w.lacks(&e)
		}
		return failed == nil
	}
	l.entered = func(p place) {
		if !p.drive.view {
			seen[p.at] = true
			w.has(p)
		}
	}
	l.list(w.first)
	for at := range w.open {
		if failed == nil && !seen[at] {
			w.stop(at)
		}
	}
	return failed
}

// lacks awaits what is mounted at an entry.
func (w *watchers) lacks(e *Entry) {
	if have, ok := w.open[e.Path]; ok {
		if have.awaited == e.Mount.Key {
			return
		}
		w.stop(e.Path)
	}
	w.await(e.Path, e.Mount.Key)
}

// has watches what a mount shows.
func (w *watchers) has(p place) {
	have, ok := w.open[p.at]
	switch {
	case !ok:
	case !have.awaited.IsZero():
		w.came = append(w.came, Change{Now: p.drive.Snapshot(), Before: p.drive.At(1), At: p.at, Folder: p.path})
		w.stop(p.at)
	case have.place.drive.s == p.drive.s && have.place.path == p.path:
		return
	default:
		w.stop(p.at)
	}
	w.start(p)
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
