package node

import "errors"

var (
	// ErrClosed tells that the node is closed.
	ErrClosed = errors.New("node: closed")

	// ErrNotSeeded tells that the key is not among the seeds.
	ErrNotSeeded = errors.New("node: not seeded")

	// ErrRunning tells that Run was called twice.
	ErrRunning = errors.New("node: already running")
)
