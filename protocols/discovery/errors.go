package discovery

import "errors"

var (
	// ErrLeft tells that a topic was left.
	ErrLeft = errors.New("discovery: topic was left")

	// ErrEnded tells that the Finder runs no more.
	ErrEnded = errors.New("discovery: the search has ended")
)
