package drive_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
)

// node is what the model has at a path.
type node struct {
	data       string
	link       string
	executable bool
	meta       string
}

type tree map[string]node

// model is a drive beside what it should hold.
type model struct {
	t        *testing.T
	rng      *rand.Rand
	db       *datastore.DB
	ref      drive.Ref
	store    *corestore.Store
	d        *drive.Drive
	now      tree
	versions map[uint64]tree
	tags     map[string]uint64
	tagged   map[uint64]map[string]uint64 // the tags of each version
}

// TestModel does random operations on a drive and on a tree in memory. HYPERNODE_DRIVE_SEED repeats a run, HYPERNODE_DRIVE_STEPS
// makes it longer.
func TestModel(t *testing.T) {
	seed, steps := uint64(time.Now().UnixNano()), 400
	if s := os.Getenv("HYPERNODE_DRIVE_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	if s := os.Getenv("HYPERNODE_DRIVE_STEPS"); s != "" {
		steps, _ = strconv.Atoi(s)
	}
	for i := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed+i), func(t *testing.T) {
			m := newModel(t, seed+i)
			for range steps {
				m.step()
				if t.Failed() {
					return
				}
			}
			m.reopen()
			m.check(m.d, m.now)
			m.checkPast()
			m.close()
		})
	}
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 1)), db: memory(t), now: tree{}, tags: map[string]uint64{}}
	m.versions, m.tagged = map[uint64]tree{1: {}}, map[uint64]map[string]uint64{}
	if m.ref = drive.Name("model"); m.rng.IntN(3) == 0 {
		m.ref.Encryption = [32]byte{9}
	}
	m.open()
	return m
}

func (m *model) open() {
	var err error
	ctx := context.Background()
	if m.store, err = corestore.Open(ctx, m.db, corestore.Options{PrimaryKey: keys.PrimaryKey{3}}); err != nil {
		m.t.Fatal(err)
	}
	if m.d, err = drive.Create(ctx, m.store, m.ref); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) close() {
	if err := m.d.Close(); err != nil {
		m.t.Fatal(err)
	}
	if err := m.store.Close(); err != nil {
		m.t.Fatal(err)
	}
}

// reopen opens the drive anew, now and then by its key.
func (m *model) reopen() {
	key, encryption := m.d.Key(), m.ref.Encryption
	m.close()
	if m.rng.IntN(2) == 0 {
		m.ref = drive.Key(key)
		m.ref.Encryption = encryption
	}
	m.open()
}

func (m *model) path() string {
	parts := []string{"a", "b", "a0", "a-b", "é", "a.b"}
	var b strings.Builder
	for range 1 + m.rng.IntN(3) {
		b.WriteString("/" + parts[m.rng.IntN(len(parts))])
	}
	return b.String()
}

// known returns a path that is there, if there is any.
func (m *model) known() string {
	if len(m.now) == 0 || m.rng.IntN(8) == 0 {
		return m.path()
	}
	list := slices.Sorted(maps.Keys(m.now))
	return list[m.rng.IntN(len(list))]
}

func (m *model) data() string {
	n := m.rng.IntN(100)
	switch m.rng.IntN(12) {
	case 0:
		n = 0
	case 1:
		n = 65535 + m.rng.IntN(3)
	case 2:
		n = m.rng.IntN(400_000)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.rng.Uint32())
	}
	return string(b)
}

func (m *model) meta() (drive.Meta, node) {
	var n node
	n.executable = m.rng.IntN(3) == 0
	if m.rng.IntN(3) == 0 {
		n.meta = fmt.Sprintf(`{"n":%d,"é":"<&>"}`, m.rng.IntN(100))
	}
	return drive.Meta{Executable: n.executable, Metadata: []byte(n.meta)}, n
}

func (m *model) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// changed notes a new version.
func (m *model) changed() {
	v := m.d.Version()
	m.versions[v], m.tagged[v] = maps.Clone(m.now), maps.Clone(m.tags)
}

func (m *model) step() {
	ctx := context.Background()
	switch m.rng.IntN(16) {
	case 0, 1, 2:
		path, data := m.path(), m.data()
		meta, n := m.meta()
		m.must(m.d.WriteFile(ctx, path, []byte(data), meta))
		n.data = data
		m.now[path] = n
	case 3:
		m.stream()
	case 4, 5:
		m.batch()
	case 6:
		path, target := m.path(), m.path()
		meta, n := m.meta()
		m.must(m.d.Symlink(ctx, path, target, meta))
		m.now[path] = node{link: target, meta: n.meta}
	case 7, 8:
		path := m.known()
		m.must(m.d.Remove(ctx, path))
		delete(m.now, path)
	case 9:
		path := m.path()
		m.must(m.d.RemoveAll(ctx, path))
		maps.DeleteFunc(m.now, func(p string, _ node) bool { return p == path || strings.HasPrefix(p, path+"/") })
	case 10:
		m.rename()
	case 11:
		name := fmt.Sprintf("tag %d", m.rng.IntN(4))
		m.tags[name] = m.d.Version()
		m.must(m.d.Tag(ctx, name, 0))
	case 12:
		m.truncate()
	case 13:
		m.reopen()
	case 14:
		m.checkPast()
		return
	case 15:
		m.check(m.d, m.now)
		return
	}
	m.changed()
	m.spot()
}

// stream writes a file in pieces, now and then with blocks that are shared, or gives it up.
func (m *model) stream() {
	path, data := m.path(), m.data()
	meta, n := m.meta()
	w, err := m.d.CreateWith(context.Background(), path, meta, blobs.WriterOptions{Dedup: m.rng.IntN(2) == 0})
	m.must(err)
	for rest := []byte(data); len(rest) > 0; {
		k := min(1+m.rng.IntN(100_000), len(rest))
		if m.rng.IntN(2) == 0 {
			m.must(w.WriteBlock(rest[:k]))
		} else if _, err := w.Write(rest[:k]); err != nil {
			m.t.Fatal(err)
		}
		rest = rest[k:]
	}
	if m.rng.IntN(5) == 0 {
		w.Abort()
		return
	}
	m.must(w.Close())
	n.data = data
	m.now[path] = n
}

// batch makes several changes at once, which may be given up.
func (m *model) batch() {
	next := maps.Clone(m.now)
	fail := m.rng.IntN(6) == 0
	err := m.d.Update(context.Background(), func(tx *drive.Batch) error {
		for range m.rng.IntN(10) {
			path := m.path()
			if m.rng.IntN(3) == 0 {
				m.must(tx.Remove(path))
				delete(next, path)
				continue
			}
			data := m.data()
			meta, n := m.meta()
			m.must(tx.WriteFile(path, []byte(data), meta))
			n.data = data
			next[path] = n
			if e, err := tx.Entry(path); err != nil || e.Executable != n.executable {
				m.t.Errorf("a batch does not see what it wrote: %+v, %v", e, err)
			}
		}
		if fail {
			return context.Canceled
		}
		return nil
	})
	if fail != (err != nil) {
		m.t.Fatal(err)
	}
	if !fail {
		m.now = next
	}
}

// rename gives an entry another path.
func (m *model) rename() {
	from, to := m.known(), m.path()
	n, ok := m.now[from]
	if !ok {
		return
	}
	m.must(m.d.Update(context.Background(), func(tx *drive.Batch) error {
		e, err := tx.Entry(from)
		m.must(err)
		m.must(tx.Remove(from))
		return tx.SetEntry(to, e)
	}))
	delete(m.now, from)
	m.now[to] = n
}

func (m *model) truncate() {
	if m.rng.IntN(3) > 0 {
		return
	}
	list := slices.Sorted(maps.Keys(m.versions))
	v := list[m.rng.IntN(len(list))]
	m.must(m.d.Truncate(context.Background(), v))
	m.now = maps.Clone(m.versions[v])
	// Of the contents, only what the version needs is left for sure.
	maps.DeleteFunc(m.versions, func(k uint64, _ tree) bool { return k != v })
	if m.tags = maps.Clone(m.tagged[v]); m.tags == nil {
		m.tags = map[string]uint64{}
	}
}

// spot looks at one path.
func (m *model) spot() {
	path := m.known()
	m.checkNode(m.d, path, m.now)
}

func (m *model) checkNode(d *drive.Drive, path string, want tree) {
	n, there := want[path]
	e, err := d.Entry(context.Background(), path)
	if !there {
		if ok, err := d.Exists(context.Background(), path); ok || err != nil {
			m.t.Errorf("%s is there, %v", path, err)
		}
		return
	}
	if err != nil || e.Executable != n.executable || e.Link != n.link || string(e.Metadata) != n.meta {
		m.t.Errorf("%s: %+v, %v, want %.100v", path, e, err, n)
		return
	}
	if n.link != "" {
		return
	}
	f, err := d.OpenEntry(context.Background(), e)
	if err != nil {
		m.t.Errorf("%s: %v", path, err)
		return
	}
	defer f.Close()
	from := m.rng.IntN(len(n.data) + 1)
	length := m.rng.IntN(len(n.data) - from + 1)
	got, err := readRange(f, int64(from), int64(length))
	if err != nil || string(got) != n.data[from:from+length] {
		m.t.Errorf("%s, %d bytes from %d of %d: %v", path, length, from, len(n.data), err)
	}
}

// check compares a whole drive with a tree.
func (m *model) check(d *drive.Drive, want tree) {
	m.t.Helper()
	paths := slices.Sorted(maps.Keys(want))
	if got := listed(m.t, d, "/", drive.ListOptions{}); !slices.Equal(got, paths) {
		m.t.Fatalf("listed %q, want %q", got, paths)
	}
	for path, n := range want {
		if n.link != "" {
			continue
		}
		got, err := d.ReadFile(context.Background(), path)
		if err != nil || !bytes.Equal(got, []byte(n.data)) {
			m.t.Fatalf("%s holds %d bytes, %v, want %d", path, len(got), err, len(n.data))
		}
	}
	folder := m.path()
	folder = folder[:strings.LastIndexByte(folder, '/')]
	var first []string
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(p, folder+"/"); ok {
			if name, _, _ := strings.Cut(rest, "/"); !slices.Contains(first, name) {
				first = append(first, name)
			}
		}
	}
	if got := names(m.t, d, folder); !slices.Equal(got, first) {
		m.t.Fatalf("the names in %q are %q, want %q", folder, got, first)
	}
	m.checkTags()
}

func (m *model) checkTags() {
	got := map[string]uint64{}
	for tag, err := range m.d.Tags(context.Background()) {
		m.must(err)
		got[tag.Name] = tag.Version
	}
	if !maps.Equal(got, m.tags) {
		m.t.Fatalf("tags %v, want %v", got, m.tags)
	}
}

// checkPast looks at a version of the past, and at what changed since.
func (m *model) checkPast() {
	list := slices.Sorted(maps.Keys(m.versions))
	v := list[m.rng.IntN(len(list))]
	old, want := m.d.At(v), m.versions[v]
	paths := slices.Sorted(maps.Keys(want))
	if got := listed(m.t, old, "/", drive.ListOptions{}); !slices.Equal(got, paths) {
		m.t.Fatalf("version %d has %q, want %q", v, got, paths)
	}
	for path := range want {
		m.checkNode(old, path, want)
	}
	seen := map[string]bool{}
	for diff, err := range m.d.Diff(context.Background(), old, "", drive.DiffOptions{}) {
		m.must(err)
		seen[diff.Path()] = true
		_, left := m.now[diff.Path()]
		_, right := want[diff.Path()]
		if (diff.Left != nil) != left || (diff.Right != nil) != right {
			m.t.Errorf("the difference at %s: %v %v, want %v %v", diff.Path(), diff.Left != nil, diff.Right != nil, left, right)
		}
	}
	for path, n := range m.now {
		if want[path] != n && !seen[path] {
			m.t.Errorf("%s differs from version %d and is not in the difference", path, v)
		}
	}
}
