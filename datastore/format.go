package datastore

import (
	"errors"
	"fmt"
)

// formatVersion is the version of the store's format that this package reads and writes.
const formatVersion = "1"

// formatKey is the record that holds the version.
var formatKey = Key{'/', ownGroup, '/', 'f'}

// CheckFormat makes sure that e holds a store of this version's format, and begins one when e has none and may be
// written. It is for engines that have no other place for a version. It returns an error that wraps ErrFormat for a
// store of another version.
func CheckFormat(e Engine, readOnly bool) error {
	version, err := readFormat(e)
	switch {
	case errors.Is(err, ErrNotFound) && readOnly:
		return nil
	case errors.Is(err, ErrNotFound):
		op := Op{Kind: OpSet, Key: formatKey, Value: seal(nil, formatKey, []byte(formatVersion))}
		if err := e.Commit(&Batch{Ops: []Op{op}, Bytes: len(op.Key) + len(op.Value)}, true); err != nil {
			return fmt.Errorf("writing the store's format: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("reading the store's format: %w", err)
	case version != formatVersion:
		return fmt.Errorf("%w: %q, this is %q", ErrFormat, version, formatVersion)
	}
	return nil
}

func readFormat(e Engine) (version string, err error) {
	r, err := e.Reader()
	if err != nil {
		return "", err
	}
	defer r.Close()
	sealed, err := r.Get(formatKey)
	if err != nil {
		return "", err
	}
	b, err := open(formatKey, sealed)
	return string(b), err
}
