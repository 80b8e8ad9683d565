package drive_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

// crashWorld is a drive on a disk that loses power.
type crashWorld struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	mode   datastore.Durability
	mem    *vfs.MemFS
	large  bool          // the large file was written
	acked  atomic.Uint64 // the version that was acknowledged
	points atomic.Int64

	mu    sync.Mutex      // guards trees
	trees map[uint64]tree // what each version must hold, noted ahead of the change
}

func (w *crashWorld) foresee(version uint64, t tree) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trees[version] = t
}

func (w *crashWorld) tree(version uint64) tree {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trees[version]
}

// TestCrash loses power before changes to the files of a store, while files are put, streamed, put in groups and removed. Whatever is
// found must be a version of the drive, with all contents, not older than what was acknowledged; and it must be writable.
// HYPERNODE_DRIVE_SEED repeats a run, HYPERNODE_DRIVE_WORLDS makes it longer.
func TestCrash(t *testing.T) {
	seed, worlds := uint64(time.Now().UnixNano()), 3
	if s := os.Getenv("HYPERNODE_DRIVE_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	if s := os.Getenv("HYPERNODE_DRIVE_WORLDS"); s != "" {
		worlds, _ = strconv.Atoi(s)
	}
	for i := range uint64(worlds) {
		t.Run(fmt.Sprintf("seed=%d", seed+i), func(t *testing.T) {
			w := &crashWorld{t: t, seed: seed + i, rng: rand.New(rand.NewPCG(seed+i, 3)), mem: vfs.NewCrashableMem()}
			w.mode = datastore.Durability(w.rng.IntN(2))
			w.trees, w.large = map[uint64]tree{1: {}}, i > 0
			w.acked.Store(1)
			w.play()
			t.Logf("%v: %d crashes, %d versions", w.mode, w.points.Load(), len(w.trees))
		})
	}
}

func (w *crashWorld) options(fsys vfs.FS) pebble.Options {
	o := pebble.Options{FS: fsys, CacheSize: 64 << 10, MemTable: 64 << 10, JournalSize: 16 << 10, SegmentSize: 1 << 20, Inline: 64}
	o.Durability, o.SyncEvery = w.mode, -1
	return o
}

// openOn opens the store and its drive.
func (w *crashWorld) openOn(fsys vfs.FS) (*drive.Drive, func() error, error) {
	ctx := context.Background()
	db, err := pebble.Open("store", w.options(fsys))
	if err != nil {
		return nil, nil, err
	}
	store, err := corestore.Open(ctx, db, corestore.Options{PrimaryKey: keys.PrimaryKey{5}})
	if err != nil {
		return nil, nil, fmt.Errorf("%w, %w", err, db.Close())
	}
	d, err := drive.Create(ctx, store, drive.Own())
	if err != nil {
		return nil, nil, fmt.Errorf("%w, %w, %w", err, store.Close(), db.Close())
	}
	return d, func() error {
		for _, c := range []interface{ Close() error }{d, store, db} {
			if err := c.Close(); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (w *crashWorld) play() {
	crasher := crashfs.NewCrasher(w.mem, rand.New(rand.NewPCG(w.seed, 4)))
	pick := rand.New(rand.NewPCG(w.seed, 5))
	crasher.Pick = func(int64, crashfs.Op) (int, bool) {
		return []int{0, 50, 100}[pick.IntN(3)], pick.IntN(6) == 0 && !w.t.Failed()
	}
	crasher.Note = func() any { return w.acked.Load() }
	crasher.Take = func(p crashfs.Point) {
		w.points.Add(1)
		if err := w.mend(p); err != nil {
			w.t.Errorf("power lost before change %d (%v %s), %d %% of what was not synced kept: %v", p.N, p.Op.Kind, p.Op.Path, p.Kept, err)
		}
	}
	w.mem.TestingSetDiskUsage(diskUsage())
	d, closeAll, err := w.openOn(crashfs.Wrap(w.mem, crasher.Hook))
	if err != nil {
		w.t.Fatal(err)
	}
	for range 25 {
		if err := w.change(d); err != nil {
			w.t.Fatal(err)
		}
		if w.acked.Store(d.Version()); w.tree(d.Version()) == nil {
			w.t.Fatalf("version %d was not foreseen", d.Version())
		}
	}
	if err := closeAll(); err != nil {
		w.t.Fatal(err)
	}
}

// change makes one change, after noting what it makes of the drive.
func (w *crashWorld) change(d *drive.Drive) error {
	ctx, next := context.Background(), maps.Clone(w.tree(d.Version()))
	path := fmt.Sprintf("/dir-%d/file", w.rng.IntN(6))
	data := string(pattern(w.rng.Uint64(), w.rng.IntN(3000)))
	version := max(d.Core().Head().Length, 1)
	switch w.rng.IntN(4) {
	case 0:
		if _, ok := next[path]; ok {
			version++
		}
		delete(next, path)
		w.foresee(version, next)
		return d.Remove(ctx, path)
	case 1:
		for i := range 4 {
			next[fmt.Sprintf("%s-%d", path, i)] = node{data: data}
		}
		w.foresee(version+4, next)
		return d.Update(ctx, func(tx *drive.Batch) error {
			for i := range 4 {
				if err := tx.WriteFile(fmt.Sprintf("%s-%d", path, i), []byte(data), drive.Meta{}); err != nil {
					return err
				}
			}
			return nil
		})
	case 2:
		if w.large {
			return nil
		}
		w.large = true
		data = string(pattern(w.rng.Uint64(), 9<<20)) // more than one group
		next[path] = node{data: data}
		w.foresee(version+1, next)
		wr, err := d.Create(ctx, path, drive.Meta{})
		if err != nil {
			return err
		}
		if _, err := wr.Write([]byte(data)); err != nil {
			return err
		}
		return wr.Close()
	}
	next[path] = node{data: data}
	w.foresee(version+1, next)
	return d.WriteFile(ctx, path, []byte(data), drive.Meta{})
}

// pattern is bytes that differ from place to place.
func pattern(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	_, _ = r.Read(b)
	return b
}

// mend opens what a power loss left.
func (w *crashWorld) mend(p crashfs.Point) error {
	p.FS.TestingSetDiskUsage(diskUsage())
	d, closeAll, err := w.openOn(p.FS)
	if err != nil {
		return err
	}
	defer closeAll()
	ctx, version := context.Background(), d.Version()
	if acked, ok := p.Note.(uint64); ok && w.mode == datastore.Full && version < acked {
		return fmt.Errorf("version %d is found, %d was acknowledged", version, acked)
	}
	want := w.tree(version)
	if want == nil {
		return fmt.Errorf("version %d is found, which never was", version)
	}
	paths := []string{}
	for e, err := range d.List(ctx, "/", drive.ListOptions{}) {
		if err != nil {
			return err
		}
		paths = append(paths, e.Path)
		b, err := d.ReadFile(ctx, e.Path)
		if err != nil || string(b) != want[e.Path].data {
			return fmt.Errorf("%s of version %d: %d bytes, %w", e.Path, version, len(b), err)
		}
	}
	if all := slices.Sorted(maps.Keys(want)); !slices.Equal(paths, all) {
		return fmt.Errorf("version %d has %q, want %q", version, paths, all)
	}
	if err := d.WriteFile(ctx, "/after", []byte("after"), drive.Meta{}); err != nil {
		return fmt.Errorf("writing on: %w", err)
	}
	b, err := d.ReadFile(ctx, "/after")
	if err != nil || string(b) != "after" {
		return fmt.Errorf("what was written on: %q, %w", b, err)
	}
	return nil
}

func diskUsage() vfs.DiskUsage { return vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40} }
