package core

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

func TestAppendTogether(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	a := openCore(t, db, Options{Pair: pairOf(1)})
	b := openCore(t, db, Options{Pair: pairOf(2)})
	mustAppend(t, a, []byte("first"))
	together := func(atA, atB uint64) error {
		return AppendTogether(t.Context(),
			Appending{Core: b, Blocks: [][]byte{[]byte("b")}, At: atB},
			Appending{Core: a, Blocks: [][]byte{[]byte("a"), []byte("aa")}, At: atA})
	}
	if err := together(1, 0); err != nil {
		t.Fatal(err)
	}
	mustGet(t, a, 2, []byte("aa"))
	mustGet(t, b, 0, []byte("b"))
	if err := together(3, 0); !errors.Is(err, ErrMoved) {
		t.Errorf("an append at the wrong place: %v", err)
	}
	if a.Head().Length != 3 || b.Head().Length != 1 {
		t.Errorf("a refused append changed the lengths to %d and %d", a.Head().Length, b.Head().Length)
	}
	if err := together(3, 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Core{a, b} {
		if r, err := c.Verify(t.Context()); err != nil || !r.OK() {
			t.Errorf("verify: %+v, %v", r, err)
		}
	}
}

func TestAppendTogetherRefuses(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	a := openCore(t, db, Options{Pair: pairOf(1)})
	block := [][]byte{[]byte("x")}
	elsewhere := newWriter(t, 3)
	reader := newReader(t, elsewhere, nil)
	for name, list := range map[string][]Appending{
		"one log twice":   {{Core: a, Blocks: block}, {Core: a, Blocks: block}},
		"two stores":      {{Core: a, Blocks: block}, {Core: elsewhere, Blocks: block}},
		"a reader":        {{Core: reader, Blocks: block}},
		"a block too big": {{Core: a, Blocks: [][]byte{make([]byte, MaxBlock+1)}}},
	} {
		if err := AppendTogether(t.Context(), list...); err == nil {
			t.Errorf("%s was appended to", name)
		}
	}
	if err := AppendTogether(t.Context(), Appending{Core: a}); err != nil {
		t.Errorf("nothing to append: %v", err)
	}
}

// TestAppendTogetherAmongOthers has single appends between those that go together.
func TestAppendTogetherAmongOthers(t *testing.T) {
	db := memoryDB(t, datastore.Options{})
	logs := []*Core{openCore(t, db, Options{Pair: pairOf(1)}), openCore(t, db, Options{Pair: pairOf(2)})}
	const each = 200
	var wg sync.WaitGroup
	for _, c := range logs {
		wg.Go(func() {
			for i := range each {
				if _, err := c.Append(t.Context(), fmt.Append(nil, "alone ", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		wg.Go(func() {
			for done := 0; done < each; {
				x, y := logs[order[0]], logs[order[1]]
				block := [][]byte{fmt.Append(nil, "together ", order, done)}
				err := AppendTogether(t.Context(), Appending{Core: x, Blocks: block, At: x.Head().Length},
					Appending{Core: y, Blocks: block, At: y.Head().Length})
				if err == nil {
					done++
				} else if !errors.Is(err, ErrMoved) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, c := range logs {
		if n := c.Head().Length; n != 3*each {
			t.Errorf("%d blocks, want %d", n, 3*each)
		}
	}
}
