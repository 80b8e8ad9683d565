package datastore

import (
	"errors"
	"fmt"
)

// Errors that callers branch on.
var (
	// ErrNotFound: there is no such record or block.
	ErrNotFound = errors.New("datastore: not found")
	// ErrReadOnly: a write to a view, or to a store that was opened read-only.
	ErrReadOnly = errors.New("datastore: read-only")
	// ErrNoSpace: the disk is full up to the store's reserve. Nothing was written; try again when there is room.
	ErrNoSpace = errors.New("datastore: no space left")
	// ErrStoreFailed: the disk failed a write or a sync. The store is read-only until it is opened again.
	ErrStoreFailed = errors.New("datastore: store failed")
	// ErrCorrupt: what was read is not what was written. A *CorruptError says which.
	ErrCorrupt = errors.New("datastore: corrupt")
	// ErrClosed: the store is closed.
	ErrClosed = errors.New("datastore: closed")
	// ErrLocked: another process has the store open. The message names it.
	ErrLocked = errors.New("datastore: locked")
	// ErrFormat: the store was written by another version whose format this one does not read.
	ErrFormat = errors.New("datastore: unknown store format")
	// ErrKey: a key has not the form that Key describes, or a range leaves its group.
	ErrKey = errors.New("datastore: malformed key")
	// ErrTooLarge: one update is larger than the engine can commit as a whole. Nothing was written.
	ErrTooLarge = errors.New("datastore: update too large")
	// ErrSecretExposed: others than its owner may read a secret's file, or it is no regular file.
	ErrSecretExposed = errors.New("datastore: secret file is not private")
	// ErrNotAtomic: the caller's datastore was not declared atomic.
	ErrNotAtomic = errors.New("datastore: batches are not declared atomic")
)

// CorruptError tells which record or block is corrupt. It is an ErrCorrupt.
type CorruptError struct {
	Key    Key
	Value  []byte // what was found, for one who can check it by other means; nil when nothing could be read
	Reason error  // may be nil
}

// Error implements error.
func (e *CorruptError) Error() string {
	if e.Reason != nil {
		return fmt.Sprintf("datastore: %s is corrupt: %v", e.Key, e.Reason)
	}
	return fmt.Sprintf("datastore: %s is corrupt", e.Key)
}

// Unwrap makes a CorruptError an ErrCorrupt.
func (e *CorruptError) Unwrap() []error {
	if e.Reason == nil {
		return []error{ErrCorrupt}
	}
	return []error{ErrCorrupt, e.Reason}
}
