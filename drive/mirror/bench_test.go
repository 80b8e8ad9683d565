//go:build unix

package mirror

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
	"github.com/hypernode/hypernode/drive"
)

// BenchmarkTable is the table of speeds: what is measured beside the figures of others and the least that is wanted.
//
//	go test -run '^$' -bench Table ./drive/mirror
//
// JS is hyperdrive 13 with localdrive and mirror-drive, kubo is version 0.43; medians on a machine of this kind. "plain" rows write
// the trees without a drive: what the file system itself takes of an export. HYPERNODE_BENCH_MIB is the size of the large file, if
// it is not 1,024.
func BenchmarkTable(b *testing.B) {
	base := b.TempDir()
	rows := []struct {
		name             string
		js, kubo, wanted float64 // in the unit of the row
		fn               func(b *testing.B, base string)
	}{
		{"plain-5000x8KiB", 0, 0, 0, func(b *testing.B, base string) { benchPlain(b, base, small) }},
		{"import-5000x8KiB", 4.3, 30.5, 60, func(b *testing.B, base string) { benchImport(b, base, small, Options{}) }},
		{"export-5000x8KiB", 10, 0, 40, func(b *testing.B, base string) { benchExport(b, base, small) }},
		{"plain-1GiB", 0, 0, 0, func(b *testing.B, base string) { benchPlain(b, base, large) }},
		{"import-1GiB", 178, 293, 450, func(b *testing.B, base string) { benchImport(b, base, large, Options{}) }},
		{"export-1GiB", 309, 0, 500, func(b *testing.B, base string) { benchExport(b, base, large) }},
		{"list-100000-reopened", 12_200, 0, 250_000, func(b *testing.B, base string) { benchList(b, base, true) }},
		{"list-100000-again", 0, 0, 0, func(b *testing.B, base string) { benchList(b, base, false) }},
		{"unchanged-by-time", 0, 0, 0, func(b *testing.B, base string) { benchUnchanged(b, base, Options{Times: true}) }},
		{"unchanged-by-contents", 0, 0, 0, func(b *testing.B, base string) { benchUnchanged(b, base, Options{}) }},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			row.fn(b, groundIn(b, base))
			for unit, v := range map[string]float64{"JS": row.js, "kubo": row.kubo, "wanted": row.wanted} {
				if v > 0 {
					b.ReportMetric(v, unit)
				}
			}
			b.ReportMetric(0, "ns/op") // says nothing here
		})
	}
}

// The trees of the benchmarks: 5,000 files of 8 KiB, or one large file. No layer can shorten them.
const manyFiles, manySize = 5000, 8 << 10

func largeSize() int64 {
	if n, err := strconv.ParseInt(os.Getenv("HYPERNODE_BENCH_MIB"), 10, 32); err == nil && n > 0 {
		return n << 20
	}
	return 1 << 30
}

func small(b *testing.B, dir string) int64 {
	data := make([]byte, manySize)
	r := noise(1)
	for i := range manyFiles {
		r.Read(data)
		path := filepath.Join(dir, fmt.Sprintf("dir-%03d", i/100), fmt.Sprintf("file-%05d.bin", i))
		must(b, os.MkdirAll(filepath.Dir(path), 0o777))
		must(b, os.WriteFile(path, data, 0o666))
	}
	return manyFiles * manySize
}

func large(b *testing.B, dir string) int64 {
	fillLarge(b, dir, largeSize())
	return largeSize()
}

// fillLarge makes a folder with one file of so many bytes, whole MiB.
func fillLarge(tb testing.TB, dir string, size int64) {
	tb.Helper()
	must(tb, os.MkdirAll(dir, 0o777))
	f, err := os.Create(filepath.Join(dir, "large.bin"))
	must(tb, err)
	data := make([]byte, 1<<20)
	r := noise(2)
	for range size >> 20 {
		r.Read(data)
		_, err := f.Write(data)
		must(tb, err)
	}
	must(tb, f.Close())
}

// A stored is a drive on disk, with the durability "process".
type stored struct {
	*drive.Drive
	b    testing.TB
	home string
	db   *datastore.DB
	from *corestore.Store
}

func openStored(b testing.TB, home string) *stored {
	b.Helper()
	o := pebble.Options{}
	o.Durability = datastore.Process
	s := &stored{b: b, home: home}
	var err error
	s.db, err = pebble.Open(home, o)
	must(b, err)
	s.from, err = corestore.Open(context.Background(), s.db, corestore.Options{})
	must(b, err)
	s.Drive, err = drive.Create(context.Background(), s.from, drive.Name("bench"))
	must(b, err)
	return s
}

func (s *stored) close() {
	must(s.b, s.Drive.Close())
	must(s.b, s.from.Close())
	must(s.b, s.db.Close())
}

func (s *stored) reopen() *stored {
	s.close()
	return openStored(s.b, s.home)
}

func mustSync(b *testing.B, from, to Tree, o Options) {
	b.Helper()
	_, err := Sync(context.Background(), from, to, o)
	must(b, err)
}

func benchPlain(b *testing.B, base string, tree func(*testing.B, string) int64) {
	measure(b, func(i int) int64 { return tree(b, filepath.Join(base, strconv.Itoa(i))) }, nil)
}

func benchImport(b *testing.B, base string, tree func(*testing.B, string) int64, o Options) {
	dir := filepath.Join(base, "tree")
	n := tree(b, dir)
	var s *stored
	open := func(i int) { s = openStored(b, filepath.Join(base, "store", strconv.Itoa(i))) }
	measure(b, func(i int) int64 {
		mustSync(b, Dir(dir), Drive(s.Drive), o)
		return n
	}, &around{open, func(int) { s.close(); must(b, os.RemoveAll(s.home)) }})
}

func benchExport(b *testing.B, base string, tree func(*testing.B, string) int64) {
	dir := filepath.Join(base, "tree")
	n := tree(b, dir)
	s := openStored(b, filepath.Join(base, "store"))
	mustSync(b, Dir(dir), Drive(s.Drive), Options{})
	s = s.reopen()
	defer s.close()
	measure(b, func(i int) int64 {
		mustSync(b, Drive(s.Drive), Dir(filepath.Join(base, strconv.Itoa(i))), Options{})
		return n
	}, nil)
}

// benchUnchanged looks for differences where there are none.
func benchUnchanged(b *testing.B, base string, o Options) {
	dir := filepath.Join(base, "tree")
	n := small(b, dir)
	s := openStored(b, filepath.Join(base, "store"))
	defer s.close()
	mustSync(b, Dir(dir), Drive(s.Drive), o)
	measure(b, func(int) int64 {
		mustSync(b, Dir(dir), Drive(s.Drive), o)
		return n
	}, nil)
}

// benchList lists 100,000 entries without contents, each time from a store just opened, or again and again.
func benchList(b *testing.B, base string, cold bool) {
	const n = 100_000
	s := openStored(b, base)
	for start := 0; start < n; start += 1000 {
		must(b, s.Update(context.Background(), func(tx *drive.Batch) error {
			for i := start; i < start+1000; i++ {
				if err := tx.SetEntry(fmt.Sprintf("/d%04d/f%07d.bin", i/100, i), drive.Entry{}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	defer func() { s.close() }()
	reopen := func(int) {
		if cold {
			s = s.reopen()
		}
	}
	measure(b, func(int) int64 {
		count := 0
		for _, err := range s.List(context.Background(), "/", drive.ListOptions{}) {
			must(b, err)
			count++
		}
		if count != n {
			b.Fatalf("%d entries", count)
		}
		return 0
	}, &around{reopen, func(int) {}})
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
