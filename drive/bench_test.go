package drive_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/drive"
)

// benchDrive returns a drive on disk, with the durability "process".
func benchDrive(b *testing.B) *drive.Drive {
	b.Helper()
	o := pebble.Options{}
	o.Durability = datastore.Process
	db, err := pebble.Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return newDrive(b, openStore(b, db, corestore.Options{}), "bench")
}

// incompressible returns bytes that no layer can shorten.
func incompressible(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

const manyFiles, smallFile = 5000, 8 << 10

// smallPath is the path of a small file, in folders of 100.
func smallPath(i int) string { return fmt.Sprintf("/dir-%03d/file-%05d.bin", i/100, i) }

// BenchmarkImportSmallOneByOne puts 5,000 files of 8 KiB, each in a commit of its own.
func BenchmarkImportSmallOneByOne(b *testing.B) {
	data := incompressible(smallFile)
	b.SetBytes(manyFiles * smallFile)
	for b.Loop() {
		d := benchDrive(b)
		for i := range manyFiles {
			if err := d.WriteFile(context.Background(), smallPath(i), data, drive.Meta{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkImportSmallInGroups puts the same in groups of 500.
func BenchmarkImportSmallInGroups(b *testing.B) {
	data := incompressible(smallFile)
	b.SetBytes(manyFiles * smallFile)
	for b.Loop() {
		d := benchDrive(b)
		for start := 0; start < manyFiles; start += 500 {
			err := d.Update(context.Background(), func(tx *drive.Batch) error {
				for i := start; i < start+500; i++ {
					if err := tx.WriteFile(smallPath(i), data, drive.Meta{}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

const largeFile = 1 << 30

// BenchmarkImportLarge streams one file of 1 GiB.
func BenchmarkImportLarge(b *testing.B) {
	chunk := incompressible(4 << 20)
	b.SetBytes(largeFile)
	for b.Loop() {
		d := benchDrive(b)
		w, err := d.Create(context.Background(), "/large", drive.Meta{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.ReadFrom(&repeat{chunk: chunk, left: largeFile}); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// repeat reads a chunk again and again.
type repeat struct {
	chunk []byte
	at    int
	left  int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.left)], r.chunk[r.at:])
	r.at, r.left = (r.at+n)%len(r.chunk), r.left-n
	return n, nil
}

// BenchmarkExportLarge reads a file of 256 MiB.
func BenchmarkExportLarge(b *testing.B) {
	d := benchDrive(b)
	const size = 256 << 20
	w, err := d.Create(context.Background(), "/large", drive.Meta{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.ReadFrom(&repeat{chunk: incompressible(4 << 20), left: size}); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	for b.Loop() {
		f, err := d.Open(context.Background(), "/large")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := f.WriteTo(io.Discard); n != size || err != nil {
			b.Fatal(n, err)
		}
		f.Close()
	}
}

// BenchmarkList lists 100,000 entries.
func BenchmarkList(b *testing.B) {
	d := benchDrive(b)
	const n = 100_000
	for start := 0; start < n; start += 10_000 {
		err := d.Update(context.Background(), func(tx *drive.Batch) error {
			for i := start; i < start+10_000; i++ {
				if err := tx.WriteFile(smallPath(i), []byte("x"), drive.Meta{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		count := 0
		for _, err := range d.List(context.Background(), "/", drive.ListOptions{}) {
			if err != nil {
				b.Fatal(err)
			}
			count++
		}
		if count != n {
			b.Fatalf("%d entries", count)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkReadSmall reads files of 8 KiB.
func BenchmarkReadSmall(b *testing.B) {
	d := benchDrive(b)
	data := incompressible(smallFile)
	err := d.Update(context.Background(), func(tx *drive.Batch) error {
		for i := range 1000 {
			if err := tx.WriteFile(smallPath(i), data, drive.Meta{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(smallFile)
	for i := 0; b.Loop(); i++ {
		got, err := d.ReadFile(context.Background(), smallPath(i%1000))
		if err != nil || !bytes.Equal(got, data) {
			b.Fatal(err)
		}
	}
}
