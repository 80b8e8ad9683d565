package corestore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// model is what a store must hold: for each name in each namespace the blocks of its core.
type model struct {
	t     *testing.T
	rng   *rand.Rand
	db    *datastore.DB
	dir   string
	store *corestore.Store
	ns    []*corestore.Store
	cores map[string][]string // by place
	open  map[string][]*core.Core
	keys  map[string]keys.Key // never change
	step  int
}

const modelNamespaces, modelNames = 3, 4

// TestModel does random things to a store and to plain maps, and compares. HYPERNODE_SEED repeats a run.
func TestModel(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("HYPERNODE_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("HYPERNODE_SEED=%d", seed)
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), cores: map[string][]string{}, keys: map[string]keys.Key{}}
	m.reopen()
	steps := 1500
	if testing.Short() {
		steps = 300
	}
	for m.step = range steps {
		m.act()
		if t.Failed() {
			t.Fatalf("at step %d", m.step)
		}
	}
	m.reopen()
	m.compare()
}

// act does one thing.
func (m *model) act() {
	n := m.rng.IntN(modelNamespaces)
	name := fmt.Sprint("core", m.rng.IntN(modelNames))
	at := fmt.Sprint(n, name)
	switch r := m.rng.IntN(100); {
	case r < 35:
		m.append(at, m.handle(n, name, at))
	case r < 55:
		wantContents(m.t, m.handle(n, name, at), m.cores[at]...)
	case r < 75:
		m.closeOne(at)
	case r < 85:
		m.truncate(at, m.handle(n, name, at))
	case r < 91:
		m.delete(at)
	case r < 95:
		m.static(m.handle(n, name, at), at)
	case r < 97:
		m.reopen()
	default:
		m.compare()
	}
}

// handle returns a handle on a core, one that is open or another one, by name or by key.
func (m *model) handle(n int, name, at string) *core.Core {
	m.t.Helper()
	list := m.open[at]
	if len(list) > 0 && m.rng.IntN(2) == 0 {
		return list[m.rng.IntN(len(list))]
	}
	ref, s := corestore.Name(name), m.ns[n]
	_, made := m.cores[at]
	if k := m.keys[at]; made && m.rng.IntN(2) == 0 {
		s = m.ns[m.rng.IntN(modelNamespaces)]
		if ref = corestore.Key(k); m.rng.IntN(2) == 0 {
			ref = corestore.Discovery(k.Discovery())
		}
	}
	c := open(m.t, s, ref)
	if k, ok := m.keys[at]; ok && k != c.Key() {
		m.t.Errorf("%s has the key %v, and had %v", at, c.Key(), k)
	}
	if !c.Writable() {
		m.t.Errorf("%s is not writable", at)
	}
	if m.keys[at] = c.Key(); !made {
		m.cores[at] = []string{}
	}
	m.open[at] = append(list, c)
	return c
}

func (m *model) append(at string, c *core.Core) {
	for range 1 + m.rng.IntN(3) {
		b := fmt.Sprint(at, ".", m.step, ".", m.rng.IntN(1000))
		appendTo(m.t, c, b)
		m.cores[at] = append(m.cores[at], b)
	}
}

func (m *model) truncate(at string, c *core.Core) {
	n := m.rng.IntN(len(m.cores[at]) + 1)
	if err := c.Truncate(m.t.Context(), uint64(n)); err != nil {
		m.t.Error(err)
	}
	m.cores[at] = slices.Clone(m.cores[at][:n])
}

func (m *model) closeOne(at string) {
	list := m.open[at]
	if len(list) == 0 {
		return
	}
	i := m.rng.IntN(len(list))
	close1(m.t, list[i])
	m.open[at] = slices.Delete(list, i, i+1)
}

func (m *model) delete(at string) {
	_, made := m.cores[at]
	if err := m.store.Delete(m.t.Context(), m.keys[at].Discovery()); made != (err == nil) || (err != nil && !errors.Is(err, core.ErrNotFound)) {
		m.t.Errorf("deleting %s, made %v: %v", at, made, err)
	}
	for _, c := range m.open[at] {
		if _, err := c.Get(m.t.Context(), 0); !errors.Is(err, core.ErrDeleted) {
			m.t.Errorf("a handle on what is gone: %v", err)
		}
		close1(m.t, c)
	}
	delete(m.open, at)
	delete(m.cores, at)
}

// static makes a static core and removes it again.
func (m *model) static(c *core.Core, at string) {
	s, err := m.store.Static(m.t.Context(), c)
	if len(m.cores[at]) == 0 {
		if !errors.Is(err, corestore.ErrIncomplete) {
			m.t.Errorf("static core of nothing: %v", err)
		}
		return
	}
	if err != nil {
		m.t.Fatal(err)
	}
	wantContents(m.t, s, m.cores[at]...)
	close1(m.t, s)
	if err := m.store.Delete(m.t.Context(), s.DiscoveryKey()); err != nil {
		m.t.Error(err)
	}
}

// reopen closes the store, with or without its database, and opens it again.
func (m *model) reopen() {
	if m.store != nil {
		close1(m.t, m.store)
	}
	if m.db != nil && m.rng.IntN(2) == 0 {
		close1(m.t, m.db)
		m.db = nil
	}
	if m.db == nil {
		m.db = onDisk(m.t, m.dir)
	}
	m.store = openStore(m.t, m.db, corestore.Options{})
	m.ns, m.open = nil, map[string][]*core.Core{}
	for n := range modelNamespaces {
		m.ns = append(m.ns, namespace(m.t, m.store, fmt.Sprint("ns", n)))
	}
}

// compare holds all of the store against the model.
func (m *model) compare() {
	var want []string
	for n, ns := range m.ns {
		for _, name := range names(m.t, ns) {
			want = append(want, fmt.Sprint(n, name))
		}
	}
	if len(want) != len(m.cores) || len(listed(m.t, m.store)) != len(m.cores) {
		m.t.Errorf("%d names, %d cores, want %d", len(want), len(listed(m.t, m.store)), len(m.cores))
	}
	for _, at := range want {
		c := open(m.t, m.store, corestore.Key(m.keys[at]))
		wantContents(m.t, c, m.cores[at]...)
		if rep, err := c.Verify(m.t.Context()); err != nil || !rep.OK() {
			m.t.Errorf("%s: %+v, %v", at, rep, err)
		}
		close1(m.t, c)
	}
}
