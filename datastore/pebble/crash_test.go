package pebble

import (
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

var (
	crashSeed   = flag.Uint64("crash.seed", 0, "repeat the crash run of this seed alone")
	crashPoints = flag.Int("crash.points", 0, "how many crash points to try; 0: HYPERNODE_CRASH_POINTS, or 4000")
)

func pointsWanted(t testing.TB) int {
	if *crashPoints > 0 {
		return *crashPoints
	}
	if s := os.Getenv("HYPERNODE_CRASH_POINTS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("HYPERNODE_CRASH_POINTS: %v", err)
		}
		return n
	}
	if raceEnabled || testing.Short() {
		return 150
	}
	return 4000
}

// tiny makes everything happen often: new journal files, new segments, flushes and compactions.
func tiny(fs vfs.FS, cache *pebble.Cache) Options {
	return Options{FS: fs, JournalSize: 6 << 10, SegmentSize: 24 << 10, MemTable: 64 << 10, Inline: 40,
		tune: func(o *pebble.Options) {
			o.Cache = cache
			o.MaxOpenFiles = 50
			o.L0CompactionThreshold = 2
			o.DisableTableStats = true
		}}
}

// quiet is tiny without work in the background, for looking at what a crash left.
func quiet(fs vfs.FS, cache *pebble.Cache) Options {
	o := tiny(fs, cache)
	tune := o.tune
	o.tune = func(p *pebble.Options) {
		tune(p)
		p.DisableAutomaticCompactions = true
	}
	return o
}

// state reads all of a store: its digest, and the number of the last commit.
func state(e *Engine, seed maphash.Seed) (sum uint64, n int, err error) {
	r, err := e.BlockReader()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	for rec, err := range r.Scan([]byte("/"), []byte("0"), false) {
		if err != nil {
			return 0, 0, err
		}
		sum += entry(seed, 'r', rec.Key, rec.Value)
		if string(rec.Key) == "/n/n" {
			if n, err = strconv.Atoi(string(rec.Value)); err != nil {
				return 0, 0, err
			}
		}
	}
	for rec, err := range r.Blocks([]byte("/"), []byte("0")) {
		if err != nil {
			return 0, 0, err
		}
		sum += entry(seed, 'b', rec.Key, rec.Value)
	}
	return sum, n, nil
}

// verify opens what a crash left and checks that it is the state after one commit, which is in bounds; that it takes
// a commit; and that this one outlives the next crash.
func (w *workload) verify(p crashfs.Point, cache *pebble.Cache, r *rand.Rand) error {
	m := p.Note.(marks)
	least := m.durable
	if p.Kept == 100 {
		least = m.returned
	}
	fs := vfs.FS(p.FS)
	if r.IntN(4) == 0 {
		if err := w.nested(p, m, least, cache, r); err != nil {
			return fmt.Errorf("nested: %w", err)
		}
	}
	e, err := OpenEngine("/store", quiet(fs, cache))
	if err != nil {
		return err
	}
	n, err := w.check(e, least, m.tried)
	if err == nil {
		err = e.Commit(&datastore.Batch{Ops: []datastore.Op{set("/x/x", "y"), setBlock("/x/b", make([]byte, 3000))}}, true)
	}
	if err != nil {
		return errors.Join(err, e.Close())
	}
	again := p.FS.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: r})
	if err := e.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return w.checkAgain(again, n, cache)
}

func (w *workload) check(e *Engine, least, most int) (int, error) {
	if err := e.Err(); err != nil {
		return 0, fmt.Errorf("after opening: %w", err)
	}
	sum, n, err := state(e, w.seed)
	switch {
	case err != nil:
		return n, err
	case n < least || n > most:
		return n, fmt.Errorf("lost: it is at commit %d, and %d was promised of %d tried", n, least, most)
	case sum != w.digests[n]:
		return n, fmt.Errorf("torn: it is not the state after commit %d", n)
	}
	return n, nil
}

func (w *workload) checkAgain(fs *vfs.MemFS, n int, cache *pebble.Cache) error {
	e, err := OpenEngine("/store", quiet(fs, cache))
	if err != nil {
		return fmt.Errorf("second opening: %w", err)
	}
	sum, m, err := state(e, w.seed)
	want := w.digests[n] + entry(w.seed, 'r', []byte("/x/x"), []byte("y")) + entry(w.seed, 'b', []byte("/x/b"), make([]byte, 3000))
	if err == nil && (m != n || sum != want) {
		err = fmt.Errorf("second opening: another state, after commit %d and not %d", m, n)
	}
	return errors.Join(err, e.Close())
}

// nested crashes during the recovery, up to three deep.
func (w *workload) nested(p crashfs.Point, m marks, least int, cache *pebble.Cache, r *rand.Rand) error {
	fs := p.FS.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: r}) // all of it is on the disk
	for depth := range 3 {
		var got *crashfs.Point
		at := 1 + r.Int64N(40)
		c := crashfs.NewCrasher(fs, r)
		c.Pick = func(n int64, _ crashfs.Op) (int, bool) { return []int{0, 50, 100}[r.IntN(3)], n == at }
		c.Note = func() any { return m }
		c.Take = func(p crashfs.Point) { got = &p }
		e, err := OpenEngine("/store", tiny(crashfs.Wrap(fs, c.Hook), cache))
		if err != nil {
			return err
		}
		if _, err := w.check(e, least, m.tried); err != nil {
			return errors.Join(fmt.Errorf("depth %d: %w", depth, err), e.Close())
		}
		if err := e.Close(); err != nil {
			return err
		}
		if got == nil {
			return nil
		}
		fs = got.FS
	}
	e, err := OpenEngine("/store", quiet(fs, cache))
	if err != nil {
		return err
	}
	_, err = w.check(e, least, m.tried)
	return errors.Join(err, e.Close())
}

// crashRun runs one workload and verifies pictures of it. It returns how many it verified.
func crashRun(seed uint64, wrap func(*crashfs.FS) vfs.FS, cache *pebble.Cache, budget int) (points int, err error) {
	w := newWorkload(seed, maphash.MakeSeed())
	r := rand.New(rand.NewPCG(seed, 2))
	mem := vfs.NewCrashableMem()
	c := crashfs.NewCrasher(mem, rand.New(rand.NewPCG(seed, 3)))
	var taken []crashfs.Point
	every := 1 + r.IntN(6)
	c.Pick = func(n int64, _ crashfs.Op) (int, bool) {
		return []int{0, 50, 100}[r.IntN(3)], len(taken) < budget && n%int64(every) == 0
	}
	c.Note = w.note
	c.Take = func(p crashfs.Point) { taken = append(taken, p) }
	for range 2 {
		e, err := OpenEngine("/store", tiny(wrap(crashfs.Wrap(mem, c.Hook)), cache))
		if err != nil {
			return 0, err
		}
		if err := w.run(e, 10+w.rand.IntN(60)); err != nil {
			return 0, errors.Join(err, e.Close())
		}
		if err := e.Close(); err != nil {
			return 0, err
		}
		w.mark(func(m *marks) { m.durable = m.returned })
	}
	for _, p := range taken {
		if err := w.verify(p, cache, r); err != nil {
			return points, fmt.Errorf("crash before change %d (%v %s), %d %% kept: %w", p.N, p.Op.Kind, p.Op.Path, p.Kept, err)
		}
		points++
	}
	return points, nil
}

func keepSyncs(f *crashfs.FS) vfs.FS { return f }

func TestCrash(t *testing.T) {
	if *crashSeed != 0 {
		cache := pebble.NewCache(1 << 20)
		defer cache.Unref()
		if _, err := crashRun(*crashSeed, keepSyncs, cache, 1<<30); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := int64(pointsWanted(t))
	var done atomic.Int64
	var failed atomic.Bool
	start := time.Now()
	base := rand.Uint64()
	var seeds atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			cache := pebble.NewCache(1 << 20)
			defer cache.Unref()
			for done.Load() < want && !failed.Load() {
				seed := base + seeds.Add(1)
				n, err := crashRun(seed, keepSyncs, cache, int(want))
				done.Add(int64(n))
				if err != nil {
					failed.Store(true)
					t.Errorf("%v\nrepeat: go test ./datastore/pebble -run '^TestCrash$' -crash.seed=%d", err, seed)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d crash points, %.0f a second", done.Load(), float64(done.Load())/time.Since(start).Seconds())
}

// TestCrashUnsynced makes sure that the test above can see: without some of the syncs there must be losses.
func TestCrashUnsynced(t *testing.T) {
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	for _, of := range []string{"/store/journal/", "/store/segments/", "/store/records", "/store"} {
		t.Run(strings.ReplaceAll(of, "/", "."), func(t *testing.T) {
			blind := func(path string) bool { return strings.HasPrefix(path, of) }
			for seed := range uint64(50) {
				_, err := crashRun(seed+1, func(f *crashfs.FS) vfs.FS { return f.WithoutSync(blind) }, cache, 200)
				if err != nil {
					t.Logf("found as it should be, in run %d: %v", seed, err)
					return
				}
			}
			t.Fatal("no loss found in 50 runs without syncs")
		})
	}
}
