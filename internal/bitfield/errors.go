package bitfield

import "errors"

var (
	// ErrPageSize is returned for a page that is not PageBytes long.
	ErrPageSize = errors.New("bitfield: a page of the wrong size")

	// ErrPageRange is returned for a page that lies at or past Limit.
	ErrPageRange = errors.New("bitfield: a page past the last index")
)
