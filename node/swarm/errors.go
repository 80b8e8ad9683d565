package swarm

import (
	"errors"
	"fmt"
)

var (
	// ErrBusy tells that an address that the user wrote down cannot be bound.
	ErrBusy = errors.New("cannot listen")

	// ErrAddress tells that a configured address, network or peer is not one.
	ErrAddress = errors.New("not an address")
)

func badAddress(key, text string, err error) error {
	return fmt.Errorf("%s: %w: %q: %w", key, ErrAddress, text, err)
}
