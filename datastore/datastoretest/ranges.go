package datastoretest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// interesting are numbers around the places where the length of their encoding changes.
func interesting() (all []uint64) {
	for shift := 0; shift < 64; shift += 6 {
		n := uint64(1) << shift
		for _, m := range []uint64{n - 1, n, n + 1} {
			if len(all) == 0 || m > all[len(all)-1] {
				all = append(all, m)
			}
		}
	}
	return append(all, 1<<64-1)
}

func (s *suite) scanBothWays(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	var want pairs
	numbers := interesting()
	update(t, db, func(tx *datastore.Tx) {
		for _, i := range rand.Perm(len(numbers)) {
			tx.Set(key(numbers[i]), fmt.Append(nil, numbers[i]))
		}
		for _, k := range neighbours() {
			tx.Set(k, []byte("neighbour"))
		}
	})
	for _, n := range numbers {
		want = append(want, pair{string(key(n)), fmt.Sprint(n)})
	}
	view(t, db, func(tx *datastore.Tx) {
		wantScan(t, tx, group(), group().End(), want)
		for i := range numbers {
			for j := i % 4; j < len(numbers); j += 4 {
				if i <= j {
					wantScan(t, tx, key(numbers[i]), key(numbers[j]), want[i:j])
				} else {
					wantScan(t, tx, key(numbers[i]), key(numbers[j]), nil)
				}
			}
			wantScan(t, tx, key(numbers[i]), group().End(), want[i:])
		}
	})
}

// scanStopsAndNests: a scan may be left early, and others may run within it.
func (s *suite) scanStopsAndNests(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(10) {
			tx.Set(key(i), []byte{byte(i)})
			tx.SetBlock(key(i), []byte{byte(i)})
		}
	})
	inner := func(tx *datastore.Tx) {
		outer := 0
		for r, err := range tx.Scan(group(), group().End(), false) {
			if err != nil {
				t.Fatal(err)
			}
			k, n := string(r.Key), 0
			for range tx.Scan(group(), group().End(), true) {
				if n++; n == 3 {
					break
				}
			}
			for range tx.Blocks(group(), group().End()) {
				if n++; n == 6 {
					break
				}
			}
			wantGet(t, tx, datastore.Key(k), string([]byte{byte(outer)}))
			if string(r.Key) != k || n != 6 {
				t.Fatalf("record %d: key changed from %q to %q, %d steps", outer, k, r.Key, n)
			}
			if outer++; outer == 7 {
				break
			}
		}
	}
	view(t, db, inner)
	update(t, db, inner)
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(key(3), []byte{3})
		inner(tx)
	})
}

func (s *suite) ranges(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	var want pairs
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(200) {
			tx.Set(key(i), []byte{byte(i)})
			if i < 50 || i >= 150 {
				want = append(want, pair{string(key(i)), string([]byte{byte(i)})})
			}
		}
		for _, k := range neighbours() {
			tx.Set(k, []byte("neighbour"))
			tx.SetBlock(k, []byte("neighbour"))
		}
	})
	update(t, db, func(tx *datastore.Tx) {
		tx.DeleteRange(key(50), key(150))
		tx.DeleteRange(key(10), key(10))
		tx.DeleteRange(key(20), key(10))
	})
	view(t, db, func(tx *datastore.Tx) { wantScan(t, tx, group(), group().End(), want) })
	update(t, db, func(tx *datastore.Tx) {
		tx.DeleteRange(group(), group().End())
		tx.DeleteBlocks(group(), group().End())
	})
	view(t, db, func(tx *datastore.Tx) {
		wantScan(t, tx, group(), group().End(), nil)
		for _, k := range neighbours() {
			wantGet(t, tx, k, "neighbour")
			wantBlock(t, tx, k, []byte("neighbour"))
		}
	})
}

func (s *suite) readYourWrites(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(6) {
			tx.Set(key(2*i), []byte("old"))
			tx.SetBlock(key(2*i), []byte("old"))
		}
	})
	for _, extra := range []int{0, 100} { // few writes and many are looked up in different ways
		update(t, db, func(tx *datastore.Tx) {
			for i := range extra {
				tx.Set(datastore.Group('x').Item().Uint(uint64(i)), nil)
			}
			tx.Set(key(1), []byte("first"))
			tx.Set(key(1), []byte("new"))
			tx.Set(key(4), []byte("new"))
			tx.Delete(key(6))
			tx.Delete(key(99))
			tx.SetBlock(key(4), []byte("new"))
			tx.SetBlock(key(5), nil)
			wantGet(t, tx, key(1), "new")
			wantGet(t, tx, key(2), "old")
			wantGet(t, tx, key(4), "new")
			wantNone(t, tx, key(6))
			wantNone(t, tx, key(99))
			wantBlock(t, tx, key(4), []byte("new"))
			wantBlock(t, tx, key(5), nil)
			wantBlock(t, tx, key(6), []byte("old"))
			wantNoBlock(t, tx, key(1))
			wantScan(t, tx, key(1), key(9), pairs{{string(key(1)), "new"}, {string(key(2)), "old"}, {string(key(4)), "new"}, {string(key(8)), "old"}})
			wantPairs(t, "blocks", collect(t, tx.Blocks(key(4), key(7))), pairs{{string(key(4)), "new"}, {string(key(5)), ""}, {string(key(6)), "old"}})
			tx.Set(key(6), []byte("again"))
			wantGet(t, tx, key(6), "again")
			tx.Delete(key(1))
			wantNone(t, tx, key(1))
		})
		view(t, db, func(tx *datastore.Tx) {
			wantScan(t, tx, key(1), key(9), pairs{{string(key(2)), "old"}, {string(key(4)), "new"}, {string(key(6)), "again"}, {string(key(8)), "old"}})
		})
		update(t, db, func(tx *datastore.Tx) { tx.Set(key(4), []byte("old")); tx.Set(key(6), []byte("old")) })
	}
}

func (s *suite) readYourRanges(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(10) {
			tx.Set(key(i), []byte("old"))
			tx.SetBlock(key(i), []byte("old"))
		}
	})
	check := func(tx *datastore.Tx) {
		wantNone(t, tx, key(2))
		wantGet(t, tx, key(3), "new")
		wantNone(t, tx, key(4))
		wantGet(t, tx, key(6), "old")
		wantScan(t, tx, key(1), key(7), pairs{{string(key(1)), "old"}, {string(key(3)), "new"}, {string(key(6)), "old"}})
		wantNoBlock(t, tx, key(2))
		wantBlock(t, tx, key(3), []byte("new"))
		wantPairs(t, "blocks", collect(t, tx.Blocks(key(1), key(7))), pairs{{string(key(1)), "old"}, {string(key(3)), "new"}, {string(key(6)), "old"}})
	}
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(key(4), []byte("gone"))
		tx.SetBlock(key(4), []byte("gone"))
		tx.DeleteRange(key(2), key(6))
		tx.DeleteBlocks(key(2), key(6))
		tx.Set(key(3), []byte("new"))
		tx.SetBlock(key(3), []byte("new"))
		check(tx)
	})
	view(t, db, check)
}
