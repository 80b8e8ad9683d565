package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Changes of a folder are taken together until none came for quiet, or some waited for patience.
const (
	quiet    = 100 * time.Millisecond
	patience = 2 * time.Second
)

func (d dir) watch(ctx context.Context, o Options) (_ watcher, err error) {
	base, err := d.real()
	if err != nil {
		return nil, err
	}
	files, err := d.open()
	if err != nil {
		return nil, fmt.Errorf("mirror: opening the source: %w", err)
	}
	w := &dirWatch{base: base, files: files, options: o, watched: map[string]struct{}{}}
	if w.notify, err = fsnotify.NewBufferedWatcher(4096); err != nil {
		return nil, errors.Join(fmt.Errorf("mirror: watching %s: %w", d, err), files.close())
	}
	if err := w.reset(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// dirWatch is told by the system of changes in a folder. Each folder in it is watched by itself, but for those that are left out.
type dirWatch struct {
	base    string
	files   *folder
	options Options
	notify  *fsnotify.Watcher
	sieve   *sieve
	watched map[string]struct{} // paths of folders
}

func (w *dirWatch) close() error { return errors.Join(w.notify.Close(), w.files.close()) }

// reset watches all folders, with the ignore files as they are now.
func (w *dirWatch) reset(ctx context.Context) error {
	w.sieve = newSieve(w.files, w.options)
	return w.add(ctx, "")
}

// add watches a folder and those in it. Who adds a folder looks into it afterwards: what was written before is told by nobody.
func (w *dirWatch) add(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.sieve.hidden(ctx, path, true) {
		return w.sieve.err
	}
	err := w.notify.Add(w.name(path))
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("mirror: the system watches no more folders (on Linux, raise fs.inotify.max_user_watches): %w", err)
	case errors.Is(err, fs.ErrNotExist) && path != "", errors.Is(err, fs.ErrPermission) && path != "":
		return nil // the round will tell
	case err != nil:
		return fmt.Errorf("mirror: watching %s: %w", w.name(path), err)
	}
	w.watched[path] = struct{}{}
	for _, sub := range w.folders(path) {
		if err := w.add(ctx, sub); err != nil {
			return err
		}
	}
	return nil
}

// folders returns the paths of the folders in one.
func (w *dirWatch) folders(path string) (list []string) {
	at := path
	if at == "" {
		at = "."
	}
	r, err := w.files.root.OpenRoot(at)
	if err != nil {
		return nil
	}
	defer r.Close()
	names, err := readNames(r)
	if err != nil {
		return nil
	}
	for _, n := range names {
		if n.IsDir() {
			list = append(list, strings.TrimPrefix(path+"/"+n.Name(), "/"))
		}
	}
	return list
}

func (w *dirWatch) name(path string) string { return filepath.Join(w.base, filepath.FromSlash(path)) }

func (w *dirWatch) wait(ctx context.Context) ([]string, error) {
	var scope changes
	var still, late <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case err := <-w.notify.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return nil, fmt.Errorf("mirror: watching %s: %w", w.base, err)
			}
			scope.all = true
		case e := <-w.notify.Events:
			if err := w.take(ctx, e, &scope); err != nil {
				return nil, err
			}
		case <-still:
			return w.flush(ctx, &scope)
		case <-late:
			return w.flush(ctx, &scope)
		}
		if scope.any() {
			if still = time.After(quiet); late == nil {
				late = time.After(patience)
			}
		}
	}
}

// flush returns what was gathered.
func (w *dirWatch) flush(ctx context.Context, scope *changes) ([]string, error) {
	if scope.all || len(scope.paths) > maxScope {
		return []string{""}, w.reset(ctx)
	}
	list := make([]string, 0, len(scope.paths))
	for p := range scope.paths {
		list = append(list, p)
	}
	return list, nil
}

// changes are the paths at which something changed, or all.
type changes struct {
	all   bool
	paths map[string]struct{}
}

func (c *changes) any() bool { return c.all || len(c.paths) > 0 }

func (c *changes) add(path string) {
	if c.paths == nil {
		c.paths = map[string]struct{}{}
	}
	if len(c.paths) <= maxScope {
		c.paths[path] = struct{}{}
	}
}

// take notes what an event is about, and watches what came.
func (w *dirWatch) take(ctx context.Context, e fsnotify.Event, scope *changes) error {
	rel, err := filepath.Rel(w.base, e.Name)
	path := filepath.ToSlash(rel)
	if err != nil || path == "." || checkPath(path) != nil || scope.all {
		scope.all = scope.all || path == "."
		return nil
	}
	if filepath.Base(rel) == IgnoreFile && !w.options.NoIgnoreFiles {
		scope.all = true
		return nil
	}
	if w.sieve.hidden(ctx, path, false) {
		return w.sieve.err
	}
	scope.add(path)
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		w.drop(path)
	}
	if e.Has(fsnotify.Create) {
		if info, err := os.Lstat(e.Name); err == nil && info.IsDir() {
			return w.add(ctx, path)
		}
	}
	return nil
}

// drop ends the watching of a folder that is gone, and of those in it, which may have come elsewhere.
func (w *dirWatch) drop(path string) {
	if _, ok := w.watched[path]; !ok {
		return
	}
	for p := range w.watched {
		if p == path || strings.HasPrefix(p, path+"/") {
			delete(w.watched, p)
			// It may be gone already: then there is nothing to end.
			_ = w.notify.Remove(w.name(p))
		}
	}
}
