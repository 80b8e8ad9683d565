package bee

import (
	"errors"
	"fmt"
)

// Errors that callers branch on. Those of package core come through as they are, among them core.ErrNotWritable,
// core.ErrNotAvailable and core.ErrTruncated.
var (
	// ErrNotFound: the bee has no such key, or no entry where one was asked for.
	ErrNotFound = errors.New("bee: not found")
	// ErrCorrupt: a block is not what a bee writes. Who holds the writer's key can make such blocks; reading them ends here.
	ErrCorrupt = errors.New("bee: corrupt")
	// ErrVersion: a version that the core has not reached, or that lies inside a batch.
	ErrVersion = errors.New("bee: no such version")
	// ErrReadOnly: a change to a snapshot, a checkout, or a bee that was opened read-only.
	ErrReadOnly = errors.New("bee: read-only")
	// ErrClosed: the bee was closed, or a batch is used after its Update ended.
	ErrClosed = errors.New("bee: closed")
	// ErrOptions: options or ranges that contradict each other.
	ErrOptions = errors.New("bee: invalid options")
)

func corrupt(seq uint64, why string, args ...any) error {
	return fmt.Errorf("%w: block %d: %s", ErrCorrupt, seq, fmt.Sprintf(why, args...))
}
