package core

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// twins are two stores of one writer: the second is a copy of the first as it was after n blocks.
func twins(t *testing.T, o Options, n uint64) (now, old *Core) {
	t.Helper()
	o.Pair = pairOf(1)
	now = openCore(t, memoryDB(t, datastore.Options{}), o)
	old = openCore(t, memoryDB(t, datastore.Options{}), o)
	mustAppend(t, now, numbered(0, n)...)
	mustAppend(t, old, numbered(0, n)...)
	return now, old
}

// TestRolledBack shows an old copy of a store the head that its writer signed later.
func TestRolledBack(t *testing.T) {
	for name, o := range map[string]Options{"stored secret": {}, "derived": {Derived: true}, "with origin": {Derived: true, Origin: []byte("x")}} {
		for _, fork := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				now, old := twins(t, o, 10)
				if fork {
					if err := now.Truncate(t.Context(), 6); err != nil {
						t.Fatal(err)
					}
				}
				first := now.Head().Length
				mustAppend(t, now, numbered(50, 5)...)
				weak := &Core{log: old.log, weak: true} // as a session has it
				catchUp(t, now, weak)
				checkRolledBack(t, now, old, first)
			})
		}
	}
}

// TestRolledBackWithHoles clears blocks before the store is rolled back. It need not get these again: perhaps nobody has them.
func TestRolledBackWithHoles(t *testing.T) {
	for _, fork := range []bool{false, true} {
		now, old := twins(t, Options{}, 30)
		for _, r := range []Range{{0, 3}, {10, 12}, {25, 30}} {
			if err := old.Clear(t.Context(), r.Start, r.End); err != nil {
				t.Fatal(err)
			}
		}
		kept := uint64(30)
		if fork {
			if kept = 20; now.Truncate(t.Context(), kept) != nil {
				t.Fatal("not cut")
			}
		}
		mustAppend(t, now, numbered(50, 3)...)
		catchUp(t, now, old)
		mustAppend(t, now, numbered(60, 3)...)
		catchUp(t, now, old) // before it has what it forgot first
		for i, n := range []uint64{kept + 4, kept, kept + 5, kept + 2, kept + 1, kept + 3} {
			_, err := old.Append(t.Context(), []byte("x"))
			wantErr(t, "append", err, ErrRolledBack)
			if i == 3 {
				db := old.log.db
				if err := old.Close(); err != nil {
					t.Fatal(err)
				}
				old = openCore(t, db, Options{Key: now.Key()})
			}
			if i == 4 { // one that it had again
				if err := old.Clear(t.Context(), kept+4, kept+5); err != nil {
					t.Fatal(err)
				}
			}
			fetchBlock(t, now, old, n)
		}
		_, err := old.Append(t.Context(), []byte("x"))
		wantErr(t, "append", err, ErrRolledBack)
		fetchBlock(t, now, old, kept+4)
		mustAppend(t, old, numbered(70, 1)...)
		if i, err := old.Info(t.Context()); err != nil || i.RolledBack || i.Contiguous != 0 {
			t.Fatalf("%+v, %v", i, err)
		}
		upgrade(t, old, now)
		if now.TreeHash() != old.TreeHash() || now.Conflict() != nil {
			t.Fatal("the histories differ")
		}
		mustVerify(t, old)
	}
}

// catchUp brings a core to another one's head, whatever its fork, without blocks.
func catchUp(t *testing.T, from, to *Core) {
	t.Helper()
	if from.Head().Fork == to.Head().Fork {
		upgrade(t, from, to)
		return
	}
	q := forkRequest(from.Head())
	for q != nil {
		v := pass(t, from, to, q)
		if v.Err != nil {
			t.Fatal(v.Err)
		}
		q = v.Next
	}
}

func checkRolledBack(t *testing.T, now, old *Core, first uint64) {
	t.Helper()
	if old.Head() != now.Head() {
		t.Fatalf("%v, want %v", old.Head(), now.Head())
	}
	_, err := old.Append(t.Context(), []byte("x"))
	wantErr(t, "append", err, ErrRolledBack)
	wantErr(t, "truncate", old.Truncate(t.Context(), 3), ErrRolledBack)
	if i, err := old.Info(t.Context()); err != nil || !i.RolledBack {
		t.Fatalf("%+v, %v", i, err)
	}
	for i := old.Contiguous(); i < now.Head().Length; i++ {
		_, err := old.Append(t.Context(), []byte("x"))
		wantErr(t, "append", err, ErrRolledBack)
		fetchBlock(t, now, old, i)
	}
	mustAppend(t, old, numbered(60, 1)...)
	upgrade(t, old, now)
	if now.TreeHash() != old.TreeHash() || now.Conflict() != nil {
		t.Fatal("the histories differ")
	}
	if err := old.Clear(t.Context(), 0, 3); err != nil { // what was caught up stays so
		t.Fatal(err)
	}
	mustAppend(t, old, numbered(61, 1)...)
	mustVerify(t, old)
}

// TestRolledBackIsDurable brings a longer head to a reader, which can have it again, and to its writer.
func TestRolledBackIsDurable(t *testing.T) {
	now := newWriter(t, 1, numbered(0, 9)...)
	for _, o := range []Options{{Key: now.Key()}, {Pair: pairOf(1), Derived: true}} {
		g, db := openGated(t, datastore.Full)
		c := openCore(t, db, o)
		upgrade(t, now, c)
		if g.durable != c.Writable() {
			t.Fatalf("writer %v, durable %v", c.Writable(), g.durable)
		}
	}
}

func TestRolledBackIsRemembered(t *testing.T) {
	now, old := twins(t, Options{}, 4)
	mustAppend(t, now, numbered(4, 2)...)
	upgrade(t, now, old)
	db := old.log.db
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	old = openCore(t, db, Options{Key: now.Key()})
	_, err := old.Append(t.Context(), []byte("x"))
	wantErr(t, "append", err, ErrRolledBack)
}

// TestConflict has two writers of one key. Whoever sees both histories is frozen for good.
func TestConflict(t *testing.T) {
	for _, compat := range []bool{false, true} {
		a, b := twins(t, Options{Compat: compat}, 3)
		mustAppend(t, a, []byte("one"), []byte("more"))
		mustAppend(t, b, []byte("other"), []byte("more"), []byte("and more"))
		r := newReader(t, a, nil)
		upgrade(t, a, r)
		// What a conflict looks like at first: a proof that does not fit.
		q := &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Start: 5, Length: 1}}
		wantErr(t, "upgrade to the other history", pass(t, b, r, q).Err, ErrInvalidProof)
		// The probe shows it, to all: longer and shorter writers and readers.
		probe := &merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: 5}}
		pa, err := a.Prove(t.Context(), probe)
		if err != nil {
			t.Fatal(err)
		}
		pb, err := b.Prove(t.Context(), probe)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			c *Core
			p *merkle.Proof
		}{{a, pb}, {b, pa}, {r, pb}} {
			if v := apply(t, x.c, map[bool]*merkle.Proof{true: pb, false: pa}[x.p == pa]); v.Err != nil || !v.Applied {
				t.Fatalf("own history: %+v", v)
			}
			checkFrozen(t, x.c, apply(t, x.c, x.p))
		}
	}
}

func checkFrozen(t *testing.T, c *Core, v Verdict) {
	t.Helper()
	wantErr(t, "the other history", v.Err, ErrConflict)
	for again := range 3 {
		_, err := c.Append(t.Context(), []byte("x"))
		if c.Writable() {
			wantErr(t, "append", err, ErrConflict)
			wantErr(t, "truncate", c.Truncate(t.Context(), 0), ErrConflict)
		}
		_, err = c.Prove(t.Context(), &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 1}})
		wantErr(t, "prove", err, ErrConflict)
		_, err = c.Apply(t.Context(), &merkle.Proof{})
		var conflict *ConflictError
		if !errors.As(err, &conflict) || conflict.Proof == nil {
			t.Fatalf("apply: %v", err)
		}
		if err := c.Conflict().Verify(OpenAuthority); err != nil {
			t.Fatal(err)
		}
		if info, err := c.Info(t.Context()); err != nil || !info.Frozen {
			t.Fatalf("%+v, %v", info, err)
		}
		db, key := c.log.db, c.Key()
		if again == 1 { // the proof outlives the core
			if err := c.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
		} else if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		c = openCore(t, db, Options{Key: key})
	}
}

func TestGetOnFrozenCore(t *testing.T) {
	a, b := twins(t, Options{}, 2)
	mustAppend(t, a, []byte("one"))
	mustAppend(t, b, []byte("other"))
	s := newFakeSource(a, 1)
	r := newReader(t, a, s)
	mustGet(t, r, 2, []byte("one"))
	apply(t, r, mustProve(t, b, &merkle.Request{Upgrade: &merkle.UpgradeRequest{Length: 3}}))
	mustGet(t, r, 2, []byte("one"))
	_, err := r.Get(t.Context(), 0)
	wantErr(t, "a missing block", err, ErrConflict)
	wantErr(t, "update", r.Update(t.Context()), ErrConflict)
	if told := s.told(); !told[len(told)-1].Conflict {
		t.Fatalf("told %+v", told)
	}
}

func mustProve(t *testing.T, c *Core, q *merkle.Request) *merkle.Proof {
	t.Helper()
	p, err := c.Prove(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSmallOrderKeys(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	weak := keys.PublicKey{1} // the neutral element: anybody can sign for it
	if _, err := Open(t.Context(), db, Options{Manifest: manifest.Single(weak)}); !errors.Is(err, manifest.ErrSigner) {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), db, Options{Key: keys.Key(weak), Compat: true}); !errors.Is(err, manifest.ErrSigner) {
		t.Fatal(err)
	}
	r := openCore(t, db, Options{Key: manifest.Single(weak).Key()})
	v := apply(t, r, &merkle.Proof{Manifest: manifest.Single(weak).Encode()})
	if !errors.Is(v.Err, ErrInvalidProof) || r.Manifest() != nil {
		t.Fatalf("%+v", v)
	}
}

// TestUnknownCompat gives an empty reader proofs without a manifest: only a signature makes it take itself for a reader
// of a compat core.
func TestUnknownCompat(t *testing.T) {
	w := newWriter(t, 1, numbered(0, 5)...)
	p := mustProve(t, w, &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 5}})
	for _, fork := range []uint64{0, 1, 7} {
		r := newReader(t, w, nil)
		q := *p
		q.Fork = fork
		if v := apply(t, r, &q); !errors.Is(v.Err, ErrInvalidProof) || r.Manifest() != nil || r.Compat() {
			t.Fatalf("fork %d: %+v, compat %v", fork, v, r.Compat())
		}
		upgrade(t, w, r)
	}
}

func TestEncryptedCoreRefusesPlainBlocks(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	e := Encryption{Key: [32]byte{3}}
	c := openCore(t, db, Options{Pair: pairOf(1), Derived: true, Encryption: e})
	plain, err := c.Session(Options{Pair: pairOf(1), Derived: true})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for range 20 { // both in one group: the others are not kept from appending
		parallel(4, func(i int) {
			x := []*Core{c, plain}[i%2]
			_, err := x.Append(context.Background(), []byte("block"))
			if x == c && err != nil || x == plain && !errors.Is(err, ErrEncrypted) {
				t.Errorf("append: %v", err)
			}
		})
	}
	if c.Head().Length != 40 {
		t.Fatal(c.Head())
	}
	for i := range uint64(40) {
		mustGet(t, c, i, []byte("block"))
	}
	if b, err := plain.Get(t.Context(), 0); err != nil || len(b) != 5+padding {
		t.Fatalf("%x, %v", b, err)
	}
}

// TestSeveralSigners appends to a core that two of three must sign.
func TestSeveralSigners(t *testing.T) {
	var signers []manifest.Signer
	for i := range byte(3) {
		signers = append(signers, manifest.Signer{PublicKey: pairOf(i).Public})
	}
	m, err := manifest.New(manifest.Config{Version: 1, Quorum: 2, Signers: signers})
	if err != nil {
		t.Fatal(err)
	}
	a, err := manifest.NewAuthority(m.Key(), m, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(n int) func(*merkle.Tree) ([]byte, error) {
		return func(tree *merkle.Tree) ([]byte, error) {
			var parts []manifest.Part
			for i := range n {
				p, err := a.SignPart(pairOf(byte(i)), tree)
				if err != nil {
					return nil, err
				}
				parts = append(parts, p)
			}
			return a.Assemble(tree, parts, nil)
		}
	}
	c := openCore(t, memoryDB(t, datastore.Options{}), Options{Manifest: m, Sign: sign(2)})
	mustAppend(t, c, numbered(0, 5)...)
	few, err := c.Session(Options{Sign: sign(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer few.Close()
	if _, err := few.Append(t.Context(), []byte("x")); !errors.Is(err, manifest.ErrQuorum) {
		t.Fatal(err)
	}
	r := newReader(t, c, nil)
	follow(t, c, r)
	if r.TreeHash() != c.TreeHash() {
		t.Fatal("the reader has another tree")
	}
}

// TestStatic fills a core that nobody signs.
func TestStatic(t *testing.T) {
	w := newWriter(t, 1, numbered(0, 9)...)
	tree := w.log.current.Load().tree()
	m := manifest.Static(&tree)
	c := openCore(t, memoryDB(t, datastore.Options{}), Options{Manifest: m})
	if c.Writable() {
		t.Fatal("writable")
	}
	source := openCore(t, memoryDB(t, datastore.Options{}), Options{Manifest: m})
	plant(t, source, 0, numbered(0, 9), nil)
	follow(t, source, c)
	for i, b := range numbered(0, 9) {
		mustGet(t, c, uint64(i), b)
	}
	q := &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 9}}
	p := mustProve(t, source, q)
	p.Fork = 4 // nobody signed that
	wantErr(t, "a later fork", apply(t, c, p).Err, ErrInvalidProof)
	r := newReader(t, c, nil)
	p.Manifest = m.Encode()
	wantErr(t, "a later fork", apply(t, r, p).Err, ErrInvalidProof)
	other := newWriter(t, 2, numbered(1, 9)...)
	p = mustProve(t, other, q)
	wantErr(t, "another tree", apply(t, r, p).Err, ErrInvalidProof)
}

func TestManifestVersions(t *testing.T) {
	pair := pairOf(5)
	for _, v := range []int{0, 1, 2} {
		m, err := manifest.New(manifest.Config{Version: v, Signers: []manifest.Signer{{PublicKey: pair.Public}}})
		if err != nil {
			t.Fatal(err)
		}
		c := openCore(t, memoryDB(t, datastore.Options{}), Options{Manifest: m, Pair: pair, Derived: true})
		mustAppend(t, c, numbered(0, 5)...)
		r := newReader(t, c, nil)
		follow(t, c, r)
		if r.TreeHash() != c.TreeHash() || !slices.Equal(r.Manifest().Encode(), m.Encode()) {
			t.Fatalf("version %d", v)
		}
	}
	for _, legacy := range []bool{false, true} {
		o := Options{Pair: pair, Derived: true, Compat: true, Legacy: legacy}
		c := openCore(t, memoryDB(t, datastore.Options{}), o)
		mustAppend(t, c, numbered(0, 5)...)
		r := openCore(t, memoryDB(t, datastore.Options{}), Options{Key: c.Key(), Legacy: legacy})
		follow(t, c, r)
		if !r.Compat() || c.Key() != keys.Key(pair.Public) {
			t.Fatal("not a compat core")
		}
		wrong := openCore(t, memoryDB(t, datastore.Options{}), Options{Key: c.Key(), Legacy: !legacy})
		q := &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 5}}
		wantErr(t, "the other form", pass(t, c, wrong, q).Err, ErrInvalidProof)
	}
}
