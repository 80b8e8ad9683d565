package corestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/merkle"
)

// fill appends n blocks of random lengths.
func fill(t *testing.T, c *core.Core, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var blocks [][]byte
	for range n {
		b := make([]byte, rng.IntN(600))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		blocks = append(blocks, b)
	}
	if _, err := c.Append(t.Context(), blocks...); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, a, b *core.Core) {
	t.Helper()
	if a.TreeHash() != b.TreeHash() || a.Head().Length != b.Head().Length || a.Head().ByteLength != b.Head().ByteLength {
		t.Errorf("%v and %v", a.Head(), b.Head())
	}
	if x, y := contents(t, a), contents(t, b); fmt.Sprint(x) != fmt.Sprint(y) {
		t.Error("the blocks differ")
	}
}

func TestStatic(t *testing.T) {
	s := newStore(t)
	for _, n := range []int{1, 2, 3, 64, 1000, 2500} {
		log := open(t, s, corestore.Name(fmt.Sprint(n)))
		fill(t, log, n)
		c, err := s.Static(t.Context(), log)
		if err != nil {
			t.Fatal(n, err)
		}
		same(t, c, log)
		if rep, err := c.Verify(t.Context()); err != nil || !rep.OK() || rep.Blocks != uint64(n) {
			t.Errorf("%d blocks: %+v, %v", n, rep, err)
		}
		if _, err := c.Append(t.Context(), []byte("x")); !errors.Is(err, core.ErrNotWritable) || c.Signature() != nil {
			t.Errorf("appended: %v", err)
		}
		appendTo(t, log, "more")
		again, err := s.Static(t.Context(), log)
		if err != nil || again.Key() == c.Key() {
			t.Errorf("%d and one more: %v, %v", n, again.Key(), err)
		}
	}
}

// TestStaticOfFork: the key is that of the content, whatever the log went through.
func TestStaticOfFork(t *testing.T) {
	s := newStore(t)
	log := open(t, s, corestore.Name("a"))
	appendTo(t, log, "one", "two", "three")
	if err := log.Truncate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	appendTo(t, log, "four")
	plain := open(t, s, corestore.Name("b"))
	appendTo(t, plain, "one", "four")
	a, err := s.Static(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Static(t.Context(), plain)
	if err != nil || a.Key() != b.Key() {
		t.Fatalf("keys %v and %v, %v", a.Key(), b.Key(), err)
	}
	wantContents(t, a, "one", "four")
}

func TestStaticOfEncrypted(t *testing.T) {
	s := newStore(t)
	ref := corestore.Name("a")
	ref.Encryption = core.Encryption{Key: [32]byte{1}}
	log := open(t, s, ref)
	appendTo(t, log, "secret")
	c, err := s.Static(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	stored := contents(t, open(t, s, corestore.Key(log.Key())))
	wantContents(t, c, stored...)
	if stored[0] == "secret" {
		t.Error("the block was not encrypted")
	}
}

func TestStaticOfPart(t *testing.T) {
	s := newStore(t)
	log := open(t, s, corestore.Name("a"))
	if _, err := s.Static(t.Context(), log); !errors.Is(err, corestore.ErrIncomplete) {
		t.Errorf("of an empty log: %v", err)
	}
	appendTo(t, log, "one", "two", "three")
	if err := log.Clear(t.Context(), 1, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Static(t.Context(), log); !errors.Is(err, corestore.ErrIncomplete) {
		t.Errorf("of a log with a hole: %v", err)
	}
	if n := len(listed(t, s)); n != 1 {
		t.Errorf("%d cores, want 1", n)
	}
}

// TestStaticGoesOn ends the copy at many places, and has it go on in a store that was opened again.
func TestStaticGoesOn(t *testing.T) {
	db := memory(t)
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
	log := open(t, s, corestore.Name("a"))
	block := bytes.Repeat([]byte{7}, 1<<20)
	for range 25 {
		if _, err := log.Append(t.Context(), block); err != nil {
			t.Fatal(err)
		}
	}
	most, failed := uint64(0), 0
	for n := 1; ; n += 9 {
		left := n
		c, err := s.Static(countdown{context.Background(), &left}, log)
		if err == nil {
			same(t, c, log)
			break
		}
		if failed++; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		most = max(most, partly(t, s, log))
		close1(t, s)
		s = openStore(t, db, corestore.Options{PrimaryKey: testKey})
		log = open(t, s, corestore.Name("a"))
	}
	if most == 0 || most >= 25 || failed < 3 {
		t.Errorf("interrupted %d times, at most after %d blocks", failed, most)
	}
}

// partly tells how many blocks of a log its static core has got.
func partly(t *testing.T, s *corestore.Store, log *core.Core) (n uint64) {
	t.Helper()
	for _, d := range listed(t, s) {
		if d == log.DiscoveryKey() {
			continue
		}
		c := open(t, s, corestore.Discovery(d))
		n = c.Contiguous()
		c.Close()
	}
	return n
}

// TestStaticOfUnsynced: blocks that peers may not be shown yet are copied all the same, once they may.
func TestStaticOfUnsynced(t *testing.T) {
	db := onDisk(t, t.TempDir())
	s := openStore(t, db, corestore.Options{PrimaryKey: testKey, Source: new(source)})
	log := open(t, s, corestore.Name("a"))
	for i := range 50 {
		appendTo(t, log, fmt.Sprint(i))
		c, err := s.Static(t.Context(), log)
		if err != nil {
			t.Fatal(i, err)
		}
		if c.Head().Length != uint64(i+1) {
			t.Errorf("%d blocks, want %d", c.Head().Length, i+1)
		}
		c.Close()
	}
}

// TestStaticOfAnotherStore: the log may be anywhere.
func TestStaticOfAnotherStore(t *testing.T) {
	there := open(t, newStore(t), corestore.Name("a"))
	fill(t, there, 20)
	c, err := newStore(t).Static(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	same(t, c, there)
}

// TestStaticByKey: a reader that knows the key alone takes the content from a peer, and nothing else.
func TestStaticByKey(t *testing.T) {
	s := newStore(t)
	log := open(t, s, corestore.Name("a"))
	appendTo(t, log, "one", "two", "three")
	from, err := s.Static(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	to := open(t, newStore(t), corestore.Key(from.Key()))
	for i := range uint64(3) {
		q := &merkle.Request{ID: 1, Manifest: i == 0, Block: &merkle.BlockRequest{Index: i}}
		if i == 0 {
			q.Upgrade = &merkle.UpgradeRequest{Length: 3}
		} else if q.Block.Nodes, err = to.MissingNodes(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		p, err := from.Prove(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		v, err := to.Apply(t.Context(), p)
		if err != nil || v[0].Err != nil || !v[0].Applied {
			t.Fatalf("block %d: %+v, %v", i, v, err)
		}
	}
	same(t, to, from)
}
