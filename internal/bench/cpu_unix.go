//go:build unix

package main

import "golang.org/x/sys/unix"

// cpuSeconds is the CPU time that this process took so far, of all its threads, user's and kernel's.
func cpuSeconds() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
