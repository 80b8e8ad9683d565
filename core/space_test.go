//go:build linux

package core_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

// spaceFiles calls fn with each file below dir.
func spaceFiles(t *testing.T, dir string, fn func(path string, info fs.FileInfo)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a store that is open removes files
		}
		if err == nil {
			fn(path, info)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// spaceUsed is the disk space that dir takes, in bytes.
func spaceUsed(t *testing.T, dir string) (sum int64) {
	t.Helper()
	spaceFiles(t, dir, func(_ string, info fs.FileInfo) {
		sum += info.Sys().(*syscall.Stat_t).Blocks * 512
	})
	return sum
}

// spaceHolders lists the files below dir that hold some bytes.
func spaceHolders(t *testing.T, dir string, secret []byte) (files []string) {
	t.Helper()
	spaceFiles(t, dir, func(path string, info fs.FileInfo) {
		if !info.Mode().IsRegular() {
			return
		}
		b, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(b, secret) {
			files = append(files, path)
		}
	})
	return files
}

func spaceOpen(t *testing.T, dir string, o pebble.Options) *datastore.DB {
	t.Helper()
	db, err := pebble.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func spaceClose(t *testing.T, db *datastore.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDeleteLeavesNothing deletes a large core. Nothing of its secret may stay on the disk, nor of its space.
func TestDeleteLeavesNothing(t *testing.T) {
	large, small := 128<<20, 32<<20
	switch {
	case os.Getenv("HYPERNODE_LONG") != "":
		large, small = 1<<30, 1<<30
	case testing.Short():
		large, small = 32<<20, 8<<20
	}
	for _, c := range []struct {
		name         string
		size, block  int
		durability   datastore.Durability
		closedBefore bool // the store is closed once between the appends and the deletion
	}{
		{"64 KiB blocks", large, 64 << 10, datastore.Process, false},
		{"64 KiB blocks, reopened", large, 64 << 10, datastore.Full, true},
		{"1 KiB blocks", small, 1 << 10, datastore.Process, false},
		{"1 KiB blocks, reopened", small, 1 << 10, datastore.Full, true},
		{"100 B blocks, reopened", small / 8, 100, datastore.Process, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, start := t.Context(), time.Now()
			dir := filepath.Join(t.TempDir(), "store")
			var o pebble.Options
			o.Durability = c.durability
			spaceOther(t, dir, o)
			before := spaceUsed(t, dir)

			pair, err := keys.NewPair()
			if err != nil {
				t.Fatal(err)
			}
			seed := pair.Seed()
			db := spaceOpen(t, dir, o)
			log, err := core.Open(ctx, db, core.Options{Pair: pair})
			if err != nil {
				t.Fatal(err)
			}
			spaceFill(t, log, c.size, c.block)
			if c.closedBefore {
				if err := log.Close(); err != nil {
					t.Fatal(err)
				}
				spaceClose(t, db)
				db = spaceOpen(t, dir, o)
				if log, err = core.Open(ctx, db, core.Options{Key: log.Key()}); err != nil {
					t.Fatal(err)
				}
			}
			full := spaceUsed(t, dir)
			held := spaceHolders(t, dir, seed[:])
			if len(held) != 1 || !strings.HasPrefix(held[0], filepath.Join(dir, "secrets")+"/") {
				t.Fatalf("the seed is in %q", held)
			}
			deleting := time.Now()
			if err := log.Delete(ctx); err != nil {
				t.Fatal(err)
			}
			spaceClose(t, db)
			deleted := time.Since(deleting)

			if held := spaceHolders(t, dir, seed[:]); len(held) > 0 {
				t.Errorf("the seed is still in %q", held)
			}
			after := spaceUsed(t, dir)
			if after-before > 1<<20 {
				spaceFiles(t, dir, func(path string, info fs.FileInfo) {
					t.Logf("%10d %s", info.Sys().(*syscall.Stat_t).Blocks*512, path)
				})
				t.Errorf("%d bytes before, %d after", before, after)
			}
			spaceOther(t, dir, o)
			t.Logf("%d KiB before, %d KiB full, %d KiB after; deleted in %v, all in %v", before>>10, full>>10, after>>10,
				deleted.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		})
	}
}

// spaceOther makes a store with another core in it, or looks whether that is whole.
func spaceOther(t *testing.T, dir string, o pebble.Options) {
	t.Helper()
	db := spaceOpen(t, dir, o)
	defer spaceClose(t, db)
	c, err := core.Open(t.Context(), db, core.Options{Pair: keys.PairFromSeed(keys.Seed{'o'})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const n = 200
	if c.Head().Length == 0 {
		for i := range n {
			if _, err := c.Append(t.Context(), bytes.Repeat([]byte{byte(i)}, 10*i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if rep, err := c.Verify(t.Context()); err != nil || !rep.OK() || rep.Blocks != n {
		t.Fatalf("the other core: %+v, %v", rep, err)
	}
}

// spaceFill appends size bytes in blocks that cannot be compressed.
func spaceFill(t *testing.T, c *core.Core, size, block int) {
	t.Helper()
	r := crashRand(1, 1)
	data := make([]byte, 4<<20)
	for i := 0; i+8 <= len(data); i += 8 {
		copy(data[i:], spaceBytes(r.Uint64()))
	}
	for done := 0; done < size; {
		var batch [][]byte
		at := r.IntN(block)
		for ; at+block <= len(data) && done < size; at += block {
			batch = append(batch, data[at:at+block])
			done += block
		}
		if _, err := c.Append(context.Background(), batch...); err != nil {
			t.Fatal(err)
		}
	}
}

func spaceBytes(n uint64) []byte {
	var b [8]byte
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	return b[:]
}
