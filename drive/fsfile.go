package drive

import (
	"io"
	"io/fs"
	"time"
)

// fsEntry is a name in a folder.
type fsEntry struct {
	fs *FS
	*DirEntry
}

func (e *fsEntry) Name() string { return e.DirEntry.Name }
func (e *fsEntry) IsDir() bool  { return e.folder() }

// folder tells whether a folder is shown.
func (e *fsEntry) folder() bool { return e.Entry == nil || e.Entry.Mount != nil }

func (e *fsEntry) Type() fs.FileMode {
	if e.folder() {
		return fs.ModeDir
	}
	return e.Entry.Mode().Type()
}

func (e *fsEntry) Info() (fs.FileInfo, error) {
	return e.fs.info(e.DirEntry.Name, e.Entry, e.folder())
}

// info describes an entry, or a folder.
func (f *FS) info(name string, e *Entry, folder bool) (*fileInfo, error) {
	if folder {
		return &fileInfo{name: name, mode: fs.ModeDir | 0o755, entry: e}, nil
	}
	size, err := f.drive.Size(f.ctx, *e)
	return &fileInfo{name: name, size: size, mode: e.Mode(), time: e.ModTime(), entry: e}, err
}

// fileInfo implements fs.FileInfo. Sys returns the *Entry, nil for a folder.
type fileInfo struct {
	name  string
	size  int64
	mode  fs.FileMode
	time  time.Time
	entry *Entry
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.size }
func (i *fileInfo) Mode() fs.FileMode  { return i.mode }
func (i *fileInfo) ModTime() time.Time { return i.time }
func (i *fileInfo) IsDir() bool        { return i.mode.IsDir() }

func (i *fileInfo) Sys() any {
	if i.entry == nil {
		return nil
	}
	return i.entry
}

// fsFile is a file that is open.
type fsFile struct {
	*File
	info *fileInfo
}

func (f *fsFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// fsDir is a folder that is open.
type fsDir struct {
	fs    *FS
	name  string
	info  *fileInfo
	place place
	list  []fs.DirEntry
	read  bool
}

func (d *fsDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *fsDir) Close() error               { return nil }

func (d *fsDir) Read([]byte) (int, error) { return 0, pathError("read", d.name, ErrIsFolder) }

// Seek goes back to the start, which is the only place that a folder has.
func (d *fsDir) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, pathError("seek", d.name, fs.ErrInvalid)
	}
	d.list, d.read = nil, false
	return 0, nil
}

// ReadDir implements fs.ReadDirFile.
func (d *fsDir) ReadDir(n int) (list []fs.DirEntry, err error) {
	if !d.read {
		if d.list, err = d.fs.readDir(d.name, &d.place); err != nil {
			return nil, err
		}
		d.read = true
	}
	if n <= 0 {
		list, d.list = d.list, nil
		return list, nil
	}
	if len(d.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	list, d.list = d.list[:n:n], d.list[n:]
	return list, nil
}
