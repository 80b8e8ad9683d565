package pebble

import (
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// epochs gives each view the state at its start, without a snapshot of Pebble where no commit comes during the view:
// those cost more than a read.
//
// The views that begin between two commits share an epoch. They read Pebble as it is, until a commit is about to
// change it: this takes one snapshot for all of them first. A read that finds a snapshot after it is done may have seen
// the change, and is done again on the snapshot.
type epochs struct {
	mu      sync.Mutex // guards current and the users of all; held while a commit is applied
	current *epoch
}

type epoch struct {
	users int
	snap  atomic.Pointer[pebble.Snapshot]
}

// enter begins a view.
func (es *epochs) enter() *epoch {
	es.mu.Lock()
	defer es.mu.Unlock()
	if es.current == nil {
		es.current = &epoch{}
	}
	es.current.users++
	return es.current
}

// leave ends a view.
func (es *epochs) leave(ep *epoch) error {
	var snap *pebble.Snapshot
	es.mu.Lock()
	// Looked at under the lock: an epoch without a snapshot may be entered again, and get one, as soon as it is let go.
	if ep.users--; ep.users == 0 {
		snap = ep.snap.Load()
	}
	es.mu.Unlock()
	if snap != nil {
		return snap.Close()
	}
	return nil
}

// change runs apply, which changes db.
func (es *epochs) change(db *pebble.DB, apply func() error) error {
	es.mu.Lock()
	defer es.mu.Unlock()
	if es.current != nil && es.current.users > 0 {
		es.current.snap.Store(db.NewSnapshot())
		es.current = nil
	}
	return apply()
}

// read runs a read on the state of the epoch. When it has to be done again, what the first one returned is discarded.
func read[T any](db *pebble.DB, ep *epoch, do func(pebble.Reader) (T, error), discard func(T)) (T, error) {
	if snap := ep.snap.Load(); snap != nil {
		return do(snap)
	}
	v, err := do(db)
	if snap := ep.snap.Load(); snap != nil {
		if err == nil {
			discard(v)
		}
		return do(snap)
	}
	return v, err
}
