package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Open opens a core in a store, making it when the store does not hold it. A core can be open once in a store; a second
// Open fails with ErrInUse (Session gives further handles, and corestore opens each core once for all who ask).
func Open(ctx context.Context, db *datastore.DB, o Options) (*Core, error) {
	key, m, err := o.name()
	if err != nil {
		return nil, err
	}
	dkey := o.discovery(key)
	release, ok := claim(db, dkey)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrInUse, dkey)
	}
	c, err := open(ctx, db, o, key, dkey, m)
	if err != nil {
		release()
		return nil, err
	}
	c.log.closing = func() {
		release()
		if o.OnShut != nil {
			o.OnShut()
		}
	}
	if err := c.log.attach(ctx, o.Source); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// claim makes the caller the only one who has a core open.
func claim(db *datastore.DB, d keys.DiscoveryKey) (release func(), ok bool) {
	return db.Claim("core" + string(d[:]))
}

func open(ctx context.Context, db *datastore.DB, o Options, key keys.Key, dkey keys.DiscoveryKey, m *manifest.Manifest) (*Core, error) {
	l := &log{db: db, dkey: dkey}
	err := db.View(ctx, func(tx *datastore.Tx) (err error) {
		if l.rec, err = readRecord(tx, dkey); err != nil {
			return err
		}
		return l.loadStored(tx)
	})
	if errors.Is(err, ErrNotFound) {
		if o.MustExist || key.IsZero() {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, dkey)
		}
		err = l.loadNew(ctx, key, o.Origin)
	}
	if err != nil {
		return nil, err
	}
	l.key, l.legacy = l.rec.Key, o.Legacy
	if !key.IsZero() && l.rec.Key != key {
		return nil, fmt.Errorf("%w: the record of %s names another key", ErrCorrupt, key)
	}
	if err := l.settle(ctx, &o, m); err != nil {
		return nil, err
	}
	return l.handle(o)
}

// readRecord reads what the store knows of a core, or ErrNotFound.
func readRecord(tx *datastore.Tx, d keys.DiscoveryKey) (*Record, error) {
	b, err := tx.Get(recordKey(d))
	if errors.Is(err, datastore.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("core: reading the record of %s: %w", d, asCorrupt(err))
	}
	r, err := decodeRecord(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return r, nil
}

// Lookup returns what a store knows of a core without opening it, or ErrNotFound.
func Lookup(ctx context.Context, db *datastore.DB, d keys.DiscoveryKey) (r *Record, err error) {
	err = db.View(ctx, func(tx *datastore.Tx) error {
		r, err = readRecord(tx, d)
		return err
	})
	return r, err
}

// loadStored reads the rest of a core whose record was found.
func (l *log) loadStored(tx *datastore.Tx) (err error) {
	l.id, l.key = l.rec.id, l.rec.Key
	if l.rec.Frozen {
		if l.conflict, err = readConflict(tx, l.dkey); err != nil {
			return err
		}
	}
	return l.load(tx)
}

// loadNew begins a core that the store does not hold. When it held it once, and found a conflict, that is not forgotten.
func (l *log) loadNew(ctx context.Context, key keys.Key, origin []byte) error {
	l.rec = &Record{Key: key, Origin: bytes.Clone(origin)}
	l.setState(emptyState())
	return l.db.View(ctx, func(tx *datastore.Tx) (err error) {
		l.conflict, err = readConflict(tx, l.dkey)
		l.rec.Frozen = l.conflict != nil
		return err
	})
}

// readConflict reads the proof of a conflict. It is nil when there is none, or none that can be read: the record says
// whether the core is frozen.
func readConflict(tx *datastore.Tx, d keys.DiscoveryKey) (*merkle.ConflictProof, error) {
	b, err := tx.Get(conflictKey(d))
	if errors.Is(err, datastore.ErrNotFound) || errors.Is(err, datastore.ErrCorrupt) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := merkle.DecodeConflictProof(b)
	if err != nil {
		return nil, nil
	}
	return p, nil
}

// attach asks the source for a session. What was stored before is brought to stable storage first: from now on it may be
// shown to peers.
func (l *log) attach(ctx context.Context, s Source) error {
	if s == nil {
		return nil
	}
	if l.current.Load().signature != nil { // an empty log has nothing to lose
		if err := l.db.Sync(ctx); err != nil && !errors.Is(err, datastore.ErrReadOnly) {
			return err
		}
	}
	// No commit comes between: a peer that is connected may answer before Attach returns, and the session is to be told.
	l.write.Lock()
	defer l.write.Unlock()
	session := s.Attach(&Core{log: l, weak: true})
	l.mu.Lock()
	l.session = session
	l.mu.Unlock()
	return nil
}
