package badger

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

func fullKey(n int) datastore.Key { return datastore.Group('f').Item().Uint(uint64(n)) }

// fullBlock is the block n: some lie in Badger's value log, some beside their keys.
func fullBlock(n int) []byte {
	b := make([]byte, 100+n%3*20_000)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b) // never fails
	return b
}

// fill commits blocks from n on until there is no space, and returns how many there are.
func fill(t *testing.T, db *datastore.DB, n int) int {
	t.Helper()
	for ; ; n++ {
		err := db.Update(context.Background(), func(tx *datastore.Tx) error {
			tx.SetBlock(fullKey(n), fullBlock(n))
			return nil
		})
		if errors.Is(err, datastore.ErrNoSpace) && !errors.Is(err, datastore.ErrStoreFailed) {
			return n
		}
		if err != nil {
			t.Fatalf("block %d: %v", n, err)
		}
	}
}

func readAll(t *testing.T, db *datastore.DB, n int) {
	t.Helper()
	err := db.View(context.Background(), func(tx *datastore.Tx) error {
		for i := range n {
			if b, err := tx.Block(fullKey(i)); err != nil || string(b) != string(fullBlock(i)) {
				return fmt.Errorf("block %d: %d bytes, %w", i, len(b), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk fills a small disk up to the reserve, makes room, and fills it again. Nothing ends the process, and nothing is
// lost.
func TestFullDisk(t *testing.T) {
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		t.Run(d.String(), func(t *testing.T) { testFullDisk(t, datastore.Options{Durability: d}) })
	}
}

func testFullDisk(t *testing.T, o datastore.Options) {
	disk := smallDisk(t, "128m")
	ballast, dir := filepath.Join(disk, "ballast"), filepath.Join(disk, "store")
	if err := os.WriteFile(ballast, make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, dir, o)
	n := fill(t, db, 0)
	readAll(t, db, n)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	first := n
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for give := time.Now().Add(20 * time.Second); n == first; <-tick.C { // until the store has noticed
		if n = fill(t, db, n); time.Now().After(give) {
			t.Fatal("with room again no block goes in")
		}
	}
	readAll(t, db, n)
	if err := errors.Join(db.Err(), db.Close()); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, o)
	readAll(t, db, n)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d blocks, then %d", first, n)
}

// smallDisk mounts a file system of some size. Under CI it must be possible.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
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
