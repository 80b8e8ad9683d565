package bee

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/beeops"
)

// model is what a bee must hold, now and at the versions that were seen.
type model struct {
	beeops.Sequence
	now      beeops.Map
	versions map[uint64]beeops.Map
}

func newModel(s beeops.Sequence) *model {
	return &model{s, beeops.Map{}, map[uint64]beeops.Map{1: {}}}
}

func (m *model) key(rng *rand.Rand) string { return m.Keys[rng.IntN(len(m.Keys))] }

func (m *model) keep(version uint64) { m.versions[version] = maps.Clone(m.now) }

// change makes a change in a batch and in the model, and now and then reads what the batch has so far.
func (m *model) change(tx *Batch, op *beeops.Op, rng *rand.Rand) error {
	before, made := tx.Len(), false
	var err error
	allows := func(prev, _ Entry) bool { return op.Allows(prev.Value) }
	if op.Del {
		made, err = tx.DeleteIf(op.Key, allows)
	} else {
		made, err = tx.PutIf(op.Key, op.Value, allows)
	}
	if err != nil {
		return err
	}
	if want := m.now.Apply(op, m.SkipSame); made != want || want != (tx.Len() == before+1) {
		return fmt.Errorf("%+v: made %v with %d blocks, want %v", op, made, tx.Len()-before, want)
	}
	if rng.IntN(8) > 0 {
		return nil
	}
	return m.checkBatch(tx, rng)
}

// checkBatch reads what the batch has so far.
func (m *model) checkBatch(tx *Batch, rng *rand.Rand) error {
	key := m.key(rng)
	e, err := tx.Get([]byte(key))
	if want, ok := m.now[key]; ok != (err == nil) || ok && !bytes.Equal(e.Value, want) {
		return fmt.Errorf("%q in the batch is %q (%v), want %q", key, e.Value, err, want)
	}
	r := m.randomRange(rng)
	var got []Entry
	for e, err := range tx.Range(r) {
		if err != nil {
			return err
		}
		got = append(got, e)
	}
	return compareRange(m.now, r, got)
}

func (m *model) randomRange(rng *rand.Rand) (r Range) {
	for _, bound := range []*[]byte{&r.GT, &r.GTE, &r.LT, &r.LTE} {
		if rng.IntN(4) == 0 {
			*bound = []byte(m.key(rng))
		}
	}
	r.Reverse = rng.IntN(2) == 0
	r.Limit = rng.IntN(3) * rng.IntN(10)
	return r
}

// within returns the keys of a model that a range has, in its order.
func within(m beeops.Map, r Range) (list []string) {
	b := r.bounds()
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !b.below([]byte(k)) && !b.above([]byte(k)) {
			list = append(list, k)
		}
	}
	if r.Reverse {
		slices.Reverse(list)
	}
	if r.Limit > 0 && len(list) > r.Limit {
		list = list[:r.Limit]
	}
	return list
}

func compareRange(m beeops.Map, r Range, got []Entry) error {
	want := within(m, r)
	if len(got) != len(want) {
		return fmt.Errorf("%+v has %d entries, want %d", r, len(got), len(want))
	}
	for i, e := range got {
		if string(e.Key) != want[i] || !bytes.Equal(e.Value, m[want[i]]) {
			return fmt.Errorf("%+v has %q: %q, want %q: %q", r, e.Key, e.Value, want[i], m[want[i]])
		}
	}
	return nil
}

// check compares a version with the model of it.
func (m *model) check(t *testing.T, b *Bee, version uint64, rng *rand.Rand) {
	t.Helper()
	v, want := b.At(version), m.versions[version]
	r := m.randomRange(rng)
	if err := compareRange(want, r, mustAll(t, v, r)); err != nil {
		t.Fatalf("version %d: %v", version, err)
	}
	key := m.key(rng)
	e, err := v.Get(t.Context(), []byte(key))
	if value, ok := want[key]; ok != (err == nil) || ok && !bytes.Equal(e.Value, value) || !ok && !errors.Is(err, ErrNotFound) {
		t.Fatalf("version %d: %q is %q (%v), want %q", version, key, e.Value, err, value)
	}
	m.checkDiff(t, b, version, r)
}

// checkDiff compares the difference of the newest version and another one.
func (m *model) checkDiff(t *testing.T, b *Bee, version uint64, r Range) {
	t.Helper()
	r.Reverse, r.Limit = false, 0
	old, last := m.versions[version], ""
	left, right := maps.Clone(m.now), maps.Clone(old)
	for d, err := range b.Diff(t.Context(), b.At(version), r) {
		if err != nil {
			t.Fatal(err)
		}
		e := d.Left
		if e == nil {
			e = d.Right
		}
		if key := string(e.Key); last != "" && key <= last {
			t.Fatalf("difference: %q after %q", key, last)
		}
		last = string(e.Key)
		for _, x := range []struct {
			e    *Entry
			from beeops.Map
		}{{d.Left, left}, {d.Right, right}} {
			value, ok := x.from[last]
			if ok != (x.e != nil) || ok && !bytes.Equal(value, x.e.Value) {
				t.Fatalf("difference: %q is %v, want %q", last, x.e, value)
			}
			delete(x.from, last)
		}
	}
	// What was not told is the same on both sides.
	for _, key := range append(within(left, r), within(right, r)...) {
		if a, ok := left[key]; !ok || !bytes.Equal(a, right[key]) {
			t.Fatalf("difference with version %d: %q is %q and %q", version, key, a, right[key])
		}
	}
}

// TestModel plays random sequences of changes, opens the bee again now and then, and compares it with a map. There are 6 of
// them, or as many as HYPERNODE_BEE_SEQUENCES says.
func TestModel(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("HYPERNODE_BEE_SEQUENCES"))
	if err != nil {
		n = 6
	}
	base := uint64(time.Now().UnixNano())
	for i := range uint64(n) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			runModel(t, beeops.New(base+i), seeded(t, base+i))
		})
	}
}

func runModel(t *testing.T, s beeops.Sequence, rng *rand.Rand) {
	db, m := memoryDB(t), newModel(s)
	o := Options{SkipSame: s.SkipSame, Cache: 1 << (8 + rng.IntN(14))}
	open := func() (*core.Core, *Bee) {
		c, err := core.Open(t.Context(), db, core.Options{Pair: keys.PairFromSeed(keys.Seed{1}), Derived: true})
		if err != nil {
			t.Fatal(err)
		}
		b, err := OpenWith(t.Context(), c, o)
		if err != nil {
			t.Fatal(err)
		}
		return c, b
	}
	c, b := open()
	defer func() { c.Close() }()
	for _, group := range s.Groups {
		if err := b.Update(t.Context(), func(tx *Batch) error { return m.changes(tx, group, rng) }); err != nil {
			t.Fatal(err)
		}
		m.keep(b.Version())
		if rng.IntN(10) == 0 {
			c.Close()
			c, b = open()
		}
		versions := slices.Sorted(maps.Keys(m.versions))
		m.check(t, b, versions[rng.IntN(len(versions))], rng)
		m.check(t, b, b.Version(), rng)
	}
}

func (m *model) changes(tx *Batch, group []beeops.Op, rng *rand.Rand) error {
	for i := range group {
		if err := m.change(tx, &group[i], rng); err != nil {
			return err
		}
	}
	return nil
}
