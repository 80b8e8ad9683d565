//go:build !linux

package pebble

import "errors"

func beginWriting(uintptr, int64, int64) error { return errors.ErrUnsupported }

func punchFD(uintptr, int64, int64) error { return errors.ErrUnsupported }
