//go:build unix

package mirror

import "syscall"

// openFlags has the opening of what became a pipe not wait for a writer.
const openFlags = syscall.O_NONBLOCK
