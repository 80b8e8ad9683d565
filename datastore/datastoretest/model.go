package datastoretest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// world is what a store should hold.
type world struct{ records, blocks map[string]string }

func newWorld() world { return world{map[string]string{}, map[string]string{}} }

func (w world) clone() world { return world{maps.Clone(w.records), maps.Clone(w.blocks)} }

// within returns what a scan of m from lo to hi yields.
func within(m map[string]string, lo, hi datastore.Key) (all pairs) {
	for k, v := range m {
		if string(lo) <= k && k < string(hi) {
			all = append(all, pair{k, v})
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	return all
}

// model runs random updates, views, syncs and reopens against a map.
func (s *suite) model(t *testing.T) {
	steps := s.caps.Steps
	if steps == 0 {
		steps = 600
	}
	seed := Seed(t)
	m := &modelRun{t: t, r: rand.New(rand.NewPCG(seed, 1)), world: newWorld()}
	dir := t.TempDir()
	m.db = s.at(t, dir, m.options())
	for range steps {
		switch n := m.r.IntN(100); {
		case n < 60:
			m.update()
		case n < 80:
			view(t, m.db, func(tx *datastore.Tx) { m.check(tx, m.world) })
		case n < 90:
			m.held()
		case n < 97 || !s.caps.Reopen:
			if err := m.db.Sync(context.Background()); err != nil {
				t.Fatalf("sync: %v", err)
			}
		default:
			closeStore(t, m.db)
			m.db = s.at(t, dir, m.options())
		}
	}
	view(t, m.db, func(tx *datastore.Tx) { m.checkAll(tx, m.world) })
}

type modelRun struct {
	t     *testing.T
	r     *rand.Rand
	db    *datastore.DB
	world world
}

func (m *modelRun) options() datastore.Options {
	return datastore.Options{Durability: datastore.Durability(m.r.IntN(2)), SyncBytes: int64(m.r.IntN(1 << 16))}
}

// group returns one of four groups whose keys lie beside each other.
func (m *modelRun) group() datastore.Key {
	return [...]datastore.Key{
		datastore.Group('m').Uint(5).Item(), datastore.Group('m').Uint(5).Uint(0).Item(),
		datastore.Group('m').Uint(6).Item(), datastore.Group('m').Item(),
	}[m.r.IntN(4)]
}

func (m *modelRun) key(g datastore.Key) datastore.Key { return g.Uint(m.r.Uint64N(100)) }

func (m *modelRun) bounds() (lo, hi datastore.Key) {
	g := m.group()
	lo, hi = m.key(g), m.key(g)
	if m.r.IntN(4) == 0 {
		lo = g
	}
	if m.r.IntN(4) == 0 {
		hi = g.End()
	}
	return lo, hi
}

func (m *modelRun) value() []byte {
	size := m.r.IntN(40)
	if m.r.IntN(8) == 0 {
		size = m.r.IntN(6000)
	}
	return bytes.Repeat([]byte{byte(m.r.Uint32())}, size)
}

// update makes a few random changes; a fifth of the updates is refused in the end.
func (m *modelRun) update() {
	next, refuse := m.world.clone(), m.r.IntN(5) == 0
	err := m.db.Update(context.Background(), func(tx *datastore.Tx) error {
		for range m.r.IntN(30) {
			m.change(tx, next)
			if m.r.IntN(6) == 0 {
				m.check(tx, next)
			}
		}
		if m.r.IntN(2) == 0 {
			tx.Lazy()
		}
		if refuse {
			return errRefused
		}
		return nil
	})
	switch {
	case refuse && !errors.Is(err, errRefused), !refuse && err != nil:
		m.t.Fatalf("update: %v", err)
	case !refuse:
		m.world = next
	}
}

func (m *modelRun) change(tx *datastore.Tx, w world) {
	k, v := m.key(m.group()), m.value()
	switch n := m.r.IntN(100); {
	case n < 45:
		tx.Set(k, v)
		w.records[string(k)] = string(v)
	case n < 55:
		tx.Delete(k)
		delete(w.records, string(k))
	case n < 60:
		lo, hi := m.bounds()
		tx.DeleteRange(lo, hi)
		for _, p := range within(w.records, lo, hi) {
			delete(w.records, p.key)
		}
	case n < 93:
		tx.SetBlock(k, v)
		w.blocks[string(k)] = string(v)
	default:
		lo, hi := m.bounds()
		tx.DeleteBlocks(lo, hi)
		for _, p := range within(w.blocks, lo, hi) {
			delete(w.blocks, p.key)
		}
	}
}

// held checks that a view stays as it is while updates go on.
func (m *modelRun) held() {
	view(m.t, m.db, func(tx *datastore.Tx) {
		before := m.world
		for range 3 {
			m.update()
			lo, hi := m.bounds()
			wantScan(m.t, tx, lo, hi, within(before.records, lo, hi))
			m.checkKey(tx, before)
		}
	})
}

func (m *modelRun) check(tx *datastore.Tx, w world) {
	m.t.Helper()
	lo, hi := m.bounds()
	wantScan(m.t, tx, lo, hi, within(w.records, lo, hi))
	wantPairs(m.t, "blocks", collect(m.t, tx.Blocks(lo, hi)), within(w.blocks, lo, hi))
	m.checkKey(tx, w)
	k := m.key(m.group())
	if v, ok := w.blocks[string(k)]; ok {
		wantBlock(m.t, tx, k, []byte(v))
	} else {
		wantNoBlock(m.t, tx, k)
	}
}

func (m *modelRun) checkKey(tx *datastore.Tx, w world) {
	m.t.Helper()
	k := m.key(m.group())
	if v, ok := w.records[string(k)]; ok {
		wantGet(m.t, tx, k, v)
	} else {
		wantNone(m.t, tx, k)
	}
}

func (m *modelRun) checkAll(tx *datastore.Tx, w world) {
	m.t.Helper()
	n := 0
	for _, g := range []datastore.Key{datastore.Group('m').Uint(5).Item(), datastore.Group('m').Uint(5).Uint(0).Item(), datastore.Group('m').Uint(6).Item(), datastore.Group('m').Item()} {
		all := collect(m.t, tx.Scan(g, g.End(), false))
		wantPairs(m.t, fmt.Sprintf("all of %s", g), all, within(w.records, g, g.End()))
		n += len(all)
	}
	if n != len(w.records) {
		m.t.Errorf("%d records, want %d", n, len(w.records))
	}
}
