package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	badgerdb "github.com/dgraph-io/badger/v4"

	"github.com/hypernode/hypernode/datastore"
)

const (
	manifestFile  = "MANIFEST" // there is a store where this file is
	lockFile      = "LOCK"     // holds the process id of who has the store open
	secretsFolder = "secrets"
)

// Open opens the store in the folder dir and makes one, folder included, when there is none. It returns an error that
// wraps datastore.ErrLocked when the store is open already, datastore.ErrFormat for another version's store, and
// fs.ErrNotExist when there is none to open read-only. It does not touch a folder that holds something else.
func Open(dir string, o Options) (*datastore.DB, error) {
	e, err := openEngine(dir, o)
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", dir, err)
	}
	return datastore.NewDB(e, o.Options), nil
}

func openEngine(dir string, o Options) (*engine, error) {
	if err := checkFolder(dir, o.ReadOnly); err != nil {
		return nil, err
	}
	db, err := badgerdb.Open(o.badger(dir))
	if err != nil {
		return nil, errors.Join(lockedBy(dir, o.ReadOnly), err)
	}
	e := &engine{db: db, dir: dir, synced: o.Durability == datastore.Full, readOnly: o.ReadOnly}
	err = datastore.CheckFormat(e, o.ReadOnly)
	if err == nil {
		err = e.finishParts()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return e, nil
}

// checkFolder makes sure that dir holds a store, or nothing but what the making of a store may have left.
func checkFolder(dir string, readOnly bool) error {
	if !readOnly {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == manifestFile {
			return nil
		}
	}
	if readOnly {
		return fmt.Errorf("no store: %w", fs.ErrNotExist)
	}
	for _, entry := range entries {
		if !isOurs(entry.Name()) {
			return fmt.Errorf("the folder holds %q and no store: %w", entry.Name(), fs.ErrExist)
		}
	}
	return nil
}

// isOurs tells whether a file may come from a store that was not finished.
func isOurs(name string) bool {
	switch name {
	case lockFile, "KEYREGISTRY", "REWRITE-KEYREGISTRY", "MANIFEST-REWRITE", "DISCARD", secretsFolder:
		return true
	}
	switch filepath.Ext(name) {
	case ".mem", ".vlog", ".sst":
		return true
	}
	return false
}

// lockedBy returns an error that names the process that has the store open, or nil when none has.
func lockedBy(dir string, readOnly bool) error {
	if !locked(dir, readOnly) {
		return nil
	}
	pid, err := os.ReadFile(filepath.Join(dir, lockFile))
	if err != nil || len(pid) == 0 {
		return fmt.Errorf("%w: by a process that left no name", datastore.ErrLocked)
	}
	return fmt.Errorf("%w: by process %.20s", datastore.ErrLocked, strings.TrimSpace(string(pid)))
}
