package mirror

import (
	"io/fs"
	"os"
	"time"
)

// permissions returns those that a file is to have, unless the system masks them.
func permissions(e entry) fs.FileMode {
	perm := e.mode.Perm() | 0o400
	if e.mode == 0 {
		perm = 0o666
	}
	return executable(perm, e.executable)
}

// executable sets or takes away the right to execute, of those who may read.
func executable(perm fs.FileMode, on bool) fs.FileMode {
	if on {
		return perm | (perm&0o444)>>2
	}
	return perm &^ 0o111
}

// restrict takes away the permissions that are not wanted. Those that the system masked stay so.
func restrict(file *os.File, mode fs.FileMode) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if now := info.Mode().Perm(); now&^mode != 0 {
		return file.Chmod(now & mode)
	}
	return nil
}

// setAttributes sets the executable bit and the time of a file whose contents are right.
func (f *folder) setAttributes(e entry) error {
	info, err := f.root.Lstat(e.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return ErrChanging
	}
	perm := executable(info.Mode().Perm()|0o400, e.executable)
	if perm != info.Mode().Perm() && !f.windows {
		if err := f.root.Chmod(e.path, perm); err != nil {
			return err
		}
	}
	if usable(e.time) {
		return f.root.Chtimes(e.path, e.time, e.time)
	}
	return nil
}

// usable tells whether a time is kept, and one that file systems take.
func usable(t time.Time) bool {
	return !t.IsZero() && t.Year() >= 1900 && t.Year() < 2262
}
