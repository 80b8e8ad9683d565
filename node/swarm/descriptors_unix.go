//go:build unix

package swarm

import "golang.org/x/sys/unix"

// descriptors is how many files and sockets the network may have open: half of what the system allows.
func descriptors() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 512
	}
	return int(min(uint64(r.Cur)/2, 1<<20))
}
