package bee

import (
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// Nothing is written under another encryption key than the bee's, also when it has nothing but its header.
func TestWrongEncryptionKey(t *testing.T) {
	db := memoryDB(t)
	with := func(key byte, use func(*Bee)) (head core.Head) {
		c, err := core.Open(t.Context(), db, core.Options{
			Pair: keys.PairFromSeed(keys.Seed{1}), Derived: true, Encryption: core.Encryption{Key: [32]byte{key}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		use(openBee(t, c, Options{NoHints: true}))
		return c.Head()
	}
	for n, change := range []func(right *Bee){
		func(right *Bee) {
			if err := right.Delete(t.Context(), []byte("none")); err != nil {
				t.Fatal(err)
			}
		},
		func(right *Bee) { mustPut(t, right, "a", "a") },
	} {
		head := with(1, change)
		if head.Length != uint64(1+n) {
			t.Fatalf("head %+v", head)
		}
		now := with(2, func(wrong *Bee) {
			err := wrong.Put(t.Context(), []byte("x"), []byte("x"))
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, core.ErrEncrypted) {
				t.Errorf("%d entries: %v", n, err)
			}
		})
		if now != head {
			t.Errorf("%+v became %+v", head, now)
		}
	}
	with(1, func(right *Bee) {
		mustPut(t, right, "b", "b")
		wantGet(t, right, "b", []byte("b"))
	})
}
