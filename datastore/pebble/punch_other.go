//go:build !linux

package pebble

import "errors"

func punchFD(uintptr, int64, int64) error { return errors.ErrUnsupported }
