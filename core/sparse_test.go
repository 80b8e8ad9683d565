package core

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// sparsePair is a writer with blocks and an empty reader that asks it.
func sparsePair(t testing.TB, n uint64, o Options) (w, r *Core, s *fakeSource) {
	t.Helper()
	o.Pair, o.Derived = pairOf(1), true
	w = openCore(t, memoryDB(t, datastore.Options{}), o)
	mustAppend(t, w, numbered(0, n)...)
	s = newFakeSource(w, n)
	s.lies = 3
	r = openCore(t, memoryDB(t, datastore.Options{}), Options{Key: w.Key(), Source: s, Encryption: o.Encryption})
	return w, r, s
}

func sparseOptions() map[string]Options {
	return map[string]Options{"plain": {}, "encrypted": {Encryption: Encryption{Key: [32]byte{9}}}, "compat": {Compat: true},
		"compat, encrypted": {Compat: true, Encryption: Encryption{Key: [32]byte{9}}}}
}

func TestSparseGetInAnyOrder(t *testing.T) {
	for name, o := range sparseOptions() {
		t.Run(name, func(t *testing.T) {
			const n = 97
			w, r, s := sparsePair(t, n, o)
			for _, i := range seeded(t, 1).Perm(n) {
				mustGet(t, r, uint64(i), numbered(uint64(i), 1)[0])
			}
			if r.Head() != w.Head() || r.TreeHash() != w.TreeHash() || r.Contiguous() != n {
				t.Fatalf("%v, %d contiguous", r.Head(), r.Contiguous())
			}
			if total, most := s.fetches(); total != n || most != 1 {
				t.Fatalf("%d fetches, %d of one block", total, most)
			}
			mustVerify(t, r)
			if a, b := storedNodes(t, w), storedNodes(t, r); !slices.EqualFunc(a, b, sameNode) {
				t.Fatalf("%d nodes and %d", len(a), len(b))
			}
		})
	}
}

func sameNode(a, b merkle.Node) bool {
	return a.Index == b.Index && a.Size == b.Size && a.Hash == b.Hash
}

// TestSparseGetAtOnce has many callers for each block: the source is asked once.
func TestSparseGetAtOnce(t *testing.T) {
	const n = 40
	_, r, s := sparsePair(t, n, Options{})
	start := make(chan struct{})
	s.hold = func(ctx context.Context) error { <-start; return nil }
	var waiting sync.WaitGroup
	waiting.Add(n * 4)
	go func() { waiting.Wait(); close(start) }()
	parallel(n*4, func(k int) {
		i := uint64(k % n)
		waiting.Done()
		if b, err := r.Get(t.Context(), i); err != nil || !bytes.Equal(b, numbered(i, 1)[0]) {
			t.Errorf("block %d: %x, %v", i, b, err)
		}
	})
	if total, most := s.fetches(); total != n || most != 1 {
		t.Fatalf("%d fetches, %d of one block", total, most)
	}
}

func TestSparseSeekAndOffset(t *testing.T) {
	for name, o := range sparseOptions() {
		t.Run(name, func(t *testing.T) {
			const n = 60
			blocks, rng := numbered(0, n), seeded(t, 3)
			for range 12 {
				w, r, _ := sparsePair(t, n, o)
				if err := r.Update(t.Context()); err != nil {
					t.Fatal(err)
				}
				for range 6 {
					at := rng.Uint64N(w.Head().ByteLength + 1)
					b1, o1, err1 := w.Seek(t.Context(), at)
					b2, o2, err2 := r.Seek(t.Context(), at)
					if err1 != nil || err2 != nil || b1 != b2 || o1 != o2 {
						t.Fatalf("seek %d: %d, %d (%v) and %d, %d (%v)", at, b1, o1, err1, b2, o2, err2)
					}
					i, sum := rng.Uint64N(n+1), uint64(0)
					for _, b := range blocks[:i] {
						sum += uint64(len(b))
					}
					if got, err := r.Offset(t.Context(), i); err != nil || got != sum {
						t.Fatalf("offset of %d: %d, %v, want %d", i, got, err, sum)
					}
				}
				if _, _, err := r.Seek(t.Context(), w.Head().ByteLength+1); !errors.Is(err, ErrOutOfRange) {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestSparseBlocksAndReader(t *testing.T) {
	const n = 50
	_, r, s := sparsePair(t, n, Options{})
	mustGet(t, r, 20, numbered(20, 1)[0])
	mustGet(t, r, 21, numbered(21, 1)[0])
	i := uint64(0)
	for b, err := range r.Blocks(t.Context(), 0, n) {
		if err != nil || !bytes.Equal(b, numbered(i, 1)[0]) {
			t.Fatalf("block %d: %x, %v", i, b, err)
		}
		i++
	}
	if total, most := s.fetches(); i != n || total != n || most != 1 {
		t.Fatalf("%d blocks, %d fetches, %d of one block", i, total, most)
	}
	_, r, _ = sparsePair(t, n, Options{})
	if err := r.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r.NewReader(t.Context()))
	if want := bytes.Join(numbered(0, n), nil); err != nil || !bytes.Equal(all, want) {
		t.Fatalf("%d bytes of %d: %v", len(all), len(want), err)
	}
}

func TestSparseLive(t *testing.T) {
	w, r, _ := sparsePair(t, 3, Options{})
	if err := r.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got uint64
	for b, err := range r.Live(ctx, 0) {
		if errors.Is(err, context.Canceled) && got == 30 {
			break
		}
		if err != nil || !bytes.Equal(b, numbered(got, 1)[0]) {
			t.Fatalf("block %d: %x, %v", got, b, err)
		}
		if got++; got == 30 {
			cancel()
		} else if got >= 3 {
			mustAppend(t, w, numbered(got, 1)...)
			if err := r.Update(ctx); err != nil { // what Live asks for may bring it first
				t.Fatal(err)
			}
		}
	}
	cancel()
}

// TestSparseContextEnds gives up the caller that asked: another one asks in its place.
func TestSparseContextEnds(t *testing.T) {
	_, r, s := sparsePair(t, 5, Options{})
	if err := r.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 2)
	first := true
	s.hold = func(ctx context.Context) error {
		s.mu.Lock()
		mine := first
		first = false
		s.mu.Unlock()
		asked <- struct{}{}
		if mine {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 2)
	go func() { _, err := r.Get(ctx, 2); errs <- err }()
	<-asked
	go func() { _, err := r.Get(t.Context(), 2); errs <- err }()
	cancel()
	if a, b := <-errs, <-errs; !errors.Is(errors.Join(a, b), context.Canceled) || a != nil && b != nil {
		t.Fatalf("%v and %v", a, b)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := r.Get(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestSparseMissing(t *testing.T) {
	w, r, _ := sparsePair(t, 20, Options{})
	if err := w.Clear(t.Context(), 7, 8); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), 7); !errors.Is(err, errNoPeer) {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), 20); !errors.Is(err, errNoPeer) {
		t.Fatalf("a block that is not yet: %v", err)
	}
	mustGet(t, r, 8, numbered(8, 1)[0])
	if err := r.Download(t.Context(), Want{Blocks: []uint64{8}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Download(t.Context(), Want{Ranges: []Range{{8, 20}, {0, 7}}}); err != nil {
		t.Fatal(err)
	}
	if held := heldBlocks(t, r); len(held) != 19 {
		t.Fatalf("holds %v", held)
	}
	if err := r.Download(t.Context(), Want{Ranges: []Range{{0, 0}}}); !errors.Is(err, errNoPeer) {
		t.Fatal(err)
	}
}

func TestCorruptBlock(t *testing.T) {
	w := newWriter(t, 1, numbered(0, 9)...)
	t.Run("is healed", func(t *testing.T) {
		e, db := openRotten(t)
		s := newFakeSource(w, 1)
		r := openCore(t, db, Options{Key: w.Key(), Source: s})
		for i := range uint64(9) {
			mustGet(t, r, i, numbered(i, 1)[0])
		}
		for _, i := range []uint64{3, 8, 0} {
			e.rot(r, i, []byte("wrong"))
			mustGet(t, r, i, numbered(i, 1)[0])
		}
		e.rot(r, 4, nil)
		i := uint64(0)
		for b, err := range r.Blocks(t.Context(), 0, 9) {
			if err != nil || !bytes.Equal(b, numbered(i, 1)[0]) {
				t.Fatalf("block %d: %x, %v", i, b, err)
			}
			i++
		}
		mustVerify(t, r)
		if total, _ := s.fetches(); i != 9 || total != 13 {
			t.Fatalf("%d fetches", total)
		}
	})
	t.Run("without a source", func(t *testing.T) {
		e, db := openRotten(t)
		c := openCore(t, db, Options{Pair: pairOf(1), Derived: true})
		mustAppend(t, c, numbered(0, 9)...)
		e.rot(c, 5, nil)
		var bad *CorruptError
		if _, err := c.Get(t.Context(), 5); !errors.As(err, &bad) || bad.Block != 5 || !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if ok, err := c.Has(t.Context(), 5, 6); ok || err != nil || c.Contiguous() != 5 {
			t.Fatalf("has %v, %v, %d contiguous", ok, err, c.Contiguous())
		}
		e.rot(c, 7, nil)
		if r, err := c.Verify(t.Context()); err != nil || !slices.Equal(r.BadBlocks, []uint64{7}) {
			t.Fatalf("verify: %+v, %v", r, err)
		}
		mustAppend(t, c, numbered(9, 1)...)
		mustGet(t, c, 9, numbered(9, 1)[0])
		e.rot(c, 8, nil)
		if _, err := c.Prove(t.Context(), &merkle.Request{ID: 1, Block: &merkle.BlockRequest{Index: 8}}); !errors.Is(err, ErrNotAvailable) {
			t.Fatal(err)
		}
	})
	t.Run("only its checksum", func(t *testing.T) {
		e, db := openRotten(t)
		c := openCore(t, db, Options{Pair: pairOf(1), Derived: true})
		mustAppend(t, c, numbered(0, 9)...)
		e.rot(c, 6, numbered(6, 1)[0])
		mustGet(t, c, 6, numbered(6, 1)[0])
		mustGet(t, c, 6, numbered(6, 1)[0])
		if len(e.bad) > 0 || c.Contiguous() != 9 {
			t.Fatal("the block was not stored anew")
		}
	})
}

// TestCorruptPages makes every page of nodes corrupt, each alone: a log that has its blocks goes on.
func TestCorruptPages(t *testing.T) {
	const n = 100
	e, db := openRotten(t)
	o := Options{Pair: pairOf(1), Derived: true}
	c := openCore(t, db, o)
	mustAppend(t, c, numbered(0, n)...)
	want := storedNodes(t, c)
	for level := range uint64(3) {
		for page := range uint64(n>>(4*(level+1)) + 1) {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			e.mu.Lock()
			e.records[string(pageKey(c.log.id, pageID{level, page}))] = true
			e.mu.Unlock()
			c = openCore(t, db, o)
			for _, m := range want {
				got, err := viewNodes{t.Context(), c.log}.ReadNodes([]uint64{m.Index})
				if err != nil || got[0] != m {
					t.Fatalf("page %d of level %d: node %+v is %+v, %v", page, level, m, got, err)
				}
			}
			if _, err := c.Offset(t.Context(), n/2); err != nil {
				t.Fatal(err)
			}
		}
	}
	mustAppend(t, c, numbered(n, 30)...)
	r := newReader(t, c, nil)
	follow(t, c, r)
	mustVerify(t, r)
}

// TestReaderModel brings random blocks to a reader whose writer truncates, clears it and opens it again.
func TestReaderModel(t *testing.T) {
	for seed := range uint64(runs("HYPERNODE_MODEL_RUNS", 120)) {
		runReaderModel(t, seed)
	}
}

func runReaderModel(t *testing.T, seed uint64) {
	rng := seeded(t, seed)
	db := datastore.NewMemory(datastore.Options{})
	w := openCore(t, datastore.NewMemory(datastore.Options{}), Options{Pair: pairOf(1), Derived: true})
	s := newFakeSource(w, seed)
	s.lies = 2
	o := Options{Key: w.Key(), Source: s}
	r, err := Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	held, blocks, kept := map[uint64]bool{}, [][]byte(nil), uint64(math.MaxUint64)
	for range 60 {
		switch rng.IntN(9) {
		case 0, 1:
			more := numbered(rng.Uint64N(1000), rng.Uint64N(20))
			mustAppend(t, w, more...)
			blocks = append(blocks, more...)
		case 2:
			fork := r.Head().Fork
			if err = r.Update(t.Context()); r.Head().Fork != fork {
				forget(t, r, held, kept) // a sparse reader may drop more than it must
				kept = math.MaxUint64
			}
		case 3:
			to := rng.Uint64N(uint64(len(blocks)) + 1)
			err = w.Truncate(t.Context(), to)
			blocks, kept = blocks[:to:to], min(kept, to)
		case 4:
			start := rng.Uint64N(r.Head().Length + 1)
			end := start + rng.Uint64N(20)
			err = r.Clear(t.Context(), start, end)
			for i := start; i < end; i++ {
				delete(held, i)
			}
		case 5:
			if err = r.Close(); err == nil {
				r, err = Open(t.Context(), db, o)
			}
		default:
			if n := r.Head().Length; n > 0 && r.Head().Fork == w.Head().Fork {
				i := rng.Uint64N(n)
				mustGet(t, r, i, blocks[i])
				held[i] = true
			}
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got, want := heldBlocks(t, r), sorted(held); !slices.Equal(got, want) {
			t.Fatalf("seed %d: holds %v, want %v", seed, got, want)
		}
	}
	mustVerify(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// forget takes out of the model what a move to another fork dropped: all from kept on, and perhaps more.
func forget(t *testing.T, r *Core, held map[uint64]bool, kept uint64) {
	t.Helper()
	for i := range held {
		ok, err := r.Has(t.Context(), i, i+1)
		if err != nil || ok && i >= kept {
			t.Fatalf("block %d is held after a cut to %d: %v", i, kept, err)
		}
		if !ok {
			delete(held, i)
		}
	}
}

func sorted(held map[uint64]bool) (list []uint64) {
	for i := range held {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}
