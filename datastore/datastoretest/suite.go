// Package datastoretest checks that a store keeps what package datastore promises.
//
// A package that opens a store calls [Run] from a test. Everything is checked through the public face of a DB, with
// small data and without sleeping; random tests print the seed that repeats them, see [Seed].
package datastoretest

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/hypernode/hypernode/datastore"
)

// Open opens the store that lies in dir, an empty folder at first. The suite closes what it opens, and opens a folder
// again only after that.
type Open func(t *testing.T, dir string, o datastore.Options) *datastore.DB

// Caps tells what a store can do besides. The zero value is a store that forgets all when it is closed.
type Caps struct {
	// Reopen: what was committed is there when the folder is opened again.
	Reopen bool
	// ReadOnly: a store that exists can be opened with Options.ReadOnly.
	ReadOnly bool
	// Secrets: the store has a place for secrets of its own.
	Secrets bool
	// Damage changes a stored byte of the value of the record k, or of the block k, in the closed store in dir, beneath
	// the checksum. It needs Reopen.
	Damage func(t *testing.T, dir string, k datastore.Key, block bool)
	// Steps is the number of steps of the model test; 0 means 600.
	Steps int
}

// Run runs the suite, as subtests of t.
func Run(t *testing.T, open Open, caps Caps) {
	s := &suite{open: open, caps: caps}
	for _, c := range []struct {
		name string
		run  func(*testing.T)
		skip bool
	}{
		{"Records", s.records, false},
		{"Blocks", s.blocks, false},
		{"SpacesApart", s.spacesApart, false},
		{"AllBytes", s.allBytes, false},
		{"LargeValues", s.largeValues, false},
		{"ManyRecords", s.manyRecords, false},
		{"CallersBuffers", s.callersBuffers, false},
		{"MalformedKeys", s.malformedKeys, false},
		{"ScanBothWays", s.scanBothWays, false},
		{"ScanStopsAndNests", s.scanStopsAndNests, false},
		{"Ranges", s.ranges, false},
		{"ReadYourWrites", s.readYourWrites, false},
		{"ReadYourRanges", s.readYourRanges, false},
		{"AllOrNothing", s.allOrNothing, false},
		{"ReadOnlyView", s.readOnlyView, false},
		{"ViewIsolation", s.viewIsolation, false},
		{"ViewBesideCommits", s.viewBesideCommits, false},
		{"GroupedCommits", s.groupedCommits, false},
		{"Panic", s.panics, false},
		{"Canceled", s.canceled, false},
		{"OnCommitOrder", s.onCommitOrder, false},
		{"OnSynced", s.onSynced, false},
		{"Lazy", s.lazy, false},
		{"Sync", s.sync, false},
		{"CloseTwice", s.closeTwice, false},
		{"CloseWaits", s.closeWaits, false},
		{"Compact", s.compact, false},
		{"Model", s.model, false},
		{"Reopen", s.reopen, !caps.Reopen},
		{"ReadOnlyStore", s.readOnlyStore, !caps.Reopen || !caps.ReadOnly},
		{"Secrets", s.secrets, !caps.Secrets},
		{"DamagedRecord", s.damagedRecord, caps.Damage == nil},
		{"DamagedBlock", s.damagedBlock, caps.Damage == nil},
	} {
		if !c.skip {
			t.Run(c.name, c.run)
		}
	}
}

type suite struct {
	open Open
	caps Caps
}

// fresh opens an empty store, which is closed with the test.
func (s *suite) fresh(t *testing.T, o datastore.Options) *datastore.DB {
	t.Helper()
	return s.at(t, t.TempDir(), o)
}

// at opens the store in dir, which is closed with the test at the latest.
func (s *suite) at(t *testing.T, dir string, o datastore.Options) *datastore.DB {
	t.Helper()
	db := s.open(t, dir, o)
	t.Cleanup(func() { closeStore(t, db) })
	return db
}

func closeStore(t *testing.T, db *datastore.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// Seed returns a seed for random tests and prints it: the number in the environment variable HYPERNODE_SEED, else a
// new one.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("HYPERNODE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("HYPERNODE_SEED: %v", err)
		}
	}
	t.Logf("repeat with HYPERNODE_SEED=%d", seed)
	return seed
}

// patience is how long the suite waits for what must happen.
const patience = 30 * time.Second

// await fails the test when nothing comes from c.
func await[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not happen within %v", what, patience)
	}
	return v
}

func update(t *testing.T, db *datastore.DB, fn func(tx *datastore.Tx)) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *datastore.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t *testing.T, db *datastore.DB, fn func(tx *datastore.Tx)) {
	t.Helper()
	err := db.View(context.Background(), func(tx *datastore.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("view: %v", err)
	}
}
