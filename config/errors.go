package config

import (
	"errors"
	"fmt"
)

// ErrInvalid tells that a configuration has a key that does not exist, or a value that cannot be.
var ErrInvalid = errors.New("invalid configuration")

// KeyError names a key that does not exist. It is an ErrInvalid.
type KeyError struct {
	Source  string // the file with the line, or the environment
	Key     string // as it was written
	Nearest string // the key that is most like it
}

// Error implements error.
func (e *KeyError) Error() string {
	return fmt.Sprintf("%s: there is no key %s; did you mean %s?", e.Source, e.Key, e.Nearest)
}

// Unwrap makes a KeyError an ErrInvalid.
func (e *KeyError) Unwrap() error { return ErrInvalid }

// ValueError names a key whose value cannot be. It is an ErrInvalid.
type ValueError struct {
	Source string
	Key    string
	Reason error
}

// Error implements error.
func (e *ValueError) Error() string { return fmt.Sprintf("%s: %s: %s", e.Source, e.Key, e.Reason) }

// Unwrap makes a ValueError an ErrInvalid.
func (e *ValueError) Unwrap() []error { return []error{ErrInvalid, e.Reason} }
