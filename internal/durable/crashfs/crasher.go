package crashfs

import (
	"math/rand/v2"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Point is the disk as a power loss leaves it.
type Point struct {
	N    int64 // the power went before the N-th change, from 1
	Op   Op    // that change
	Kept int   // percent of what was not synced that got to the disk all the same
	Note any   // what the test knew at that moment
	FS   *vfs.MemFS
}

// Crasher is a hook that takes pictures of a disk in memory.
type Crasher struct {
	// Pick tells whether to take a picture before the n-th change, and what percentage of unsynced data to keep.
	Pick func(n int64, op Op) (kept int, ok bool)
	// Note is called right before a picture, so that what it returns had happened by then.
	Note func() any
	// Take gets the picture.
	Take func(Point)

	mem *vfs.MemFS

	mu   sync.Mutex // guards the fields below
	n    int64
	rand *rand.Rand
}

// NewCrasher returns a Crasher for mem, which must be crashable. Its fields are to be set before the first change.
func NewCrasher(mem *vfs.MemFS, r *rand.Rand) *Crasher {
	return &Crasher{mem: mem, rand: r}
}

// Count returns how many changes there were.
func (c *Crasher) Count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Hook is the Hook.
func (c *Crasher) Hook(op Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	kept, ok := c.Pick(c.n, op)
	if !ok {
		return nil
	}
	p := Point{N: c.n, Op: op, Kept: kept, Note: c.Note()}
	p.FS = c.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: c.rand})
	c.Take(p)
	return nil
}
