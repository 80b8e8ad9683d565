package bee

import (
	"testing"
)

// TestBySeq reads blocks by their number: puts, a delete, a put without a value, and what is no change.
func TestBySeq(t *testing.T) {
	b := memoryBee(t, Options{})
	mustPut(t, b, "a", "1")
	if err := b.Delete(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), []byte("b"), nil); err != nil {
		t.Fatal(err)
	}
	mustPut(t, b, "", "")
	for seq, want := range map[uint64]Entry{
		1: {Key: []byte("a"), Value: []byte("1")}, 2: {Key: []byte("a")}, 3: {Key: []byte("b")}, 4: {Value: []byte{}},
	} {
		e, err := b.BySeq(t.Context(), seq)
		if err != nil || e.Seq != seq || string(e.Key) != string(want.Key) || !sameValue(e.Value, want.Value) {
			t.Errorf("block %d is %+v (%v), want %+v", seq, e, err, want)
		}
	}
	for _, seq := range []uint64{0, 5, 1 << 60} {
		_, err := b.BySeq(t.Context(), seq)
		wantErr(t, "a block that is no change", err, ErrNotFound)
	}
	_, err := b.At(3).BySeq(t.Context(), 3)
	wantErr(t, "a block behind the version", err, ErrNotFound)
	if e, err := b.At(3).BySeq(t.Context(), 1); err != nil || string(e.Value) != "1" {
		t.Errorf("a block of a version is %+v (%v)", e, err)
	}
}
