package pebble

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable"
)

// The names in a store's folder.
const (
	formatFile  = "FORMAT"
	lockFile    = "LOCK"
	holderFile  = "HOLDER"
	makingFile  = "MAKING" // there while the store is being made: nothing in it is of worth yet
	recordsDir  = "records"
	journalDir  = "journal"
	segmentsDir = "segments"
	secretsDir  = "secrets"

	formatPrefix = "hypernode store "
	formatText   = formatPrefix + "1\n"
)

var storeDirs = []string{recordsDir, journalDir, segmentsDir, secretsDir}

// checkFolder refuses what is no folder of a store and cannot become one, before anything is written there.
func checkFolder(fsys vfs.FS, dir string, readOnly bool) error {
	info, err := fsys.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !readOnly:
		return durable.MkdirAll(fsys, dir, 0o755)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: %w", dir, syscall.ENOTDIR)
	}
	_, err = contents(fsys, dir)
	return err
}

// contents tells whether dir holds a store. Without one it must be empty, or hold what was left of a store that was
// being made.
func contents(fsys vfs.FS, dir string) (store bool, err error) {
	names, err := fsys.List(dir)
	if err != nil {
		return false, err
	}
	other, making := "", false
	for _, name := range names {
		switch name {
		case formatFile:
			return true, nil
		case makingFile:
			making = true
		case lockFile, holderFile, makingFile + ".tmp", "lost+found":
		default:
			other = name
		}
	}
	if other != "" && !making {
		return false, fmt.Errorf("no store, and not empty: it holds %q but no %s", other, formatFile)
	}
	return false, nil
}

// checkFormat reads the format of a store.
func checkFormat(fsys vfs.FS, dir string) error {
	b, err := durable.ReadFile(fsys, fsys.PathJoin(dir, formatFile), 256)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no store: %w", err)
	}
	if err != nil {
		return err
	}
	if string(b) == formatText {
		return nil
	}
	if v, ok := strings.CutPrefix(string(b), formatPrefix); ok {
		return fmt.Errorf("%w: the folder has %q, this is %q", datastore.ErrFormat, strings.TrimSpace(v), "1")
	}
	return corrupt("%s says %q", formatFile, b)
}

// ensure makes a store in dir, where there is none.
//
// First comes a file that says that a store is being made. As long as FORMAT is not there, a crash leaves either that
// file, and all beside it is made anew, or nothing. FORMAT comes last.
func ensure(dir string, o Options) error {
	store, err := contents(o.FS, dir)
	if err != nil {
		return err
	}
	making := o.FS.PathJoin(dir, makingFile)
	if store {
		if err := checkFormat(o.FS, dir); err != nil {
			return err
		}
		return finishMaking(dir, making, o)
	}
	if err := durable.WriteFile(o.FS, making, []byte("a store is being made here\n"), 0o644); err != nil {
		return err
	}
	if err := makeFolders(dir, o); err != nil {
		return fmt.Errorf("making a store: %w", err)
	}
	if err := durable.WriteFile(o.FS, o.FS.PathJoin(dir, formatFile), []byte(formatText), 0o644); err != nil {
		return fmt.Errorf("making a store: %w", err)
	}
	return finishMaking(dir, making, o)
}

// finishMaking puts a store that has its FORMAT on stable storage, with the folder itself: whoever made that may not have
// synced it. It is also what an earlier open that broke off right behind FORMAT has left to do.
func finishMaking(dir, making string, o Options) error {
	if _, err := o.FS.Stat(making); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := durable.SyncDir(o.FS, dir); err != nil {
		return err
	}
	if err := durable.SyncDir(o.FS, o.FS.PathDir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err := durable.Remove(o.FS, making); err != nil {
		return err
	}
	return durable.SyncDir(o.FS, dir)
}

// makeFolders makes the folders of a store with an empty Pebble, all on stable storage.
func makeFolders(dir string, o Options) error {
	for _, name := range storeDirs {
		if err := o.FS.RemoveAll(o.FS.PathJoin(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range storeDirs {
		if err := o.FS.MkdirAll(o.FS.PathJoin(dir, name), 0o700); err != nil {
			return err
		}
	}
	if err := durable.SyncDir(o.FS, dir); err != nil {
		return err
	}
	e := newEngine(dir, o, o.FS, false)
	db, err := pebble.Open(o.FS.PathJoin(dir, recordsDir), e.records())
	if err != nil {
		return err
	}
	close(e.health.ending)
	if err := errors.Join(db.Close(), e.health.err()); err != nil {
		return err
	}
	return durable.SyncDir(o.FS, o.FS.PathJoin(dir, recordsDir))
}
