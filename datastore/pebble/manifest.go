package pebble

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/internal/durable"
)

// manifest is what can be read of Pebble's list of files. Pebble itself takes what cannot be read for torn by a power loss, goes
// on with the entries before it, and removes the files that they do not name. What is lost so shows afterwards: the journal
// lacks commits, or files are missing.
type manifest struct {
	entries int
	// whole: nothing lies behind the entries.
	whole bool
}

// begun tells whether Pebble may go on with the list. The first entry has files but no sequence number, so that with it alone
// Pebble would begin anew with those, and what is written then would be older than all that is there; and with none it would
// begin empty. Only a store in which nothing was written yet has one entry, and nothing behind it.
func (m manifest) begun() bool { return m.entries > 1 || m.entries == 1 && m.whole }

// readManifest reads the list of files in dir.
func readManifest(fsys vfs.FS, dir string) (m manifest, err error) {
	desc, err := pebble.Peek(dir, fsys)
	if err != nil {
		return m, openError(err)
	}
	if !desc.Exists {
		return m, corrupt("the list of records is missing")
	}
	f, err := fsys.Open(desc.ManifestFilename)
	if err != nil {
		return m, openError(err)
	}
	defer func() {
		if closing := f.Close(); closing != nil {
			err = errors.Join(err, fmt.Errorf("reading the list of records: %w", closing))
		}
	}()
	for r := record.NewReader(f, 0); ; m.entries++ {
		entry, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, entry)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			m.whole = true
			return m, nil
		case record.IsInvalidRecord(err):
			return m, nil
		default:
			return m, openError(err)
		}
	}
}

// syncManifest puts on stable storage what a process that died may have left of Pebble's list of files in the kernel's
// memory. Pebble believes what it reads there and removes the files that are in it no more: a power loss after that
// would bring back the older list, without its files.
func (e *Engine) syncManifest() error {
	dir := e.fs.PathJoin(e.dir, recordsDir)
	names, err := e.fs.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "MANIFEST-") {
			continue
		}
		f, err := e.fs.OpenReadWrite(e.fs.PathJoin(dir, name), vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return durable.SyncDir(e.fs, dir)
}
