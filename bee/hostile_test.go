package bee

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
)

// rawLevel is a node for a block that no bee writes.
type rawLevel struct{ keys, kids []uint64 }

// rawBlock encodes a block.
func rawBlock(key string, levels ...rawLevel) []byte {
	index := []byte{}
	for _, l := range levels {
		index = appendBytes(index, 1, appendPacked(appendPacked(nil, 1, l.keys), 2, l.kids))
	}
	b := appendBytes(appendBytes(nil, 1, index), 2, []byte(key))
	return appendBytes(b, 3, []byte("v"))
}

// hostile makes a bee of blocks behind a header.
func hostile(t testing.TB, blocks ...[]byte) *Bee {
	t.Helper()
	c := memoryCore(t)
	h := Header{Protocol: protocol}
	if _, err := c.Append(t.Context(), append([][]byte{h.encode()}, blocks...)...); err != nil {
		t.Fatal(err)
	}
	return openBee(t, c, Options{})
}

// useAll does everything to a bee that may be hostile, short of changing it, and returns what went wrong. It is to end soon,
// whatever the blocks say.
func useAll(ctx context.Context, b *Bee) (errs []error) {
	note := func(err error) {
		if err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, err)
		}
	}
	for _, key := range []string{"", "a", "k", "m", "zz"} {
		_, err := b.Get(ctx, []byte(key))
		note(err)
		r := Range{GTE: []byte(key)}
		for _, err := range b.Range(ctx, r) {
			note(err)
		}
		r.Reverse = true
		for _, err := range b.Range(ctx, r) {
			note(err)
		}
	}
	for v := range b.Version() + 1 {
		for _, err := range b.Diff(ctx, b.At(v), Range{}) {
			note(err)
		}
	}
	for _, err := range b.History(ctx, HistoryOptions{Reverse: true}) {
		note(err)
	}
	if v, err := b.view(ctx); err == nil {
		_, err = v.linked(ctx)
		v.end()
		note(err)
	}
	stop := errors.New("stop")
	for _, key := range []string{"a", "k", "zz"} {
		for _, remove := range []bool{false, true} {
			err := b.Update(ctx, func(tx *Batch) error {
				if remove {
					note(tx.Delete([]byte(key)))
				} else {
					note(tx.Put([]byte(key), nil))
				}
				for _, err := range tx.Range(Range{Limit: 100}) {
					note(err)
				}
				tx.t.flush()
				return stop
			})
			if !errors.Is(err, stop) {
				note(err)
			}
		}
	}
	return errs
}

func TestHostile(t *testing.T) {
	leaf := func(keys ...uint64) rawLevel { return rawLevel{keys: keys} }
	nine := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}
	tests := map[string][][]byte{
		"no block":          {[]byte("xyz")},
		"no index":          {appendBytes(nil, 2, []byte("k"))},
		"no root":           {rawBlock("k")},
		"a key in front":    {rawBlock("k", leaf(7))},
		"the header's key":  {rawBlock("k", leaf(0))},
		"a huge key number": {rawBlock("k", leaf(maxSafe))},
		"a child in front":  {rawBlock("k", rawLevel{[]uint64{1}, []uint64{1, 1, 9, 0}}, leaf(1))},
		"no such child":     {rawBlock("k", rawLevel{[]uint64{1}, []uint64{1, 5, 1, 6}})},
		"its own child":     {rawBlock("k", rawLevel{[]uint64{1}, []uint64{1, 0, 1, 0}})},
		"a circle of two":   {rawBlock("k", rawLevel{nil, []uint64{1, 1}}, rawLevel{nil, []uint64{1, 0}})},
		"a wide circle": {rawBlock("k", rawLevel{[]uint64{1}, []uint64{1, 1, 1, 1}},
			rawLevel{[]uint64{1}, []uint64{1, 2, 1, 2}}, rawLevel{[]uint64{1}, []uint64{1, 1, 1, 1}})},
		"children for no key": {rawBlock("k", rawLevel{nil, []uint64{1, 1, 1, 2}}, leaf(1), leaf(1))},
		"half a child":        {rawBlock("k", rawLevel{[]uint64{1}, []uint64{1, 1, 1}}, leaf(1))},
		"too many keys": {rawBlock("1", leaf(1)), rawBlock("2", leaf(1)), rawBlock("3", leaf(1)), rawBlock("4", leaf(1)), rawBlock("5", leaf(1)),
			rawBlock("6", leaf(1)), rawBlock("7", leaf(1)), rawBlock("8", leaf(1)), rawBlock("9", rawLevel{keys: nine})},
		"one key twice":    {rawBlock("a", leaf(1)), rawBlock("k", leaf(1, 1))},
		"descending keys":  {rawBlock("b", leaf(1)), rawBlock("a", leaf(1, 2))},
		"uneven":           {rawBlock("m", leaf(1)), rawBlock("k", rawLevel{[]uint64{1}, []uint64{2, 1, 2, 2}}, leaf(2), rawLevel{nil, []uint64{2, 3}}, leaf(1))},
		"a header as root": {(&Header{Protocol: protocol}).encode()},
	}
	for name, blocks := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			b := hostile(t, blocks...)
			errs := useAll(t.Context(), b)
			if _, err := b.ClearUnlinked(t.Context(), ClearOptions{}); err != nil {
				errs = append(errs, err)
			}
			if len(errs) == 0 {
				t.Error("nothing was found wrong")
			}
			for _, err := range errs {
				if !errors.Is(err, ErrCorrupt) {
					t.Errorf("%v is no ErrCorrupt", err)
				}
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// TestHostileDeep has a tree whose levels are all there, each node with the one below as every child: 9 to the power of 30 ways.
func TestHostileDeep(t *testing.T) {
	var levels []rawLevel
	for off := range uint64(30) {
		l := rawLevel{}
		for i := range uint64(9) {
			if i < 8 {
				l.keys = append(l.keys, i+1)
			}
			l.kids = append(l.kids, 9, off+1)
		}
		levels = append(levels, l)
	}
	levels = append(levels, rawLevel{keys: []uint64{1}})
	var blocks [][]byte
	for _, key := range []string{"b", "d", "f", "h", "j", "l", "n", "p"} {
		blocks = append(blocks, rawBlock(key, rawLevel{keys: []uint64{1}}))
	}
	// Two such versions, so that a difference cannot skip what they share.
	blocks = append(blocks, rawBlock("q", levels...))
	second := make([]rawLevel, len(levels))
	for i, l := range levels {
		second[i] = rawLevel{keys: l.keys}
		for k, v := range l.kids {
			if k%2 == 0 {
				v = 10
			}
			second[i].kids = append(second[i].kids, v)
		}
	}
	blocks = append(blocks, rawBlock("r", second...))
	start := time.Now()
	if errs := useAll(t.Context(), hostile(t, blocks...)); len(errs) == 0 {
		t.Error("nothing was found wrong")
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestHostileWide has a block of a million levels without anything.
func TestHostileWide(t *testing.T) {
	index := make([]byte, 0, 2<<20)
	for len(index) < cap(index) {
		index = append(index, 0x0a, 0)
	}
	b := hostile(t, appendBytes(appendBytes(nil, 1, index), 2, []byte("k")))
	_, err := b.Get(t.Context(), []byte("k"))
	wantErr(t, "get", err, ErrCorrupt)
}

func TestMidBatch(t *testing.T) {
	b := memoryBee(t, Options{})
	err := b.Update(t.Context(), func(tx *Batch) error {
		return errors.Join(tx.Put([]byte("a"), nil), tx.Put([]byte("b"), nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.At(2).Get(t.Context(), []byte("a"))
	wantErr(t, "a version within a batch", err, ErrVersion)
	_, err = b.At(9).Get(t.Context(), []byte("a"))
	wantErr(t, "a version to come", err, ErrVersion)
	if err := b.Core().Truncate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	_, err = b.At(3).Get(t.Context(), []byte("a"))
	wantErr(t, "a version that was cut", err, ErrVersion)
}

func TestTruncated(t *testing.T) {
	b := memoryBee(t, Options{})
	for _, k := range []string{"a", "b", "c"} {
		mustPut(t, b, k, "old")
	}
	old := b.Snapshot()
	if err := b.Core().Truncate(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	mustPut(t, b, "b", "new")
	mustPut(t, b, "d", "new")
	wantGet(t, b, "a", []byte("old"))
	wantGet(t, b, "b", []byte("new"))
	wantGet(t, b, "c", nil)
	_, err := old.Get(t.Context(), []byte("c"))
	wantErr(t, "get of a snapshot that was cut", err, core.ErrTruncated)
	_, err = all(t.Context(), old, Range{})
	wantErr(t, "range of a snapshot that was cut", err, core.ErrTruncated)
}
