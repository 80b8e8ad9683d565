package drive

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hypernode/hypernode/bee"
)

// FS is a drive as an io/fs.FS, with ReadDir, ReadFile, Stat, Lstat and ReadLink. Files can be read at random, so http.FileServerFS
// serves ranges of them. Folders are what paths have in common; mounts are crossed. Of a name that is a file and a folder, the file
// is shown; what is below can be opened all the same. Names that no path leads to, and values that are no entries, are left out. Times are those of the metadata.
//
// A relative target of a link begins at the folder of the link here, as in other file systems: ReadLink translates it.
type FS struct {
	ctx   context.Context
	drive *Drive
}

// FS returns the drive as a file system whose operations end with ctx.
func (d *Drive) FS(ctx context.Context) *FS { return &FS{ctx, d} }

// Open implements fs.FS. Files are io.ReadSeekers and io.ReaderAts.
func (f *FS) Open(name string) (fs.File, error) {
	p, e, folder, err := f.look("open", name, true)
	if err != nil {
		return nil, err
	}
	info, err := f.info(path.Base(name), e, folder)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	if folder {
		return &fsDir{fs: f, name: name, info: info, place: p}, nil
	}
	file, err := f.drive.OpenEntry(f.ctx, *e)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &fsFile{file, info}, nil
}

// look finds what is at a name: an entry, or a folder.
func (f *FS) look(op, name string, follow bool) (p place, e *Entry, folder bool, err error) {
	fail := func(err error) (place, *Entry, bool, error) { return place{}, nil, false, pathError(op, name, err) }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	if name == "." {
		p, err = f.drive.folder(f.ctx, "")
		if err != nil {
			return fail(err)
		}
		return p, nil, true, nil
	}
	clean := "/" + name
	if !reachable(clean) {
		return fail(fs.ErrNotExist)
	}
	var found Entry
	if follow {
		p, found, err = f.drive.follow(f.ctx, clean)
	} else {
		p, found, err = f.drive.find(f.ctx, clean)
	}
	switch {
	case err == nil && found.Mount != nil:
		if p, err = p.through(f.ctx, true); err != nil {
			return fail(err)
		}
		return p, nil, true, nil
	case err == nil:
		found = p.entry(found)
		return p, &found, false, nil
	case !errors.Is(err, ErrNotFound) || p.drive == nil:
		return fail(err)
	}
	if p.path == "" {
		return p, nil, true, nil
	}
	if _, err := p.drive.tree.Peek(f.ctx, folderRange(p.path)); err != nil {
		if errors.Is(err, bee.ErrNotFound) {
			err = ErrNotFound
		}
		return fail(err)
	}
	return p, nil, true, nil
}

// reachable tells whether a path is the clean form of itself.
func reachable(p string) bool {
	clean, err := Clean(p)
	return err == nil && clean == p && fs.ValidPath(p[1:])
}

// Stat implements fs.StatFS: links are followed.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	_, e, folder, err := f.look("stat", name, true)
	if err != nil {
		return nil, err
	}
	info, err := f.info(path.Base(name), e, folder)
	return info, pathError("stat", name, err)
}

// Lstat implements fs.ReadLinkFS: a link is not followed.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	_, e, folder, err := f.look("lstat", name, false)
	if err != nil {
		return nil, err
	}
	info, err := f.info(path.Base(name), e, folder)
	return info, pathError("lstat", name, err)
}

// ReadLink implements fs.ReadLinkFS. The target is relative to the folder of the link.
func (f *FS) ReadLink(name string) (string, error) {
	p, e, _, err := f.look("readlink", name, false)
	if err != nil {
		return "", err
	}
	if e == nil || !e.IsLink() {
		return "", pathError("readlink", name, fs.ErrInvalid)
	}
	target, err := linkTarget(p.path, e.Link)
	if err != nil || !within(target, p.root) {
		return "", pathError("readlink", name, cmp.Or(err, ErrPath))
	}
	return relative(path.Dir(p.path), target), nil
}

// relative is a path from a folder to a target, both clean.
func relative(from, to string) string {
	a, b := strings.Split(from, "/")[1:], strings.Split(to, "/")[1:]
	if from == "/" {
		a = nil
	}
	for len(a) > 0 && len(b) > 1 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	return strings.Repeat("../", len(a)) + strings.Join(b, "/")
}

// ReadFile implements fs.ReadFileFS.
func (f *FS) ReadFile(name string) ([]byte, error) {
	_, e, folder, err := f.look("readfile", name, true)
	if err != nil {
		return nil, err
	}
	if folder {
		return nil, pathError("readfile", name, ErrIsFolder)
	}
	file, err := f.drive.OpenEntry(f.ctx, *e)
	if err != nil {
		return nil, pathError("readfile", name, err)
	}
	defer file.Close()
	b, err := file.readAll()
	return b, pathError("readfile", name, err)
}

// ReadDir implements fs.ReadDirFS: the names are sorted.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	p, _, folder, err := f.look("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !folder {
		return nil, pathError("readdir", name, ErrNotFolder)
	}
	return f.readDir(name, &p)
}

// readDir lists the folder that a place is.
func (f *FS) readDir(name string, p *place) ([]fs.DirEntry, error) {
	names, err := p.names(f.ctx)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	list := make([]fs.DirEntry, 0, len(names))
	for i := range names {
		if n := &names[i]; (n.Err == nil || n.Folder) && reachable("/"+n.Name) && !strings.Contains(n.Name, "/") {
			list = append(list, &fsEntry{fs: f, DirEntry: n})
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, nil
}
