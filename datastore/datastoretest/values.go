package datastoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

func (s *suite) records(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	view(t, db, func(tx *datastore.Tx) { wantNone(t, tx, key(1)) })
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(key(1), []byte("one"))
		tx.Set(key(2), nil)
		tx.Set(key(3), []byte{})
		tx.Delete(key(4))
	})
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "one")
		wantGet(t, tx, key(2), "")
		wantGet(t, tx, key(3), "")
		wantNone(t, tx, key(4))
	})
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(key(1), []byte("uno"))
		tx.Delete(key(2))
	})
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "uno")
		wantNone(t, tx, key(2))
	})
}

func (s *suite) blocks(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	var want pairs
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(20) {
			data := bytes.Repeat([]byte{byte(i)}, int(i*i*40)) // from nothing to 14 KiB
			tx.SetBlock(key(i), data)
			want = append(want, pair{string(key(i)), string(data)})
		}
	})
	view(t, db, func(tx *datastore.Tx) {
		for i := range want {
			wantBlock(t, tx, key(uint64(i)), []byte(want[i].value))
		}
		wantNoBlock(t, tx, key(20))
		wantPairs(t, "blocks", collect(t, tx.Blocks(group(), group().End())), want)
		wantPairs(t, "some blocks", collect(t, tx.Blocks(key(3), key(9))), want[3:9])
		wantPairs(t, "no blocks", collect(t, tx.Blocks(key(9), key(9))), nil)
		wantPairs(t, "blocks from end to begin", collect(t, tx.Blocks(key(9), key(3))), nil)
	})
	update(t, db, func(tx *datastore.Tx) {
		tx.DeleteBlocks(key(5), key(15))
		tx.SetBlock(key(7), []byte("new"))
	})
	view(t, db, func(tx *datastore.Tx) {
		wantNoBlock(t, tx, key(5))
		wantBlock(t, tx, key(7), []byte("new"))
		wantBlock(t, tx, key(15), []byte(want[15].value))
		wantPairs(t, "blocks left", collect(t, tx.Blocks(key(5), key(15))), pairs{{string(key(7)), "new"}})
	})
}

// spacesApart: a record and a block may have one key.
func (s *suite) spacesApart(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(key(1), []byte("record"))
		tx.SetBlock(key(1), []byte("block"))
		tx.SetBlock(key(2), []byte("block"))
		wantNone(t, tx, key(2))
	})
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "record")
		wantBlock(t, tx, key(1), []byte("block"))
		wantNone(t, tx, key(2))
		wantScan(t, tx, group(), group().End(), pairs{{string(key(1)), "record"}})
	})
	update(t, db, func(tx *datastore.Tx) { tx.DeleteBlocks(group(), group().End()) })
	view(t, db, func(tx *datastore.Tx) {
		wantGet(t, tx, key(1), "record")
		wantNoBlock(t, tx, key(1))
	})
	update(t, db, func(tx *datastore.Tx) {
		tx.SetBlock(key(1), []byte("block"))
		tx.DeleteRange(group(), group().End())
	})
	view(t, db, func(tx *datastore.Tx) {
		wantNone(t, tx, key(1))
		wantBlock(t, tx, key(1), []byte("block"))
	})
}

// allBytes: keys and values of all bytes, and keys that sort as what they encode.
func (s *suite) allBytes(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	g := datastore.Group('b').Item()
	var want pairs
	update(t, db, func(tx *datastore.Tx) {
		for c := range 256 {
			k, v := g.Bytes([]byte{byte(c), byte(255 - c)}), bytes.Repeat([]byte{byte(c)}, 3)
			tx.Set(k, v)
			tx.SetBlock(k, v)
			want = append(want, pair{string(k), string(v)})
		}
	})
	view(t, db, func(tx *datastore.Tx) {
		wantScan(t, tx, g, g.End(), want)
		wantPairs(t, "blocks", collect(t, tx.Blocks(g, g.End())), want)
		for _, p := range want {
			wantGet(t, tx, datastore.Key(p.key), p.value)
			wantBlock(t, tx, datastore.Key(p.key), []byte(p.value))
		}
	})
}

func (s *suite) largeValues(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	for i, size := range []int{1 << 10, 64 << 10, 1<<20 + 1, 5 << 20} {
		data := bytes.Repeat([]byte(fmt.Sprintf("%08d", i)), size/8+1)[:size]
		update(t, db, func(tx *datastore.Tx) {
			tx.Set(key(uint64(i)), data)
			tx.SetBlock(key(uint64(i)), data)
		})
		view(t, db, func(tx *datastore.Tx) {
			wantGet(t, tx, key(uint64(i)), string(data))
			wantBlock(t, tx, key(uint64(i)), data)
		})
	}
}

// manyRecords: one update may be large.
func (s *suite) manyRecords(t *testing.T) {
	const n = 6_000
	db := s.fresh(t, datastore.Options{})
	update(t, db, func(tx *datastore.Tx) {
		for i := range uint64(n) {
			tx.Set(key(i), []byte{byte(i), byte(i >> 8)})
		}
	})
	view(t, db, func(tx *datastore.Tx) {
		i := uint64(0)
		for r, err := range tx.Scan(group(), group().End(), false) {
			if err != nil || !bytes.Equal(r.Key, key(i)) || !bytes.Equal(r.Value, []byte{byte(i), byte(i >> 8)}) {
				t.Fatalf("record %d: %q, %q, %v", i, r.Key, r.Value, err)
			}
			i++
		}
		if i != n {
			t.Fatalf("%d records of %d", i, n)
		}
	})
	update(t, db, func(tx *datastore.Tx) { tx.DeleteRange(group(), group().End()) })
	view(t, db, func(tx *datastore.Tx) { wantScan(t, tx, group(), group().End(), nil) })
}

// callersBuffers: the caller may change what it gave and what it got.
func (s *suite) callersBuffers(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	k, v, block := key(1), []byte("value"), []byte("block")
	update(t, db, func(tx *datastore.Tx) {
		tx.Set(k, v)
		copy(v, "VALUE")
		copy(k[len(k)-1:], "z")
		tx.SetBlock(key(1), block)
		got, err := tx.Get(key(1))
		if err != nil || string(got) != "value" {
			t.Fatalf("get in the update: %q, %v", got, err)
		}
		clear(got)
	})
	clear(block)
	for range 2 {
		view(t, db, func(tx *datastore.Tx) {
			wantGet(t, tx, key(1), "value")
			wantBlock(t, tx, key(1), []byte("block"))
			got, _ := tx.Get(key(1))
			clear(got)
			got, _ = tx.Block(key(1))
			clear(got)
		})
	}
}

func (s *suite) malformedKeys(t *testing.T) {
	db := s.fresh(t, datastore.Options{})
	for _, k := range []string{"", "/", "a", "/a", "/a/", "//a", "/a/b/c", "/a/.", "/a/b\x00", "a/b/", "/a./b", "/-/f", "/_m/a", "/a/b/"} {
		bad := datastore.Key(k)
		for name, write := range map[string]func(tx *datastore.Tx){
			"set":       func(tx *datastore.Tx) { tx.Set(bad, nil) },
			"delete":    func(tx *datastore.Tx) { tx.Delete(bad) },
			"set block": func(tx *datastore.Tx) { tx.SetBlock(bad, nil) },
		} {
			err := db.Update(context.Background(), func(tx *datastore.Tx) error {
				tx.Set(key(1), nil)
				write(tx)
				return nil
			})
			if !errors.Is(err, datastore.ErrKey) {
				t.Fatalf("%s of %q: %v", name, k, err)
			}
		}
		view(t, db, func(tx *datastore.Tx) {
			if _, err := tx.Get(bad); !errors.Is(err, datastore.ErrKey) {
				t.Fatalf("get of %q: %v", k, err)
			}
			if _, err := tx.Block(bad); !errors.Is(err, datastore.ErrKey) {
				t.Fatalf("block of %q: %v", k, err)
			}
			wantNone(t, tx, key(1))
		})
	}
	for _, r := range [][2]string{{"/a/", "/b/"}, {"", ""}, {"/a", "/a0"}, {"/a/b", "/"}, {"/a/b", ""}, {"/-/", "/-0"}, {"/_m5/", "/_m50"}} {
		lo, hi := datastore.Key(r[0]), datastore.Key(r[1])
		view(t, db, func(tx *datastore.Tx) {
			for _, err := range tx.Scan(lo, hi, false) {
				if !errors.Is(err, datastore.ErrKey) {
					t.Fatalf("scan from %q to %q: %v", lo, hi, err)
				}
			}
		})
		err := db.Update(context.Background(), func(tx *datastore.Tx) error { tx.DeleteRange(lo, hi); return nil })
		if !errors.Is(err, datastore.ErrKey) {
			t.Fatalf("delete from %q to %q: %v", lo, hi, err)
		}
	}
}
