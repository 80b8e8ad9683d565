package main

import "golang.org/x/sys/unix"

// inMemory tells whether a folder lies on a file system that is no disk.
func inMemory(dir string) bool {
	var s unix.Statfs_t
	err := unix.Statfs(dir, &s)
	return err == nil && (s.Type == unix.TMPFS_MAGIC || s.Type == unix.RAMFS_MAGIC)
}
