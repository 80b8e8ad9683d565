package core

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/vectors"
)

// memoryDB is a store in memory that is closed with the test and keeps secrets.
func memoryDB(t testing.TB, o datastore.Options) *datastore.DB {
	t.Helper()
	if o.Secrets == nil {
		o.Secrets = datastore.FileSecrets(t.TempDir())
	}
	db := datastore.NewMemory(o)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func pairOf(n byte) keys.Pair { return keys.PairFromSeed(keys.Seed{n, 7}) }

// openCore opens a core that is closed with the test.
func openCore(t testing.TB, db *datastore.DB, o Options) *Core {
	t.Helper()
	c, err := Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// newWriter is a core of a key pair in a store of its own.
func newWriter(t testing.TB, n byte, blocks ...[]byte) *Core {
	t.Helper()
	c := openCore(t, memoryDB(t, datastore.Options{}), Options{Pair: pairOf(n), Derived: true})
	mustAppend(t, c, blocks...)
	return c
}

// newReader is an empty reader of a core in a store of its own.
func newReader(t testing.TB, of *Core, s Source) *Core {
	t.Helper()
	return openCore(t, memoryDB(t, datastore.Options{}), Options{Key: of.Key(), Source: s})
}

func mustAppend(t testing.TB, c *Core, blocks ...[]byte) uint64 {
	t.Helper()
	i, err := c.Append(t.Context(), blocks...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func mustGet(t testing.TB, c *Core, i uint64, want []byte) {
	t.Helper()
	if got, err := c.Get(t.Context(), i); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("block %d is %.20x of %d bytes (%v), want %.20x of %d", i, got, len(got), err, want, len(want))
	}
}

// numbered makes n blocks of various sizes, from a number on.
func numbered(from, n uint64) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		k := from + uint64(i)
		list[i] = bytes.Repeat(binary.LittleEndian.AppendUint64(nil, k+1), 5)[:k*k%40]
	}
	return list
}

// pass applies the answer of one core to a request to another one.
func pass(t testing.TB, from, to *Core, q *merkle.Request) Verdict {
	t.Helper()
	p, err := from.Prove(t.Context(), q)
	if err != nil {
		t.Fatalf("proving %+v: %v", q, err)
	}
	return apply(t, to, p)
}

// apply applies a proof as it comes over the wire.
func apply(t testing.TB, to *Core, p *merkle.Proof) Verdict {
	t.Helper()
	decoded, err := merkle.DecodeProof(merkle.AppendProof(nil, p))
	if err != nil {
		t.Fatal(err)
	}
	v, err := to.Apply(t.Context(), decoded)
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

// upgrade brings a reader to the head of another core of the same fork.
func upgrade(t testing.TB, from, to *Core) {
	t.Helper()
	h, have := from.Head(), to.Head()
	q := &merkle.Request{ID: 1, Fork: h.Fork, Manifest: true,
		Upgrade: &merkle.UpgradeRequest{Start: have.Length, Length: h.Length - have.Length}}
	if v := pass(t, from, to, q); v.Err != nil || !v.Upgraded {
		t.Fatalf("upgrade from %v to %v: %+v", have, h, v)
	}
}

// fetchBlock brings one block to a reader.
func fetchBlock(t testing.TB, from, to *Core, i uint64) {
	t.Helper()
	if v := pass(t, from, to, blockRequest(t, to, i)); v.Err != nil || !v.Applied {
		t.Fatalf("block %d: %+v", i, v)
	}
}

func blockRequest(t testing.TB, of *Core, i uint64) *merkle.Request {
	t.Helper()
	n, err := of.MissingNodes(context.Background(), i)
	if err != nil {
		t.Fatal(err)
	}
	return &merkle.Request{ID: 1, Fork: of.Head().Fork, Block: &merkle.BlockRequest{Index: i, Nodes: n}}
}

// mustVerify runs Verify and wants nothing wrong.
func mustVerify(t testing.TB, c *Core) {
	t.Helper()
	r, err := c.Verify(t.Context())
	if err != nil || !r.OK() {
		t.Fatalf("verify: %+v, %v", r, err)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", what, err, want)
	}
}

// seeded returns a generator whose seed is printed when the test fails.
func seeded(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func notEmpty[T any](t *testing.T, name string, list []T) {
	t.Helper()
	if len(list) == 0 {
		t.Fatalf("golden data: no %s", name)
	}
}

func bytesOf(list []vectors.Hex) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}

// storedNodes reads all tree nodes of a core, in the order of their indexes.
func storedNodes(t testing.TB, c *Core) (list []merkle.Node) {
	t.Helper()
	l := c.log
	lo := dataKey(l.id).Kind(itemTree)
	err := l.db.View(t.Context(), func(tx *datastore.Tx) error {
		for rec, err := range tx.Scan(lo, lo.End(), false) {
			if err != nil {
				return err
			}
			var p nodePage
			id, ok := parsePageKey(bytes.TrimPrefix(rec.Key, lo))
			if err := p.decode(rec.Value); err != nil || !ok {
				return fmt.Errorf("page %v: %w", id, err)
			}
			for slot := range uint64(pageSlots) {
				if n := p.node(id, slot); !n.IsZero() {
					list = append(list, n)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b merkle.Node) int { return int(int64(a.Index) - int64(b.Index)) })
	return list
}

// storedBlock reads a block as it is stored.
func storedBlock(t testing.TB, c *Core, i uint64) (b []byte) {
	t.Helper()
	err := c.log.db.View(t.Context(), func(tx *datastore.Tx) (err error) {
		b, err = tx.Block(blockKey(c.log.id, i))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// heldBlocks lists the blocks that a core holds.
func heldBlocks(t testing.TB, c *Core) (list []uint64) {
	t.Helper()
	held, err := c.Held(t.Context(), 0, c.Head().Length)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range held {
		for i := r.Start; i < r.End; i++ {
			list = append(list, i)
		}
	}
	return list
}

// parallel runs fn n times at once and waits.
func parallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}
