//go:build !linux && !darwin

package badger

// locked cannot tell here.
func locked(dir string, readOnly bool) bool { return false }
