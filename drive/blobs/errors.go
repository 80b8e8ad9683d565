package blobs

import "errors"

// Errors that callers branch on. Those of package core come through as they are, among them core.ErrNotAvailable.
var (
	// ErrInvalidID: an id that no writer makes, or that does not fit the blocks that it names.
	ErrInvalidID = errors.New("blobs: invalid id")
	// ErrInvalidMap: a block map that cannot be read, or is larger than any writer makes.
	ErrInvalidMap = errors.New("blobs: invalid block map")
	// ErrClosed: a reader or writer was closed.
	ErrClosed = errors.New("blobs: closed")
	// ErrBlockSize: a block size that is zero, negative or above core.MaxBlock.
	ErrBlockSize = errors.New("blobs: invalid block size")
)
