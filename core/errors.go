package core

import (
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Errors that callers branch on.
var (
	// ErrClosed: the handle is closed.
	ErrClosed = errors.New("core: closed")
	// ErrDeleted: the core was deleted from the store.
	ErrDeleted = errors.New("core: deleted")
	// ErrNotFound: the store does not hold the core, and the options did not let it be created.
	ErrNotFound = errors.New("core: not in the store")
	// ErrNotWritable: the handle has no key to sign with, or was opened read-only.
	ErrNotWritable = errors.New("core: not writable")
	// ErrOutOfRange: an index or offset behind the end of the log.
	ErrOutOfRange = errors.New("core: out of range")
	// ErrNotAvailable: a block, or a tree node that the answer needs, is not stored here and nobody could be asked.
	ErrNotAvailable = errors.New("core: not available")
	// ErrTruncated: the log was cut below what a snapshot pins, or below what was being read.
	ErrTruncated = errors.New("core: truncated")
	// ErrInvalidProof: a proof that does not verify. Nothing of it was stored.
	ErrInvalidProof = merkle.ErrInvalidProof
	// ErrConflict: two histories were signed with the core's key. The core is frozen; a *ConflictError has the proof.
	ErrConflict = errors.New("core: conflicting histories")
	// ErrRolledBack: this writer was shown a longer head that it signed itself, so its store is an old copy. It appends
	// again once it holds the blocks that it had forgotten.
	ErrRolledBack = errors.New("core: the store is older than what was signed; catch up first")
	// ErrCorrupt: what the store holds is not what was stored. A *CorruptError says which block.
	ErrCorrupt = errors.New("core: corrupt")
	// ErrBlockSize: a block above MaxBlock bytes.
	ErrBlockSize = errors.New("core: block too large")
	// ErrNoSecrets: the key pair would have to be stored, and the store has no place for secrets.
	ErrNoSecrets = errors.New("core: the store has no place for secrets")
	// ErrOptions: options that do not name one core, or contradict each other.
	ErrOptions = errors.New("core: invalid options")
	// ErrEncrypted: an append to an encrypted core without its encryption key.
	ErrEncrypted = errors.New("core: encrypted")
	// ErrInUse: the core is already open through another call of Open.
	ErrInUse = errors.New("core: already open")
)

// asCorrupt makes an error about a corrupt record an ErrCorrupt too.
func asCorrupt(err error) error {
	if errors.Is(err, datastore.ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// CorruptError names a block whose stored bytes are not those that were verified. It is an ErrCorrupt.
type CorruptError struct{ Block uint64 }

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("core: block %d is corrupt and no source has it", e.Block)
}

// Unwrap makes a CorruptError an ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }

// ConflictError carries the portable proof that the core's key signed two histories. It is an ErrConflict.
type ConflictError struct{ Proof *merkle.ConflictProof }

// Error implements error.
func (e *ConflictError) Error() string {
	return "core: frozen: its key signed two different histories (a forked writer)"
}

// Unwrap makes a ConflictError an ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }
