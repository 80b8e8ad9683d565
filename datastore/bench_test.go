package datastore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

func write(b *testing.B, db *datastore.DB, k datastore.Key, v []byte) {
	err := db.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.Set(k, v)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func benchKeys(n int) []datastore.Key {
	g, keys := datastore.Group('b').Item(), make([]datastore.Key, n)
	for i := range keys {
		keys[i] = g.Uint(uint64(i))
	}
	return keys
}

// BenchmarkUpdate is what an update costs beside the engine: one caller, one small record.
func BenchmarkUpdate(b *testing.B) {
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		b.Run(d.String(), func(b *testing.B) {
			db := datastore.NewMemory(datastore.Options{Durability: d})
			defer db.Close()
			keys, v := benchKeys(256), make([]byte, 64)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				write(b, db, keys[i%256], v)
			}
		})
	}
}

// BenchmarkUpdateRead also reads within the update.
func BenchmarkUpdateRead(b *testing.B) {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	keys, v := benchKeys(256), make([]byte, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		err := db.Update(context.Background(), func(tx *datastore.Tx) error {
			if _, err := tx.Has(keys[i*7%256]); err != nil {
				return err
			}
			tx.Set(keys[i%256], v)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdate64(b *testing.B) {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	keys, v := benchKeys(4096), make([]byte, 64)
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			write(b, db, keys[n.Add(1)%4096], v)
		}
	})
}

func BenchmarkView(b *testing.B) {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	keys := benchKeys(4096)
	for i, k := range keys {
		write(b, db, k, fmt.Append(nil, i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		err := db.View(context.Background(), func(tx *datastore.Tx) error {
			_, err := tx.Get(keys[i%4096])
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	db := datastore.NewMemory(datastore.Options{})
	defer db.Close()
	for _, k := range benchKeys(4096) {
		write(b, db, k, make([]byte, 64))
	}
	g := datastore.Group('b').Item()
	b.ReportAllocs()
	for b.Loop() {
		err := db.View(context.Background(), func(tx *datastore.Tx) error {
			for _, err := range tx.Scan(g, g.End(), false) {
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/record")
}
