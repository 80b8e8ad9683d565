package bee

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/internal/beeops"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

// crashStates is what a bee was after each Update, and which of them had returned.
type crashStates struct {
	mu     sync.Mutex
	states []beeops.Map
	acked  int
}

func (s *crashStates) add(m beeops.Map) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, maps.Clone(m))
}

func (s *crashStates) ack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = len(s.states) - 1
}

func (s *crashStates) note() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// TestCrash loses power before changes that a store makes to its files. The bee must then be what it was after one Update,
// no earlier than the last that had returned, and go on.
func TestCrash(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for i := range uint64(3) {
		crashOnce(t, seeded(t, seed+i))
	}
}

func crashOnce(t *testing.T, rng *rand.Rand) {
	mem, states := vfs.NewCrashableMem(), &crashStates{}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	states.add(beeops.Map{})
	var points []crashfs.Point
	x := crashfs.NewCrasher(mem, rand.New(rand.NewPCG(rng.Uint64(), 1)))
	x.Pick = func(n int64, _ crashfs.Op) (int, bool) { return int(n*37) % 101, n%11 == 0 && len(points) < 40 }
	x.Note = states.note
	x.Take = func(p crashfs.Point) { points = append(points, p) }
	if err := crashRun(t.Context(), crashfs.Wrap(mem, x.Hook), states, rng); err != nil {
		t.Fatal(err)
	}
	if len(points) == 0 {
		t.Fatal("no crash")
	}
	for _, p := range points {
		if err := states.verify(t.Context(), p); err != nil {
			t.Fatalf("power lost before change %d, %d %% of what was not synced kept: %v", p.N, p.Kept, err)
		}
	}
}

// crashRun makes changes to a bee on a disk.
func crashRun(ctx context.Context, fs vfs.FS, states *crashStates, rng *rand.Rand) error {
	return onDisk(ctx, fs, func(b *Bee) error {
		sequence := beeops.New(rng.Uint64())
		sequence.SkipSame = false
		m := newModel(sequence)
		for _, group := range sequence.Groups {
			err := b.Update(ctx, func(tx *Batch) error {
				if err := m.changes(tx, group[:min(len(group), 8)], rng); err != nil {
					return err
				}
				states.add(m.now)
				return nil
			})
			if err != nil {
				return err
			}
			states.ack()
		}
		return nil
	})
}

// onDisk opens a store, a core and its bee, and closes them after fn.
func onDisk(ctx context.Context, fs vfs.FS, fn func(b *Bee) error) error {
	o := pebble.Options{FS: fs, JournalSize: 1 << 13, SegmentSize: 1 << 13, MemTable: 64 << 10, CacheSize: 64 << 10}
	o.Durability, o.SyncEvery = datastore.Full, -1
	db, err := pebble.Open("store", o)
	if err != nil {
		return err
	}
	defer db.Close()
	c, err := core.Open(ctx, db, core.Options{Pair: keys.PairFromSeed(keys.Seed{1}), Derived: true})
	if err != nil {
		return err
	}
	defer c.Close()
	b, err := Open(ctx, c)
	if err != nil {
		return err
	}
	return fn(b)
}

// verify opens what a power loss left.
func (s *crashStates) verify(ctx context.Context, p crashfs.Point) error {
	p.FS.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	return onDisk(ctx, p.FS, func(b *Bee) error {
		got := beeops.Map{}
		list, err := all(ctx, b, Range{})
		if err != nil {
			return err
		}
		for _, e := range list {
			got[string(e.Key)] = e.Value
		}
		if err := s.find(got, p.Note.(int)); err != nil {
			return err
		}
		if err := b.Put(ctx, []byte("after"), []byte("x")); err != nil {
			return err
		}
		_, err = b.Get(ctx, []byte("after"))
		return err
	})
}

// find looks for a state from the given one on.
func (s *crashStates) find(got beeops.Map, from int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.states[from:] {
		if maps.EqualFunc(m, got, bytes.Equal) {
			return nil
		}
	}
	return fmt.Errorf("%d entries that are no state from %d on", len(got), from)
}
