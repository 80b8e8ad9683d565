package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// maxOpen bounds the folders within folders that a walk goes into: each takes a file descriptor.
const maxOpen = 256

// walk goes through a folder in the order of the bytes of whole paths, in which a folder stands where its name with a slash does.
// It follows no links.
type walk struct {
	ctx    context.Context
	folder *folder
	skip   func(string) bool
	yield  func(entry, error) bool
	depth  int
}

// start walks through what is at a path, if folders alone lead there.
func (w *walk) start(under string) {
	if under == "" {
		w.dir(w.folder.root, "")
		return
	}
	for p := parent(under); p != ""; p = parent(p) {
		if info, err := w.folder.root.Lstat(p); err != nil || !info.IsDir() {
			return
		}
	}
	info, err := w.folder.root.Lstat(under)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		w.yield(entry{path: under, note: err}, nil)
	case info.IsDir():
		if w.skip(under) {
			return
		}
		sub, err := w.folder.root.OpenRoot(under)
		if err != nil {
			w.yield(entry{path: under, note: err}, nil)
			return
		}
		defer sub.Close()
		w.dir(sub, under+"/")
	default:
		w.file(w.folder.root, under, under, info)
	}
}

// dir walks through an open folder, whose path is prefix without the slash at its end. It tells whether the walk goes on.
func (w *walk) dir(r *os.Root, prefix string) bool {
	if w.depth++; w.depth > maxOpen {
		w.depth--
		return w.yield(entry{path: strings.TrimSuffix(prefix, "/"), note: ErrDepth}, nil)
	}
	defer func() { w.depth-- }()
	names, err := readNames(r)
	if err != nil {
		return w.yield(entry{path: strings.TrimSuffix(prefix, "/"), note: fmt.Errorf("reading the folder: %w", err)}, nil)
	}
	for _, n := range names {
		if err := w.ctx.Err(); err != nil {
			w.yield(entry{}, err)
			return false
		}
		if !w.name(r, prefix, n) {
			return false
		}
	}
	return true
}

// name walks through what has a name in a folder.
func (w *walk) name(r *os.Root, prefix string, n fs.DirEntry) bool {
	path := prefix + n.Name()
	if isPartial(n.Name()) {
		w.folder.sawPartial(path)
		return true
	}
	if err := checkPath(path); err != nil {
		return w.yield(entry{path: path, note: err}, nil)
	}
	if n.IsDir() {
		if w.skip(path) {
			return true
		}
		sub, err := r.OpenRoot(n.Name())
		if errors.Is(err, fs.ErrNotExist) {
			return true
		}
		if err != nil {
			return w.yield(entry{path: path, note: err}, nil)
		}
		defer sub.Close()
		return w.dir(sub, path+"/")
	}
	info, err := r.Lstat(n.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return w.yield(entry{path: path, note: err}, nil)
	}
	return w.file(r, n.Name(), path, info)
}

// file yields a file, a link, or a note on something else.
func (w *walk) file(r *os.Root, name, path string, info fs.FileInfo) bool {
	switch e := fileEntry(path, info); {
	case info.Mode().IsRegular():
		return w.yield(e, nil)
	case info.Mode()&fs.ModeSymlink != 0 && w.folder.target && !w.folder.options.Links:
		return w.yield(entry{path: path, note: ErrLink, benign: true}, nil)
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := r.Readlink(name)
		if err == nil && link == "" {
			err = ErrLink
		}
		return w.yield(entry{path: path, link: link, note: err}, nil)
	case info.IsDir(): // it was something else a moment ago
		return w.yield(entry{path: path, note: ErrChanging}, nil)
	default:
		return w.yield(entry{path: path, note: fmt.Errorf("%w: %v", ErrSpecial, info.Mode().Type()), benign: true}, nil)
	}
}

// fileEntry is the entry of a regular file.
func fileEntry(path string, info fs.FileInfo) entry {
	return entry{
		path: path, size: info.Size(), executable: info.Mode()&0o100 != 0,
		time: info.ModTime(), mode: info.Mode().Perm(), info: info,
	}
}

// readNames returns what is in a folder, in the order in which it stands in a listing of whole paths.
func readNames(r *os.Root) ([]fs.DirEntry, error) {
	d, err := r.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(names, func(a, b fs.DirEntry) int { return cmp.Compare(key(a), key(b)) })
	return names, nil
}
