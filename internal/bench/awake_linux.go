package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// canGiveWay tells whether a process can be told to run only where nothing else does.
const canGiveWay = true

// giveWay has this process run only where nothing else does, the threads of the Go runtime too. Threads that come later are as
// the one that starts them.
func giveWay() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0); err != nil && err != unix.ESRCH {
			return err
		}
	}
	return nil
}
