//go:build linux

package core_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/pebble"
)

const (
	fullDisk    = 32 << 20
	fullBallast = 8 << 20
	fullLast    = 4 << 20
)

// mountSmall mounts a small file system in memory, where that is allowed.
func mountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", fullDisk)); err != nil {
		msg := fmt.Sprintf("a small tmpfs cannot be mounted (%v): run this test as root", err)
		if os.Getenv("CI") == "true" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func fullBlock(i uint64) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d,", i), int(100+i%7000))
}

// fullOptions make a store whose files are small beside the disk.
func fullOptions(reserve int64) pebble.Options {
	o := pebble.Options{JournalSize: 1 << 20, SegmentSize: 4 << 20, MemTable: 256 << 10}
	o.Reserve, o.Durability = reserve, datastore.Full
	return o
}

// TestFullDisk fills a small disk: appends fail with ErrNoSpace, reads go on, the store can be opened, and when there is
// space again appends go on. Nothing is lost.
func TestFullDisk(t *testing.T) {
	for name, reserve := range map[string]int64{"reserve": 0, "none": -1} {
		t.Run(name, func(t *testing.T) { testFullDisk(t, reserve) })
	}
}

func testFullDisk(t *testing.T, reserve int64) {
	disk := mountSmall(t)
	dir, ballast, last := filepath.Join(disk, "store"), filepath.Join(disk, "ballast"), filepath.Join(disk, "last")
	for file, size := range map[string]int{ballast: fullBallast, last: fullLast} {
		if err := os.WriteFile(file, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := spaceOpen(t, dir, fullOptions(reserve))
	c := fullOpen(t, db)
	n := fullAppend(t, c)
	fullCheck(t, c, n)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	fullRetry(t, c, n) // without opening anything anew
	fullCheck(t, c, n+1)

	n = fullAppend(t, c)
	if err := db.Err(); err != nil {
		t.Fatalf("a full disk failed the store: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil && !errors.Is(err, datastore.ErrNoSpace) {
		t.Fatalf("closing on a full disk: %v", err)
	}
	db, err := pebble.Open(dir, fullOptions(reserve))
	if reserve < 0 && errors.Is(err, datastore.ErrNoSpace) {
		// To the last byte: even opening needs some room.
		if err := os.Remove(last); err != nil {
			t.Fatal(err)
		}
		db, err = pebble.Open(dir, fullOptions(reserve))
	}
	if err != nil {
		t.Fatalf("opening on a full disk: %v", err)
	}
	c = fullOpen(t, db)
	fullCheck(t, c, n)
	if err := c.Clear(t.Context(), 0, n/2); err != nil {
		t.Fatalf("clearing on a full disk: %v", err)
	}
	fullRetry(t, c, n)
	t.Logf("%d blocks when the disk was full for the second time", n)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	spaceClose(t, db)
}

func fullOpen(t *testing.T, db *datastore.DB) *core.Core {
	t.Helper()
	c, err := core.Open(t.Context(), db, core.Options{Pair: keys.PairFromSeed(keys.Seed{'f'})})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fullAppend appends until the disk is full, and returns how many blocks there are then.
func fullAppend(t *testing.T, c *core.Core) uint64 {
	t.Helper()
	for {
		i := c.Head().Length
		_, err := c.Append(t.Context(), fullBlock(i))
		switch {
		case errors.Is(err, datastore.ErrStoreFailed) || err != nil && !errors.Is(err, datastore.ErrNoSpace):
			t.Fatalf("on a full disk: %v", err)
		case err != nil:
			return i
		}
	}
}

// fullCheck reads all n blocks.
func fullCheck(t *testing.T, c *core.Core, n uint64) {
	t.Helper()
	if h := c.Head().Length; h != n {
		t.Fatalf("%d blocks, not %d", h, n)
	}
	i := uint64(0)
	for b, err := range c.Blocks(t.Context(), 0, n) {
		if err != nil || !bytes.Equal(b, fullBlock(i)) {
			t.Fatalf("block %d of %d: %v", i, n, err)
		}
		i++
	}
}

// fullRetry appends block n as soon as the store has noticed that there is room.
func fullRetry(t *testing.T, c *core.Core, n uint64) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for give := time.Now().Add(10 * time.Second); ; <-tick.C {
		_, err := c.Append(t.Context(), fullBlock(n))
		if err == nil {
			return
		}
		if !errors.Is(err, datastore.ErrNoSpace) || time.Now().After(give) {
			t.Fatalf("with room again: %v", err)
		}
	}
}
