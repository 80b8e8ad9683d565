package main

import (
	"slices"
	"strings"
)

// row is a line of the table: a figure, what it is compared with, and what would bound it.
type row struct {
	figure string
	what   string
	unit   string
	js     float64 // median of the JavaScript stack on a machine of this kind, never synced
	target float64 // 0 for none
	lower  bool    // less is better
	limit  func(l figures) float64
}

// rate turns the sum of times in microseconds into operations per second.
func rate(us ...float64) float64 {
	sum := 0.0
	for _, t := range us {
		sum += t
	}
	if sum == 0 {
		return 0
	}
	return 1e6 / sum
}

// rows is the table. What bounds an append is hashing its leaf, signing the tree, and handing the bytes to the kernel; what bounds a
// read is to get the bytes from the kernel.
func rows() []row {
	read1 := func(l figures) float64 { return rate(l["read.1k"]) }
	read64 := func(l figures) float64 { return rate(l["read.64k"]) }
	each1 := func(l figures) float64 { return rate(l["read.256k"] / 256) }
	each64 := func(l figures) float64 { return rate(l["read.256k"]/4) / 16 }
	return []row{
		{"append.1", "append 1 KiB one by one", "/s", 4061, 20000, false, func(l figures) float64 {
			return rate(l["hash.1k"], l["sign"], l["write.1k"])
		}},
		{"append.1k", "append 1 KiB in batches of 1,000", "/s", 91871, 250000, false, func(l figures) float64 {
			return rate(l["lanes.1k"], l["write.64k"]/64)
		}},
		{"append.64k.mib", "append 64 KiB in batches of 64", "MiB/s", 248, 500, false, func(l figures) float64 {
			return rate(l["lanes.64k"], l["write.64k"]) / 16
		}},
		{"get.1k.warm", "random get of 1 KiB, one at a time", "/s", 15923, 100000, false, read1},
		{"get.1k.reopen", "the same, store just opened", "/s", 21584, 100000, false, read1},
		{"get32.1k.warm", "random get of 1 KiB, 32 workers", "/s", 113410, 0, false, nil},
		{"get32.1k.reopen", "the same, store just opened", "/s", 88693, 0, false, nil},
		{"iterate.1k.warm", "iterate 1 KiB blocks", "/s", 21853, 250000, false, each1},
		{"iterate.1k.reopen", "the same, store just opened", "/s", 21736, 250000, false, each1},
		{"get.64k.warm", "random get of 64 KiB, one at a time", "/s", 7680, 0, false, read64},
		{"get.64k.reopen", "the same, store just opened", "/s", 8084, 0, false, read64},
		{"get32.64k.warm", "random get of 64 KiB, 32 workers", "/s", 14769, 0, false, nil},
		{"get32.64k.reopen", "the same, store just opened", "/s", 19336, 0, false, nil},
		{"iterate.64k.warm.mib", "iterate 64 KiB blocks", "MiB/s", 581, 0, false, each64},
		{"iterate.64k.reopen.mib", "the same, store just opened", "MiB/s", 576, 0, false, each64},
		{"cores.rss", "memory of an idle open core", "KiB", 51.5, 4, true, nil},
		{"cores.create", "make a core and append 100 B", "µs", 910, 0, true, nil},
		{"cores.open", "open a core", "µs", 409, 0, true, nil},
		{"disk.1", "disk, 1 KiB one by one", "MiB", 54.4, 0, true, nil},
		{"disk.1k", "disk, 1 KiB in batches", "MiB", 219, 0, true, nil},
		{"disk.64k", "disk, 64 KiB blocks", "MiB", 1027, 0, true, nil},
		{"disk.cores", "disk, cores of one 100 B block", "MiB", 50.5, 0, true, nil},
	}
}

// group is the workloads that share a store, and the processes that run them one after the other.
type group struct {
	name  string
	steps []string
	task  task
}

// groups returns the groups at their full size, or a tenth of it.
func groups(quick bool, cores uint64) []group {
	scale := uint64(1)
	if quick {
		scale = 10
	}
	return []group{
		{"1", []string{"append"}, task{Count: 20000 / scale, Size: 1 << 10, Batch: 1}},
		{"1k", []string{"fill", "reopen"}, task{Count: 200000 / scale, Size: 1 << 10, Batch: 1000, Gets: 20000}},
		{"64k", []string{"fill", "reopen"}, task{Count: 16384 / scale, Size: 64 << 10, Batch: 64, Gets: 5000}},
		{"cores", []string{"create", "open"}, task{Count: cores}},
	}
}

// makes tells whether a figure comes from the group: its name is a part of the figure's.
func (g *group) makes(figure string) bool { return slices.Contains(strings.Split(figure, "."), g.name) }
