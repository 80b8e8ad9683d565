package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// serveAwake keeps the CPUs from going to sleep until stdin ends: threads that give way to all others spin on them. A CPU that
// sleeps takes its time to wake up, the more so in a virtual machine, and finds its caches cold. What is measured beside this
// is how long the programs take; else it is that and how fast the machine is awake.
func serveAwake(_ context.Context, _ *task) (figures, error) {
	if err := giveWay(); err != nil {
		return nil, err
	}
	var stop atomic.Bool
	var work sync.WaitGroup
	defer work.Wait()
	defer stop.Store(true)
	for range runtime.NumCPU() {
		work.Go(func() {
			for !stop.Load() {
			}
		})
	}
	return figures{}, obey(hello{}, func(order string) (figures, error) { return nil, fmt.Errorf("no order %q", order) })
}
