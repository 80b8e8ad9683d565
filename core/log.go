package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// log is what all handles of one open core share. An idle one costs a few hundred bytes, no goroutine and no file.
//
// A change is prepared, committed and published under the lock write, in that order; whoever holds no lock sees the
// published state only.
type log struct {
	db      *datastore.DB
	id      uint64
	key     keys.Key
	dkey    keys.DiscoveryKey
	legacy  bool   // signs and verifies as Hypercore 9 did
	closing func() // gives up the claim on the core, and tells the opener

	// write orders the changes. It guards the fields of this group.
	write sync.Mutex
	edge  []edge        // the last pages of the tree, nil when they must be read
	reorg *merkle.Reorg // a longer fork that is being compared with ours
	rec   *Record       // as it is stored
	auth  *manifest.Authority

	// current is the published state.
	current atomic.Pointer[state]
	// served is the state that may be shown to peers: the last one on stable storage, if this node signed it.
	served atomic.Pointer[state]
	// fresh is what was appended last, nil when something else was changed since.
	fresh atomic.Pointer[fresh]

	queue appendQueue

	// mu guards the fields below. It is never held while the store is used.
	mu        sync.Mutex
	refs      int
	closed    bool
	deleted   bool
	pair      keys.Pair         // what handles sign with that bring none
	parent    keys.DiscoveryKey // the core that names this one, zero if unknown
	signer    bool              // a handle could sign, or can: what is newer than we know was signed here and forgotten
	info      recordInfo
	held      held
	cuts      cuts
	cutting   chan struct{}         // closed at the end of the cut that is under way; nil when there is none
	watches   []*watch              // who waits for what a cut may make vain
	late      int                   // publications that wait for their sync
	published uint64                // counts the publications
	told      uint64                // and those of them that the session knows of
	telling   chan struct{}         // closed at the next one that it is told of; nil when nobody waits
	changed   chan struct{}         // closed at the next change; nil when nobody waits
	flights   map[uint64]*flight    // blocks that are being fetched
	session   Session               // nil without a source
	exclusive chan struct{}         // holds one token; nil until somebody asks
	conflict  *merkle.ConflictProof // set with info.frozen, if it could be read
}

// recordInfo is the part of a record that readers look at.
type recordInfo struct {
	manifest *manifest.Authority
	frozen   bool
}

// authority returns who may sign, nil while the manifest is unknown.
func (l *log) authority() *manifest.Authority {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info.manifest
}

// load reads the stored head of a log that has just been opened.
func (l *log) load(tx *datastore.Tx) error {
	st, err := l.readState(tx)
	if err == nil {
		l.setState(st)
	}
	return err
}

// readState reads the stored head.
func (l *log) readState(tx *datastore.Tx) (*state, error) {
	b, err := tx.Get(headKey(l.id))
	if errors.Is(err, datastore.ErrNotFound) {
		return emptyState(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("core: reading the head of %s: %w", l.key, asCorrupt(err))
	}
	st, err := decodeState(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return st, nil
}

func (l *log) setState(st *state) {
	l.current.Store(st)
	l.served.Store(st)
}

// rooted returns the current state with its roots, reading them when that was not done before.
func (l *log) rooted(ctx context.Context) (*state, error) {
	for {
		st := l.current.Load()
		if st.roots != nil {
			return st, nil
		}
		with, err := l.readRoots(ctx, st)
		if err != nil {
			if l.settled(); l.current.Load() == st {
				return nil, err
			}
			continue
		}
		if l.current.CompareAndSwap(st, with) {
			l.served.CompareAndSwap(st, with)
			return with, nil
		}
	}
}

// readRoots reads the roots of a state and holds them against its tree hash.
func (l *log) readRoots(ctx context.Context, st *state) (*state, error) {
	var roots []merkle.Node
	err := l.db.View(ctx, func(tx *datastore.Tx) (err error) {
		roots, err = l.nodeReader(tx).ReadNodes(merkle.FullRoots(nil, st.length))
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range roots {
		if roots[i].IsZero() {
			return nil, fmt.Errorf("%w: a root of the tree of %s is missing", ErrCorrupt, l.key)
		}
	}
	with := *st
	with.roots = roots
	t := with.tree()
	if t.Hash() != st.treeHash {
		return nil, fmt.Errorf("%w: the roots of %s are not those that were signed", ErrCorrupt, l.key)
	}
	return &with, nil
}

// alive tells why the log cannot be used, if so.
func (l *log) alive() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.aliveLocked()
}

func (l *log) aliveLocked() error {
	switch {
	case l.deleted:
		return ErrDeleted
	case l.closed:
		return ErrClosed
	}
	return nil
}

// usable tells why the log takes no change, if so.
func (l *log) usable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.usableLocked()
}

func (l *log) usableLocked() error {
	if err := l.aliveLocked(); err != nil {
		return err
	}
	if l.info.frozen {
		return &ConflictError{Proof: l.conflict}
	}
	return nil
}
