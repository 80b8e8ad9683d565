package bee

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// model is what a bee must hold, now and at the versions that were seen.
type model struct {
	now      map[string]string
	versions map[uint64]map[string]string
}

func newModel() *model {
	return &model{now: map[string]string{}, versions: map[uint64]map[string]string{1: {}}}
}

func (m *model) keep(version uint64) { m.versions[version] = maps.Clone(m.now) }

// randomKey is one of some keys, many of which begin alike.
func randomKey(rng *rand.Rand, space int) string {
	n := rng.IntN(space)
	return string(bytes.Repeat([]byte{byte(n % 3)}, n%4)) + fmt.Sprintf("%x", n*7%space)
}

// randomChange makes a change in a batch and in the model.
func (m *model) randomChange(tx *Batch, rng *rand.Rand, space int) error {
	key := randomKey(rng, space)
	have, ok := m.now[key]
	value := fmt.Sprint(rng.IntN(1000))
	switch rng.IntN(8) {
	case 0, 1, 2:
		delete(m.now, key)
		return tx.Delete([]byte(key))
	case 3:
		put, err := tx.PutIf([]byte(key), []byte(value), func(prev, next Entry) bool { return string(prev.Value) < string(next.Value) })
		if !ok || have < value {
			m.now[key] = value
		}
		if want := !ok || have < value; err == nil && put != want {
			return fmt.Errorf("compare and swap of %q: %v, want %v", key, put, want)
		}
		return err
	case 4:
		return m.checkBatch(tx, rng, space)
	}
	m.now[key] = value
	return tx.Put([]byte(key), []byte(value))
}

// checkBatch reads what the batch has so far.
func (m *model) checkBatch(tx *Batch, rng *rand.Rand, space int) error {
	key := randomKey(rng, space)
	e, err := tx.Get([]byte(key))
	if want, ok := m.now[key]; ok != (err == nil) || ok && string(e.Value) != want {
		return fmt.Errorf("%q in the batch is %q (%v), want %q", key, e.Value, err, want)
	}
	r := randomRange(rng, space)
	var got []Entry
	for e, err := range tx.Range(r) {
		if err != nil {
			return err
		}
		got = append(got, e)
	}
	return compareRange(m.now, r, got)
}

func randomRange(rng *rand.Rand, space int) (r Range) {
	for _, bound := range []*[]byte{&r.GT, &r.GTE, &r.LT, &r.LTE} {
		if rng.IntN(4) == 0 {
			*bound = []byte(randomKey(rng, space))
		}
	}
	r.Reverse = rng.IntN(2) == 0
	r.Limit = rng.IntN(3) * rng.IntN(10)
	return r
}

// within returns the keys of a model that a range has, in its order.
func within(m map[string]string, r Range) (list []string) {
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

func compareRange(m map[string]string, r Range, got []Entry) error {
	want := within(m, r)
	if len(got) != len(want) {
		return fmt.Errorf("%+v has %d entries, want %d", r, len(got), len(want))
	}
	for i, e := range got {
		if string(e.Key) != want[i] || string(e.Value) != m[want[i]] {
			return fmt.Errorf("%+v has %q: %q, want %q: %q", r, e.Key, e.Value, want[i], m[want[i]])
		}
	}
	return nil
}

// check compares a version with the model of it.
func (m *model) check(t *testing.T, b *Bee, version uint64, rng *rand.Rand, space int) {
	t.Helper()
	v, want := b.At(version), m.versions[version]
	r := randomRange(rng, space)
	if err := compareRange(want, r, mustAll(t, v, r)); err != nil {
		t.Fatalf("version %d: %v", version, err)
	}
	key := randomKey(rng, space)
	e, err := v.Get(t.Context(), []byte(key))
	if value, ok := want[key]; ok != (err == nil) || ok && string(e.Value) != value || !ok && !errors.Is(err, ErrNotFound) {
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
			from map[string]string
		}{{d.Left, left}, {d.Right, right}} {
			value, ok := x.from[last]
			if ok != (x.e != nil) || ok && value != string(x.e.Value) {
				t.Fatalf("difference: %q is %v, want %q", last, x.e, value)
			}
			delete(x.from, last)
		}
	}
	// What was not told is the same on both sides.
	for _, key := range append(within(left, r), within(right, r)...) {
		if a, ok := left[key]; !ok || a != right[key] {
			t.Fatalf("difference with version %d: %q is %q and %q", version, key, a, right[key])
		}
	}
}

// TestModel makes random changes to a bee, opens it again now and then, and compares it with a map.
func TestModel(t *testing.T) {
	base := uint64(time.Now().UnixNano())
	for i := range uint64(6) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			rng := seeded(t, base+i)
			runModel(t, rng, []int{6, 40, 300}[i%3], 40)
		})
	}
}

func runModel(t *testing.T, rng *rand.Rand, space, rounds int) {
	db, m := memoryDB(t), newModel()
	o := Options{SkipSame: rng.IntN(2) == 0, Cache: 1 << (8 + rng.IntN(14))}
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
	for range rounds {
		n := 1 + rng.IntN(2)*rng.IntN(40)
		if err := b.Update(t.Context(), func(tx *Batch) error { return m.randomChanges(tx, rng, space, n) }); err != nil {
			t.Fatal(err)
		}
		m.keep(b.Version())
		if rng.IntN(10) == 0 {
			c.Close()
			c, b = open()
		}
		versions := slices.Sorted(maps.Keys(m.versions))
		m.check(t, b, versions[rng.IntN(len(versions))], rng, space)
		m.check(t, b, b.Version(), rng, space)
	}
}

func (m *model) randomChanges(tx *Batch, rng *rand.Rand, space, n int) error {
	for range n {
		if err := m.randomChange(tx, rng, space); err != nil {
			return err
		}
	}
	return nil
}
