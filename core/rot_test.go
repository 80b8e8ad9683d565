package core_test

import (
	"bytes"

	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore/pebble"
)

const (
	rotSteps  = 60 // of the workload whose store rots
	rotStores = 40 // flips to one workload
)

// rotStore is a store in which bits flip, and what is known of it.
type rotStore struct {
	world  *crashWorld
	mem    *vfs.MemFS
	killed bool // else closed
	files  []string
	rows   map[string][]rotRow // by class
}

// rotRow is a record, or a block.
type rotRow struct {
	key   []byte
	block bool
}

// rotCounts counts what flips led to.
type rotCounts struct {
	mu     sync.Mutex
	counts map[string]int
}

func (r *rotCounts) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = make(map[string]int)
	}
	r.counts[fmt.Sprintf(format, args...)]++
}

// TestRot flips single bits of a store: of each class of records and blocks beneath their checksums, and of each kind of
// file. Nothing wrong may ever be returned, and what a source has is fetched again.
func TestRot(t *testing.T) {
	flips := crashNumber(t, "HYPERNODE_ROT_FLIPS", 200)
	seed, start := crashSeed(t), time.Now()
	var counts rotCounts
	var done atomic.Int64
	var wg sync.WaitGroup
	for n := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := seed + uint64(n); done.Load() < flips && !t.Failed(); s += uint64(runtime.GOMAXPROCS(0)) {
				r, err := newRotStore(s)
				for i := 0; err == nil && i < rotStores && done.Add(1) <= flips; i++ {
					err = r.flip(crashRand(s, uint64(100+i)), &counts)
				}
				if err != nil {
					t.Errorf("%v\nagain: HYPERNODE_CRASH_SEED=%d go test -run TestRot ./core", err, s)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d flips in %v", min(done.Load(), flips), time.Since(start).Round(time.Millisecond))
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range counts.counts {
			if !yield(k) {
				return
			}
		}
	}) {
		t.Logf("%6d %s", counts.counts[k], k)
	}
}

// newRotStore makes a store by a random workload. Of odd seeds it is that of a process that was killed.
func newRotStore(seed uint64) (*rotStore, error) {
	w := newCrashWorld(seed, &crashRun{})
	if err := w.openStore(); err != nil {
		return nil, err
	}
	for range rotSteps {
		if err := w.next(); err != nil {
			return nil, fmt.Errorf("seed %d, step %d: %w", seed, w.started, err)
		}
	}
	r := &rotStore{world: w, killed: seed%2 == 1}
	if r.killed {
		r.mem = w.disk.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: w.rng})
	}
	if err := w.db[tested].Close(); err != nil {
		return nil, err
	}
	if !r.killed {
		r.mem = w.disk.mem
	}
	r.files = rotFiles(r.mem, crashDir)
	return r, r.list()
}

// rotFiles lists the files of a store that are not empty.
func rotFiles(mem *vfs.MemFS, dir string) (files []string) {
	names, _ := mem.List(dir)
	for _, name := range names {
		path := mem.PathJoin(dir, name)
		if info, err := mem.Stat(path); err == nil && info.IsDir() {
			files = append(files, rotFiles(mem, path)...)
		} else if err == nil && info.Size() > 0 {
			files = append(files, path)
		}
	}
	return files
}

func (r *rotStore) copy() *vfs.MemFS { return r.mem.CrashClone(vfs.CrashCloneCfg{}) }

// list finds the records and blocks of each class.
func (r *rotStore) list() error {
	e, err := pebble.OpenEngine(crashDir, r.world.disk.options(r.copy()))
	if err != nil {
		return err
	}
	defer e.Close()
	view, err := e.BlockReader()
	if err != nil {
		return err
	}
	defer view.Close()
	r.rows = make(map[string][]rotRow)
	for rec, err := range view.Scan([]byte("/"), []byte("0"), false) {
		if err != nil {
			return err
		}
		class := rotClass(rec.Key)
		r.rows[class] = append(r.rows[class], rotRow{key: bytes.Clone(rec.Key)})
	}
	for rec, err := range view.Blocks([]byte("/"), []byte("0")) {
		if err != nil {
			return err
		}
		class := "block in its record"
		if len(rec.Value) > r.world.disk.sizes.Inline {
			class = "block in a segment"
		}
		if len(rec.Value) > 0 {
			r.rows[class] = append(r.rows[class], rotRow{bytes.Clone(rec.Key), true})
		}
	}
	return nil
}

// rotClass names the class of a record by its key.
func rotClass(key []byte) string {
	item := key[bytes.LastIndexByte(key, '/')+1:]
	switch key[1] {
	case 'c':
		return "record of a core"
	case 'k':
		return "counter"
	case 'x':
		return "proof of a conflict"
	case 'z':
		return "note of a deletion"
	case 'd':
		switch item[0] {
		case 'h':
			return "head"
		case 't':
			return "page of the tree"
		case 'm':
			return "page of the bitmap"
		case 'u':
			return "user data"
		}
	}
	return "record " + string(key[:2])
}

// flip flips one bit and looks at what comes of it.
func (r *rotStore) flip(rng *rand.Rand, counts *rotCounts) error {
	mem := r.copy()
	what, class, err := r.flipBit(mem, rng)
	if err != nil {
		return fmt.Errorf("flipping a bit of %s: %w", what, err)
	}
	outcome, err := r.look(mem, class)
	if err != nil {
		return fmt.Errorf("seed %d, %s flipped (killed %v): %w", r.world.seed, what, r.killed, err)
	}
	counts.add("%-20s %s", class, outcome)
	return nil
}
