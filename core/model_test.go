package core

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// model is what a core must be equal to.
type model struct {
	t     testing.TB
	rand  *rand.Rand
	db    *datastore.DB
	o     Options
	core  *Core
	noise *Core // another core in the same store

	fork   uint64
	blocks [][]byte
	held   []bool
	user   map[string][]byte
	snaps  []*modelSnapshot
}

type modelSnapshot struct {
	core   *Core
	head   Head
	blocks [][]byte
	cut    bool
}

// runs is how often a test with random input runs.
func runs(name string, without int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return without
}

func TestModelMemory(t *testing.T) {
	for seed := range uint64(runs("HYPERNODE_MODEL_RUNS", 150)) {
		db := datastore.NewMemory(datastore.Options{Durability: datastore.Durability(seed % 2)})
		runModel(t, db, seed, 40)
		if err := db.Close(); err != nil || t.Failed() {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestModelPebble(t *testing.T) {
	for seed := range uint64(runs("HYPERNODE_MODEL_RUNS", 200) / 10) {
		db := smallPebble(t, datastore.Options{Durability: datastore.Durability(seed % 2)})
		runModel(t, db, seed, 60)
		if err := db.Close(); err != nil || t.Failed() {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// smallPebble is a store in memory with the embedded default's files, which are small, so that new ones are begun often.
func smallPebble(t testing.TB, o datastore.Options) *datastore.DB {
	t.Helper()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40, TotalBytes: 1 << 40})
	db, err := pebble.Open("store", pebble.Options{
		Options: o, FS: mem, CacheSize: 1 << 20, MemTable: 256 << 10, SegmentSize: 8 << 10, JournalSize: 32 << 10, Inline: 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// runModel runs one random sequence of operations.
func runModel(t testing.TB, db *datastore.DB, seed uint64, steps int) {
	t.Helper()
	m := &model{t: t, rand: rand.New(rand.NewPCG(seed, 1)), db: db, user: map[string][]byte{}}
	m.o = Options{Pair: pairOf(1), Derived: true}
	if seed%3 == 1 {
		m.o.Encryption.Key = [32]byte{byte(seed), 5}
	}
	m.open()
	noise, err := Open(t.Context(), db, Options{Pair: pairOf(2), Derived: true})
	m.must("opening the noise", err)
	m.noise = noise
	defer func() {
		m.drop()
		m.must("closing", errors.Join(m.core.Close(), noise.Close()))
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	for range steps {
		if m.step(); t.Failed() {
			return
		}
	}
	m.checkAll()
}

func (m *model) must(what string, err error) {
	if err != nil {
		m.t.Helper()
		m.t.Errorf("%s: %v", what, err)
	}
}

func (m *model) open() {
	c, err := Open(m.t.Context(), m.db, m.o)
	if err != nil {
		m.t.Fatalf("opening: %v", err)
	}
	m.core = c
}

func (m *model) n() uint64 { return uint64(len(m.blocks)) }

// below returns a random number up to n.
func (m *model) below(n uint64) uint64 { return m.rand.Uint64N(n + 1) }

func (m *model) step() {
	steps := []func(){
		m.append, m.append, m.append, m.appendMany, m.truncate, m.clear, m.snapshot, m.reopen, m.remove,
		m.get, m.get, m.has, m.seek, m.offset, m.iterate, m.read, m.setUser, m.snapshots, m.makeNoise,
	}
	if k := m.rand.IntN(len(steps) * 4); k < len(steps) {
		steps[k]()
	} else {
		steps[k%8]()
	}
}

func (m *model) block() []byte {
	b := make([]byte, m.rand.IntN(40))
	for i := range b {
		b[i] = byte(m.rand.Uint32())
	}
	return b
}

func (m *model) append() {
	var list [][]byte
	for range m.rand.IntN(1 << m.rand.IntN(7)) {
		list = append(list, m.block())
	}
	i, err := m.core.Append(m.t.Context(), list...)
	m.must("append", err)
	if i != m.n() {
		m.t.Errorf("appended at %d, want %d", i, m.n())
	}
	m.took(list)
}

func (m *model) took(list [][]byte) {
	m.blocks = append(m.blocks, list...)
	for range list {
		m.held = append(m.held, true)
	}
}

// appendMany appends from several goroutines at once.
func (m *model) appendMany() {
	lists, at := make([][][]byte, 4), make([]uint64, 4)
	for i := range lists {
		for range m.rand.IntN(3) {
			lists[i] = append(lists[i], m.block())
		}
	}
	parallel(len(lists), func(i int) {
		var err error
		at[i], err = m.core.Append(m.t.Context(), lists[i]...)
		m.must("append", err)
	})
	order := []int{0, 1, 2, 3}
	slices.SortFunc(order, func(a, b int) int { return int(at[a])*4 + min(len(lists[a]), 1) - int(at[b])*4 - min(len(lists[b]), 1) })
	for _, i := range order {
		if at[i] != m.n() {
			m.t.Errorf("appended at %d, want %d", at[i], m.n())
		}
		m.took(lists[i])
	}
}

func (m *model) truncate() {
	to, fork := m.below(m.n()), m.fork+1
	err := m.core.Truncate(m.t.Context(), to)
	if m.rand.IntN(4) == 0 {
		fork += 1 + m.below(300)
		err = errors.Join(err, m.core.TruncateTo(m.t.Context(), to, fork))
	}
	if errors.Is(err, ErrNotAvailable) && to > 0 && !m.held[to-1] && m.core.Head() == m.head() {
		return // its roots went with the blocks that were cleared
	}
	m.must("truncate", err)
	m.fork, m.blocks, m.held = fork, m.blocks[:to:to], m.held[:to]
	for _, s := range m.snaps {
		s.cut = s.cut || to < s.head.Length
	}
}

func (m *model) clear() {
	start, end := m.below(m.n()), m.below(m.n()+3)
	m.must("clear", m.core.Clear(m.t.Context(), start, end))
	for i := start; i < min(end, m.n()); i++ {
		m.held[i] = false
	}
}

func (m *model) snapshot() {
	s, err := m.core.Snapshot()
	m.must("snapshot", err)
	m.snaps = append(m.snaps, &modelSnapshot{core: s, head: s.Head(), blocks: m.blocks[:len(m.blocks):len(m.blocks)]})
	if s.Head() != m.head() {
		m.t.Errorf("snapshot of %v, want %v", s.Head(), m.head())
	}
}

func (m *model) head() Head {
	h := Head{Fork: m.fork, Length: m.n()}
	for _, b := range m.blocks {
		h.ByteLength += uint64(len(b))
	}
	return h
}

// drop closes all snapshots.
func (m *model) drop() {
	for _, s := range m.snaps {
		m.must("closing a snapshot", s.core.Close())
	}
	m.snaps = nil
}

func (m *model) reopen() {
	m.drop()
	m.must("close", m.core.Close())
	m.open()
	m.checkAll()
}

func (m *model) remove() {
	if m.rand.IntN(6) > 0 {
		return
	}
	m.drop()
	m.must("delete", m.core.Delete(m.t.Context()))
	if _, err := m.core.Get(m.t.Context(), 0); !errors.Is(err, ErrDeleted) {
		m.t.Errorf("a deleted core: %v", err)
	}
	m.fork, m.blocks, m.held, m.user = 0, nil, nil, map[string][]byte{}
	m.open()
	m.checkAll()
}

// wantBlock compares what came of block i.
func (m *model) wantBlock(i uint64, b []byte, err error) {
	m.t.Helper()
	switch {
	case i >= m.n():
		if !errors.Is(err, ErrOutOfRange) {
			m.t.Errorf("block %d of %d: %v", i, m.n(), err)
		}
	case !m.held[i]:
		if !errors.Is(err, ErrNotAvailable) {
			m.t.Errorf("block %d, which was cleared: %v", i, err)
		}
	case err != nil || !bytes.Equal(b, m.blocks[i]):
		m.t.Errorf("block %d: %x (%v), want %x", i, b, err, m.blocks[i])
	}
}

func (m *model) get() {
	i := m.below(m.n() + 2)
	b, err := m.core.Get(m.t.Context(), i)
	m.wantBlock(i, b, err)
}

func (m *model) has() {
	start, end := m.below(m.n()+2), m.below(m.n()+2)
	want := true
	for i := start; i < end; i++ {
		want = want && i < m.n() && m.held[i]
	}
	if ok, err := m.core.Has(m.t.Context(), start, end); err != nil || ok != want {
		m.t.Errorf("has %d..%d: %v, %v, want %v", start, end, ok, err, want)
	}
}

func (m *model) seek() {
	at, h := m.below(m.head().ByteLength+2), m.head()
	block, within, err := m.core.Seek(m.t.Context(), at)
	switch {
	case at > h.ByteLength:
		if !errors.Is(err, ErrOutOfRange) {
			m.t.Errorf("seek %d of %d: %v", at, h.ByteLength, err)
		}
		return
	case err != nil:
		if !errors.Is(err, ErrNotAvailable) || !slices.Contains(m.held, false) {
			m.t.Errorf("seek %d: %v", at, err)
		}
		return
	}
	sum := uint64(0)
	for _, b := range m.blocks[:min(block, m.n())] {
		sum += uint64(len(b))
	}
	if sum+within != at || block > m.n() || block < m.n() && within > 0 && within >= uint64(len(m.blocks[block])) {
		m.t.Errorf("seek %d: block %d, which begins at %d, and %d", at, block, sum, within)
	}
}

func (m *model) offset() {
	i, sum := m.below(m.n()), uint64(0)
	for _, b := range m.blocks[:i] {
		sum += uint64(len(b))
	}
	got, err := m.core.Offset(m.t.Context(), i)
	if err != nil && i < m.n() && !m.held[i] && errors.Is(err, ErrNotAvailable) {
		return
	}
	if err != nil || got != sum {
		m.t.Errorf("offset of %d: %d, %v, want %d", i, got, err, sum)
	}
}

func (m *model) iterate() {
	start, end := m.below(m.n()), m.below(m.n()+1)
	i := start
	for b, err := range m.core.Blocks(m.t.Context(), start, end) {
		if m.wantBlock(i, b, err); err == nil {
			i++
		}
	}
	if i < end && i < m.n() && m.held[i] {
		m.t.Errorf("iterating %d..%d ended before %d", start, end, i)
	}
}

// read compares the bytes of the whole log, read by Reader and by Bytes.
func (m *model) read() {
	if slices.Contains(m.held, false) {
		return
	}
	all := bytes.Join(m.blocks, nil)
	from := m.below(uint64(len(all)))
	r := m.core.NewReader(m.t.Context())
	if _, err := r.Seek(int64(from)-int64(len(all)), io.SeekEnd); err != nil {
		m.t.Error(err)
	}
	var got []byte
	var err error
	if m.rand.IntN(2) == 0 {
		got, err = io.ReadAll(r)
	} else {
		var b bytes.Buffer
		_, err = r.WriteTo(&b)
		got = b.Bytes()
	}
	if err != nil || !bytes.Equal(got, all[from:]) || r.Size() != int64(len(all)) {
		m.t.Errorf("reading from %d: %d bytes of %d, %v", from, len(got), len(all), err)
	}
	n := m.below(uint64(len(all)) - from)
	got = nil
	for b, err := range m.core.Bytes(m.t.Context(), from, n) {
		m.must("bytes", err)
		got = append(got, b...)
	}
	if !bytes.Equal(got, all[from:from+n]) {
		m.t.Errorf("bytes %d+%d: got %d", from, n, len(got))
	}
}

func (m *model) setUser() {
	name, value := fmt.Sprint(m.rand.IntN(3)), m.block()
	if m.rand.IntN(4) == 0 {
		value = nil
	}
	m.must("user data", m.core.SetUserData(m.t.Context(), name, value))
	m.user[name] = value
}

// snapshots compares what is pinned: all of it, or ErrTruncated.
func (m *model) snapshots() {
	for _, s := range m.snaps {
		if s.core.Head() != s.head {
			m.t.Errorf("snapshot moved from %v to %v", s.head, s.core.Head())
		}
		for i, want := range s.blocks {
			b, err := s.core.Get(m.t.Context(), uint64(i))
			switch {
			case s.cut && !errors.Is(err, ErrTruncated):
				m.t.Errorf("snapshot that was cut: block %d: %v", i, err)
			case !s.cut && !m.held[i] && !errors.Is(err, ErrNotAvailable):
				m.t.Errorf("snapshot: block %d, which was cleared: %v", i, err)
			case !s.cut && m.held[i] && (err != nil || !bytes.Equal(b, want)):
				m.t.Errorf("snapshot: block %d: %x (%v), want %x", i, b, err, want)
			}
		}
		if _, err := s.core.Get(m.t.Context(), s.head.Length); !errors.Is(err, ErrOutOfRange) {
			m.t.Errorf("snapshot: block past the end: %v", err)
		}
	}
}

func (m *model) makeNoise() {
	_, err := m.noise.Append(m.t.Context(), m.block())
	m.must("noise", err)
}

// checkAll compares everything.
func (m *model) checkAll() {
	c, ctx := m.core, m.t.Context()
	tree := merkle.Tree{Fork: m.fork}
	batch := merkle.NewBatch(tree)
	for i, b := range m.blocks {
		if cipher := c.blockCipher(); cipher != nil && m.held[i] {
			b = storedBlock(m.t, c, uint64(i))
		} else if cipher != nil {
			batch = nil // the fork that the block was sealed at is not known here
			break
		}
		batch.AppendBlocks([][]byte{b})
	}
	if c.Head() != m.head() || batch != nil && c.TreeHash() != batch.Hash() {
		m.t.Errorf("%v, %v, want %v", c.Head(), c.TreeHash(), m.head())
	}
	for i := range m.n() {
		b, err := c.Get(ctx, i)
		m.wantBlock(i, b, err)
		ok, err := c.Has(ctx, i, i+1)
		if err != nil || ok != m.held[i] {
			m.t.Errorf("has %d: %v, %v", i, ok, err)
		}
	}
	contiguous := slices.Index(m.held, false)
	if contiguous < 0 {
		contiguous = len(m.held)
	}
	if c.Contiguous() != uint64(contiguous) {
		m.t.Errorf("%d contiguous, want %d", c.Contiguous(), contiguous)
	}
	for name, want := range m.user {
		if got, err := c.UserData(ctx, name); err != nil || !bytes.Equal(got, want) {
			m.t.Errorf("user data %q: %x, %v, want %x", name, got, err, want)
		}
	}
	if r, err := c.Verify(ctx); err != nil || !r.OK() {
		m.t.Errorf("verify: %+v, %v", r, err)
	}
	m.snapshots()
}
