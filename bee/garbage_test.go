package bee

import (
	"errors"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/internal/beeops"
)

// TestClearUnlinked clears random bees, part by part or all at once: the newest version is all there, also for who opens the bee anew, and
// changes go on; nothing else is held.
func TestClearUnlinked(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for i := range uint64(8) {
		clearRandom(t, beeops.New(seed+i))
	}
}

func clearRandom(t *testing.T, s beeops.Sequence) {
	t.Helper()
	rng := seeded(t, s.Seed)
	db, m := memoryDB(t), newModel(s)
	c := coreIn(t, db, core.Options{Pair: memoryPair(), Derived: true})
	b := openBee(t, c, Options{SkipSame: s.SkipSame})
	change := func(groups [][]beeops.Op) {
		for _, group := range groups {
			if err := b.Update(t.Context(), func(tx *Batch) error { return m.changes(tx, group, rng) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	half := len(s.Groups) / 2
	change(s.Groups[:half])
	for lt := uint64(0); rng.IntN(2) == 0 && lt < b.Version(); {
		o := ClearOptions{GTE: lt, LT: lt + 1 + rng.Uint64N(50)}
		end, err := b.ClearUnlinked(t.Context(), o)
		if want := min(o.LT, b.Version()-1); err != nil || end != want {
			t.Fatalf("cleared to %d (%v), want %d", end, err, want)
		}
		lt = o.LT
	}
	if _, err := b.ClearUnlinked(t.Context(), ClearOptions{}); err != nil {
		t.Fatal(err)
	}
	v, err := b.view(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	linked, err := v.linked(t.Context())
	v.end()
	if err != nil {
		t.Fatal(err)
	}
	held := uint64(0)
	ranges, err := c.Held(t.Context(), 0, c.Head().Length)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ranges {
		held += r.End - r.Start
	}
	if want := uint64(len(linked)) + 1; held != want && c.Head().Length > 0 { // and the header
		t.Errorf("%d blocks are held, want %d of %d", held, want, c.Head().Length)
	}
	b = openBee(t, c, Options{SkipSame: s.SkipSame, Cache: 1 << 10})
	if err := compareRange(m.now, Range{}, mustAll(t, b, Range{})); err != nil {
		t.Fatal(err)
	}
	change(s.Groups[half:])
	if err := compareRange(m.now, Range{}, mustAll(t, b, Range{})); err != nil {
		t.Fatal(err)
	}
}

func TestClearUnlinkedRefuses(t *testing.T) {
	b := memoryBee(t, Options{})
	if end, err := b.ClearUnlinked(t.Context(), ClearOptions{}); end != 0 || err != nil {
		t.Errorf("of an empty bee %d (%v)", end, err)
	}
	mustPut(t, b, "a", "1")
	old := b.Snapshot()
	mustPut(t, b, "a", "2")
	_, err := old.ClearUnlinked(t.Context(), ClearOptions{})
	wantErr(t, "clearing by a version", err, ErrReadOnly)
	if _, err := b.ClearUnlinked(t.Context(), ClearOptions{}); err != nil {
		t.Fatal(err)
	}
	fresh := openBee(t, b.Core(), Options{})
	wantGet(t, fresh, "a", []byte("2"))
	if _, err := fresh.At(old.Version()).Get(t.Context(), []byte("a")); !errors.Is(err, core.ErrNotAvailable) {
		t.Errorf("what was cleared: %v", err)
	}
}
