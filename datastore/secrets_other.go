//go:build !unix

package datastore

import (
	"fmt"
	"os"
)

// openSecret opens a file that is no link.
func openSecret(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s has mode %v", ErrSecretExposed, info.Name(), info.Mode())
	}
	return os.Open(path)
}

// syncDir does nothing: a folder cannot be synced here.
func syncDir(string) error { return nil }
