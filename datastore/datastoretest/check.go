package datastoretest

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// group is the group that most tests use; neighbours lie in the groups on both sides of it.
func group() datastore.Key { return datastore.Group('m').Uint(5).Item() }

func key(n uint64) datastore.Key { return group().Uint(n) }

// neighbours are keys of other groups that a scan of group must not touch.
func neighbours() []datastore.Key {
	return []datastore.Key{
		datastore.Group('m').Item().Uint(5),
		datastore.Group('m').Uint(4).Item().Uint(1 << 40),
		datastore.Group('m').Uint(5).Uint(0).Item().Uint(0),
		datastore.Group('m').Uint(6).Item().Uint(0),
		datastore.Group('l').Uint(5).Item().Uint(5),
		datastore.Group('n').Uint(5).Item().Uint(5),
	}
}

func wantGet(t *testing.T, tx *datastore.Tx, k datastore.Key, want string) {
	t.Helper()
	got, err := tx.Get(k)
	if err != nil || string(got) != want {
		t.Fatalf("get %s: %.60q, %v; want %.60q", k, got, err, want)
	}
	if has, err := tx.Has(k); err != nil || !has {
		t.Fatalf("has %s: %v, %v", k, has, err)
	}
}

func wantBlock(t *testing.T, tx *datastore.Tx, k datastore.Key, want []byte) {
	t.Helper()
	if got, err := tx.Block(k); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("block %s: %.60q, %v; want %.60q", k, got, err, want)
	}
}

func wantNone(t *testing.T, tx *datastore.Tx, k datastore.Key) {
	t.Helper()
	if v, err := tx.Get(k); !errors.Is(err, datastore.ErrNotFound) {
		t.Fatalf("get %s: %.60q, %v; want ErrNotFound", k, v, err)
	}
	if has, err := tx.Has(k); err != nil || has {
		t.Fatalf("has %s: %v, %v", k, has, err)
	}
}

func wantNoBlock(t *testing.T, tx *datastore.Tx, k datastore.Key) {
	t.Helper()
	if v, err := tx.Block(k); !errors.Is(err, datastore.ErrNotFound) {
		t.Fatalf("block %s: %.60q, %v; want ErrNotFound", k, v, err)
	}
}

// pairs is what a scan yields, copied.
type pairs []pair

type pair struct{ key, value string }

func collect(t *testing.T, seq iter.Seq2[datastore.Record, error]) (all pairs) {
	t.Helper()
	for r, err := range seq {
		if err != nil {
			t.Fatalf("scan: %v", err)
		}
		all = append(all, pair{string(r.Key), string(r.Value)})
	}
	return all
}

func wantPairs(t *testing.T, what string, got, want pairs) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %d pairs %.300q, want %d pairs %.300q", what, len(got), got, len(want), want)
	}
}

// wantScan checks a scan in both directions.
func wantScan(t *testing.T, tx *datastore.Tx, lo, hi datastore.Key, want pairs) {
	t.Helper()
	wantPairs(t, "scan", collect(t, tx.Scan(lo, hi, false)), want)
	back := slices.Clone(want)
	slices.Reverse(back)
	wantPairs(t, "scan in reverse", collect(t, tx.Scan(lo, hi, true)), back)
}
