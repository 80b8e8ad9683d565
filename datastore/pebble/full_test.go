//go:build linux

package pebble

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hypernode/hypernode/datastore"
)

// smallDisk mounts a file system of size bytes. Under CI it must be possible.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mounting a tmpfs: %v", err)
		}
		t.Skipf("mounting a tmpfs needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return dir
}

// writeUntilFull commits blocks until there is no space, and returns how many went in.
func writeUntilFull(t *testing.T, db *datastore.DB, from int) int {
	t.Helper()
	src := rand.NewChaCha8([32]byte{1})
	block := make([]byte, 20_000)
	for n := from; ; n++ {
		_, _ = src.Read(block)
		err := db.Update(context.Background(), func(tx *datastore.Tx) error {
			tx.SetBlock(datastore.Group('b').Item().Uint(uint64(n)), block)
			tx.Set(datastore.Group('r').Item().Uint(uint64(n)), block[:100])
			return nil
		})
		if err != nil {
			if !errors.Is(err, datastore.ErrNoSpace) || errors.Is(err, datastore.ErrStoreFailed) {
				t.Fatalf("update %d: %v", n, err)
			}
			return n
		}
	}
}

func readAll(t *testing.T, db *datastore.DB, n int) {
	t.Helper()
	err := db.View(context.Background(), func(tx *datastore.Tx) error {
		for i := range n {
			if _, err := tx.Block(datastore.Group('b').Item().Uint(uint64(i))); err != nil {
				return fmt.Errorf("block %d of %d: %w", i, n, err)
			}
			if _, err := tx.Get(datastore.Group('r').Item().Uint(uint64(i))); err != nil {
				return fmt.Errorf("record %d of %d: %w", i, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk fills a small disk, with the store's reserve and without.
func TestFullDisk(t *testing.T) {
	for _, reserve := range []int64{0, -1} {
		t.Run(fmt.Sprintf("reserve=%d", reserve), func(t *testing.T) {
			disk := smallDisk(t, 48<<20)
			ballast := filepath.Join(disk, "ballast")
			if err := os.WriteFile(ballast, make([]byte, 16<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(disk, "store")
			o := Options{Options: datastore.Options{Reserve: reserve}, JournalSize: 1 << 20, MemTable: 256 << 10}
			db, err := Open(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			n := writeUntilFull(t, db, 0)
			readAll(t, db, n)
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			m := n
			for start := time.Now(); m < n+100 && time.Since(start) < 20*time.Second; { // the free space is looked at now and then
				m = writeUntilFull(t, db, m)
			}
			if m < n+100 {
				t.Fatalf("there is space again, and only %d more commits went in", m-n)
			}
			readAll(t, db, m)
			if err := db.Close(); err != nil {
				t.Fatalf("closing on a full disk: %v", err)
			}
			if db, err = Open(dir, o); errors.Is(err, datastore.ErrNoSpace) {
				o.ReadOnly = true
				db, err = Open(dir, o)
			}
			if err != nil {
				t.Fatalf("opening on a full disk: %v", err)
			}
			readAll(t, db, m)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d commits, then %d", n, m)
		})
	}
}
