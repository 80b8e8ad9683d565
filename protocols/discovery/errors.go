package discovery

import "errors"

// ErrLeft tells that a topic was left.
var ErrLeft = errors.New("discovery: topic was left")
