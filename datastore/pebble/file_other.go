//go:build !unix

package pebble

import "io/fs"

// allocated returns the bytes that a file takes on the disk, as far as that is known.
func allocated(info fs.FileInfo) uint64 { return uint64(info.Size()) }

// sameFile tells whether two infos are of one file, as far as that is known.
func sameFile(a, b fs.FileInfo) bool { return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) }
