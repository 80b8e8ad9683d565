package durable

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Overlay is a file system that shows another one and keeps every change to it in memory. Nothing below is written.
// Files are changed in the overlay as a whole: the first opening for writing copies one.
type Overlay struct {
	vfs.FS                 // below; only read
	mem    *vfs.MemFS      // what was created or changed
	mu     sync.Mutex      // guards gone
	gone   map[string]bool // removed names that are still there below
}

// NewOverlay returns an overlay over fsys.
func NewOverlay(fsys vfs.FS) *Overlay {
	return &Overlay{FS: fsys, mem: vfs.NewMem(), gone: map[string]bool{}}
}

func (o *Overlay) hidden(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone[name]
}

func (o *Overlay) hide(name string, gone bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[name] = gone
}

// parents makes the directories above name in memory.
func (o *Overlay) parents(name string) error { return o.mem.MkdirAll(o.PathDir(name), 0o700) }

// in tells whether the overlay's own layer has name.
func (o *Overlay) in(name string) bool {
	_, err := o.mem.Stat(name)
	return err == nil
}

func missing(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist} }

// Create implements vfs.FS.
func (o *Overlay) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := o.parents(name); err != nil {
		return nil, err
	}
	o.hide(name, false)
	return o.mem.Create(name, c)
}

// copyUp brings a file into the overlay's own layer, if it is not there yet.
func (o *Overlay) copyUp(name string) error {
	if o.in(name) {
		return nil
	}
	if o.hidden(name) {
		return missing("open", name)
	}
	f, err := o.FS.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	w, err := o.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = w.Write(data)
	return err
}

// Link implements vfs.FS.
func (o *Overlay) Link(oldname, newname string) error {
	if err := o.copyUp(oldname); err != nil {
		return err
	}
	if err := o.parents(newname); err != nil {
		return err
	}
	o.hide(newname, false)
	return o.mem.Link(oldname, newname)
}

// Open implements vfs.FS.
func (o *Overlay) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if o.in(name) {
		return o.mem.Open(name)
	}
	if o.hidden(name) {
		return nil, missing("open", name)
	}
	return o.FS.Open(name, opts...)
}

// OpenReadWrite implements vfs.FS.
func (o *Overlay) OpenReadWrite(name string, c vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	if err := o.copyUp(name); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if err := o.parents(name); err != nil {
		return nil, err
	}
	o.hide(name, false)
	return o.mem.OpenReadWrite(name, c)
}

// OpenDir implements vfs.FS.
func (o *Overlay) OpenDir(name string) (vfs.File, error) {
	if err := o.mem.MkdirAll(name, 0o700); err != nil {
		return nil, err
	}
	return o.mem.OpenDir(name)
}

// Remove implements vfs.FS.
func (o *Overlay) Remove(name string) error {
	below := false
	if !o.hidden(name) {
		_, err := o.FS.Stat(name)
		below = err == nil
	}
	if !below && !o.in(name) {
		return missing("remove", name)
	}
	if below {
		o.hide(name, true)
	}
	if o.in(name) {
		return o.mem.Remove(name)
	}
	return nil
}

// RemoveAll implements vfs.FS for the overlay's own files only.
func (o *Overlay) RemoveAll(name string) error {
	names, err := o.List(name)
	if err != nil {
		return o.Remove(name)
	}
	for _, n := range names {
		if err := o.RemoveAll(o.PathJoin(name, n)); err != nil {
			return err
		}
	}
	return o.Remove(name)
}

// Rename implements vfs.FS.
func (o *Overlay) Rename(oldname, newname string) error {
	if err := o.copyUp(oldname); err != nil {
		return err
	}
	if err := o.parents(newname); err != nil {
		return err
	}
	if err := o.mem.Rename(oldname, newname); err != nil {
		return err
	}
	o.hide(oldname, true)
	o.hide(newname, false)
	return nil
}

// ReuseForWrite implements vfs.FS.
func (o *Overlay) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := o.Remove(oldname); err != nil {
		return nil, err
	}
	return o.Create(newname, c)
}

// MkdirAll implements vfs.FS.
func (o *Overlay) MkdirAll(dir string, perm os.FileMode) error { return o.mem.MkdirAll(dir, perm) }

// Lock implements vfs.FS: nobody else sees the overlay.
func (o *Overlay) Lock(name string) (io.Closer, error) {
	if err := o.parents(name); err != nil {
		return nil, err
	}
	return o.mem.Lock(name)
}

// List implements vfs.FS.
func (o *Overlay) List(dir string) ([]string, error) {
	below, err := o.FS.List(dir)
	above, memErr := o.mem.List(dir)
	if err != nil && memErr != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(above))
	for _, n := range above {
		seen[n] = true
	}
	for _, n := range below {
		if !seen[n] && !o.hidden(o.PathJoin(dir, n)) {
			above = append(above, n)
		}
	}
	return above, nil
}

// Stat implements vfs.FS.
func (o *Overlay) Stat(name string) (vfs.FileInfo, error) {
	if o.hidden(name) {
		return nil, missing("stat", name)
	}
	// A directory below may have a shadow in memory that says less.
	if info, err := o.mem.Stat(name); err == nil && !info.IsDir() {
		return info, nil
	}
	if info, err := o.FS.Stat(name); err == nil {
		return info, nil
	}
	return o.mem.Stat(name)
}

// GetDiskUsage implements vfs.FS.
func (o *Overlay) GetDiskUsage(name string) (vfs.DiskUsage, error) { return o.FS.GetDiskUsage(name) }

// Unwrap implements vfs.FS; an overlay hides what it stands on, since writes must not reach it.
func (o *Overlay) Unwrap() vfs.FS { return nil }

// String names the overlay in messages.
func (o *Overlay) String() string { return fmt.Sprintf("overlay of %T", o.FS) }
