package main

import (
	"slices"
	"time"
)

// percentile returns the p-th percentile of durations, in microseconds. It sorts them.
func percentile(list []time.Duration, p int) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return float64(list[min(len(list)*p/100, len(list)-1)].Nanoseconds()) / 1000
}

// median returns the middle value, ok is false without one.
func median(list []float64) (m float64, ok bool) {
	if len(list) == 0 {
		return 0, false
	}
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2, true
}

// stopwatch measures the time of a section, and the CPU time of the process in it.
type stopwatch struct {
	start time.Time
	cpu   float64
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuSeconds()} }

// stop notes n operations of size bytes: how many a second, how many MiB a second, and the CPU time of one in microseconds.
func (w stopwatch) stop(f figures, name string, n uint64, size int) {
	secs, cpu := time.Since(w.start).Seconds(), cpuSeconds()-w.cpu
	f[name] = float64(n) / secs
	f[name+".mib"] = float64(n) * float64(size) / secs / (1 << 20)
	f[name+".cpu"] = cpu * 1e6 / float64(n)
}

// perOp notes the time of one of n operations, and its CPU time, in microseconds.
func (w stopwatch) perOp(f figures, name string, n uint64) {
	f[name] = time.Since(w.start).Seconds() * 1e6 / float64(n)
	f[name+".cpu"] = (cpuSeconds() - w.cpu) * 1e6 / float64(n)
}

// span notes when a section began and ended, in seconds of the clock, and the CPU seconds that it took.
func (w stopwatch) span(f figures) {
	end := time.Now()
	f["start"], f["end"] = float64(w.start.UnixNano())/1e9, float64(end.UnixNano())/1e9
	f["cpu"] = cpuSeconds() - w.cpu
}
