package corestore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// Options of a store. The zero value makes a primary key at the first open, and keeps to what is stored here.
type Options struct {
	// PrimaryKey is used in place of one that the store keeps. It is never written: only its hash is, so that a wrong one is
	// refused.
	PrimaryKey keys.PrimaryKey
	// Source fetches what the cores lack; nil means local only.
	Source core.Source
	// ReadOnly makes all handles read-only.
	ReadOnly bool
	// ManifestVersion of the cores that are made by name: 1 or 2; 0 means 1. The version changes their keys. A name keeps the core
	// that it was made with.
	ManifestVersion int
}

// Store is a session of a store: all sessions share the cores, each has a namespace and the handles that were opened through it.
// Methods may be called from several goroutines.
type Store struct {
	root *root
	ns   keys.StoreNamespace

	mu      sync.Mutex // guards the fields below
	handles map[*core.Core]struct{}
	closed  bool
}

// root is what the sessions share.
type root struct {
	db      *datastore.DB
	options Options
	primary keys.PrimaryKey

	mu       sync.Mutex // guards the fields below
	open     map[keys.DiscoveryKey]*entry
	sessions map[*Store]struct{}
	first    *Store
	closed   bool
	release  func()
}

// Open opens the cores in db. It goes on with deletions that were interrupted. Close it before db; one store of a db is open at a
// time.
//
// It fails with ErrInUse, ErrPrimaryKey, ErrNoSecrets, core.ErrOptions for a manifest version that there is not, or an error of db.
func Open(ctx context.Context, db *datastore.DB, o Options) (*Store, error) {
	if o.ManifestVersion < 0 || o.ManifestVersion > 2 {
		return nil, fmt.Errorf("%w: manifest version %d", core.ErrOptions, o.ManifestVersion)
	}
	r := &root{db: db, options: o, open: map[keys.DiscoveryKey]*entry{}, sessions: map[*Store]struct{}{}}
	release, ok := db.Claim("corestore")
	if !ok {
		return nil, ErrInUse
	}
	r.release = release
	if err := r.begin(ctx); err != nil {
		release()
		return nil, err
	}
	return r.first, nil
}

func (r *root) begin(ctx context.Context) (err error) {
	if r.primary, err = primaryKey(ctx, r.db, r.options); err != nil {
		return err
	}
	if err := core.Sweep(ctx, r.db); err != nil && !errors.Is(err, datastore.ErrReadOnly) {
		return err
	}
	r.first, err = r.session(keys.StoreNamespace{})
	return err
}

func (r *root) session(ns keys.StoreNamespace) (*Store, error) {
	s := &Store{root: r, ns: ns, handles: map[*core.Core]struct{}{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	r.sessions[s] = struct{}{}
	return s, nil
}

// Session returns another session, in the root namespace. Closing it closes the handles that were opened through it.
func (s *Store) Session() (*Store, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.root.session(keys.StoreNamespace{})
}

// Namespace returns a session whose names are apart from all others: the namespace of that name within this session's. Any
// name will do, also the empty one.
func (s *Store) Namespace(name string) (*Store, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.root.session(s.ns.Child([]byte(name)))
}

// NamespaceID returns the 32 bytes that stand for the session's namespace.
func (s *Store) NamespaceID() keys.StoreNamespace { return s.ns }

// Pair derives the key pair of a name in this session's namespace.
func (s *Store) Pair(name string) keys.Pair { return s.root.primary.Pair(s.ns, []byte(name)) }

// Open returns a handle on a core, making the core when the store does not hold it and the ref does not forbid that. The core is
// opened once however often it is asked for.
func (s *Store) Open(ctx context.Context, ref Ref) (*core.Core, error) {
	if err := errors.Join(s.check(), ref.check()); err != nil {
		return nil, err
	}
	c, err := s.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	// The handle is kept after the wait: until then only this call closes it, so that it cannot be closed before it is exclusive
	// and hold the others up for ever.
	if ref.Exclusive {
		err = c.Exclusive(ctx)
	}
	if err == nil {
		err = s.keep(c)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (s *Store) open(ctx context.Context, ref Ref) (c *core.Core, err error) {
	o := ref.Options
	closed := o.OnClose
	o.OnClose = func() {
		s.forget(c)
		if closed != nil {
			closed()
		}
	}
	if ref.named {
		return s.root.byName(ctx, origin{s.ns, []byte(ref.name)}, o)
	}
	o.Origin = nil
	return s.root.get(ctx, o)
}

// Find returns a handle on a core that the store holds, for a peer that names its discovery key. Who only knows that is to be shown
// nothing yet. It fails with core.ErrNotFound.
func (s *Store) Find(ctx context.Context, d keys.DiscoveryKey) (*core.Core, error) {
	ref := Discovery(d)
	ref.MustExist = true
	return s.Open(ctx, ref)
}

// List yields the discovery keys of all cores in the store, in the order of their bytes. Cores that are made or deleted while it
// runs may be missed.
func (s *Store) List(ctx context.Context) iter.Seq2[keys.DiscoveryKey, error] {
	return func(yield func(keys.DiscoveryKey, error) bool) {
		if err := s.check(); err != nil {
			yield(keys.DiscoveryKey{}, err)
			return
		}
		core.List(ctx, s.root.db)(yield)
	}
}

// Lookup returns what is known of a core without opening it, or core.ErrNotFound.
func (s *Store) Lookup(ctx context.Context, d keys.DiscoveryKey) (*core.Record, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return core.Lookup(ctx, s.root.db, d)
}

func (s *Store) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	return nil
}

func (s *Store) keep(c *core.Core) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.handles[c] = struct{}{}
	return nil
}

func (s *Store) forget(c *core.Core) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.handles, c)
}

// Close ends the session and closes the handles that were opened through it. The session that Open returned is the store: closing
// it closes all others too. A second call does nothing. Sessions and snapshots that were made of a handle are closed by who made
// them; until then their core stays open.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	handles := s.handles
	s.handles = nil
	s.mu.Unlock()
	others, last := s.root.leave(s)
	var errs []error
	for _, other := range others {
		errs = append(errs, other.Close())
	}
	for c := range handles {
		errs = append(errs, c.Close())
	}
	if last {
		s.root.release()
	}
	return errors.Join(errs...)
}

// leave takes a session out. With the first one the store is closed: then the others are returned.
func (r *root) leave(s *Store) (others []*Store, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s)
	if s != r.first || r.closed {
		return nil, false
	}
	r.closed = true
	for other := range r.sessions {
		others = append(others, other)
	}
	return others, true
}
