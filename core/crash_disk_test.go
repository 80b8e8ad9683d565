package core_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

const crashDir = "store"

// nestShare is how many points there are to one that crashes again while the store is reopened.
const (
	nestShare = 64
	maxNest   = 3
)

// crashDisk is a disk in memory that loses power before every change that is made to it: a copy of it is taken, with
// none, some and all of what was not synced, and a store is opened on the copy.
type crashDisk struct {
	sizes pebble.Options
	mem   *vfs.MemFS
	rng   *rand.Rand
	run   *crashRun

	// view tells what must be found; kill: all that was handed to the disk is there.
	view  func(kill bool) func() *crashView
	name  string // how to come here again
	depth int    // of crashes while one is mended

	mu   sync.Mutex // held while copies are taken and looked at
	ops  int
	over bool // no more copies
}

// crashRun is what the disks of a test share.
type crashRun struct {
	points, nested atomic.Int64
	limit          int64
	stride         uint64                 // from one seed to the next; of even ones the durability is full, of odd ones process
	blind          func(path string) bool // of which files the syncs do nothing; may be nil

	mu       sync.Mutex
	failures []error
}

func (r *crashRun) over() bool {
	return r.points.Load() >= r.limit || r.failed() > 0
}

func (r *crashRun) failed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures)
}

func (r *crashRun) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, err)
}

// hook is called ahead of every change to the disk.
func (d *crashDisk) hook(op crashfs.Op) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return nil
	}
	d.ops++
	for _, keep := range d.keeps() {
		if d.run.over() {
			break
		}
		seed := d.rng.Uint64()
		if err := d.crash(keep, seed); err != nil {
			d.run.fail(fmt.Errorf("%s: power lost before change %d (%v %s), %d %% of what was not synced kept: %w",
				d.name, d.ops, op.Kind, op.Path, keep, err))
		}
	}
	return nil
}

// end ends the taking of copies.
func (d *crashDisk) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
}

// keeps are the percentages of unsynced data to try at the next change: all kinds of them, or one now and then while a
// store is mended, lest crashes breed more crashes than there are.
func (d *crashDisk) keeps() []int {
	all := []int{0, 1 + d.rng.IntN(99), 100}
	if d.depth == 0 {
		return all
	}
	if d.rng.IntN(3) > 0 {
		return nil
	}
	return all[d.rng.IntN(3):][:1]
}

// crash looks at what a power loss would leave now. It does so on a short stack, which Pebble likes to write down.
func (d *crashDisk) crash(keep int, seed uint64) error {
	if d.run.points.Add(1); d.depth > 0 {
		d.run.nested.Add(1)
	}
	finish := d.view(keep == 100)
	copied := d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: crashRand(seed, 0)})
	v := finish()
	done := make(chan error)
	go func() {
		if d.depth < maxNest && seed%nestShare == 0 {
			done <- v.nested(d, copied, seed)
			return
		}
		done <- v.check(d.options(copied), nil, seed)
	}()
	return <-done
}

func (d *crashDisk) options(mem *vfs.MemFS) pebble.Options {
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	o := d.sizes
	o.FS = mem
	return o
}

// nested mends a store on a disk that loses power while that is done.
func (v *crashView) nested(d *crashDisk, mem *vfs.MemFS, seed uint64) error {
	n := &crashDisk{sizes: d.sizes, mem: mem, rng: crashRand(seed, 1), run: d.run, depth: d.depth + 1}
	n.name = fmt.Sprintf("%s, change %d, while it was mended", d.name, d.ops)
	var mu sync.Mutex
	now := *v
	n.view = func(bool) func() *crashView {
		mu.Lock()
		lo := now.lo
		mu.Unlock()
		return func() *crashView {
			mu.Lock()
			defer mu.Unlock()
			found := now
			found.lo = lo
			return &found
		}
	}
	o := d.options(mem)
	o.FS = crashfs.Wrap(mem, n.hook)
	watch := &crashWatch{
		// What was seen of a store that is open must not go away again.
		opened: func(first int) {
			mu.Lock()
			defer mu.Unlock()
			now.lo = first
		},
		changing: n.end,
	}
	return v.check(o, watch, seed)
}
