package drive

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Limits of mounts.
const (
	// MaxChildren is how many mounted drives one drive keeps open.
	MaxChildren = 1024
	// MaxHops is how many mounts and links one path may go through.
	MaxHops = 32
	// childCache is how many bytes of decoded entries a mounted drive keeps in memory.
	childCache = 4 << 20
)

// family is a drive and those that are mounted in it, and in them: each is open once, until the first is closed.
type family struct {
	first *shared

	mu     sync.Mutex // guards the fields below
	open   map[keys.Key]*child
	closed bool
}

// child is a drive that is open, or being opened.
type child struct {
	ready chan struct{} // closed once one of the fields below is set
	s     *shared
	err   error
}

func newFamily(first *shared) *family { return &family{first: first, open: map[keys.Key]*child{}} }

// get returns the drive with a key, opening it if it is not open.
func (f *family) get(ctx context.Context, key keys.Key) (*shared, error) {
	if key == f.first.db.Key() {
		return f.first, nil
	}
	c, mine, err := f.join(key)
	if err != nil {
		return nil, err
	}
	if mine {
		c.s, c.err = f.openChild(ctx, key)
		f.settle(key, c)
	}
	select {
	case <-c.ready:
		return c.s, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *family) join(key keys.Key) (c *child, mine bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false, ErrClosed
	}
	if c := f.open[key]; c != nil {
		return c, false, nil
	}
	if len(f.open) == MaxChildren {
		return nil, false, fmt.Errorf("%w: %d drives are open", ErrTooManyMounts, MaxChildren)
	}
	c = &child{ready: make(chan struct{})}
	f.open[key] = c
	return c, true, nil
}

// settle shows what became of an opening. One that failed is forgotten, one that came too late is closed.
func (f *family) settle(key keys.Key, c *child) {
	f.mu.Lock()
	late := f.closed
	if c.err != nil {
		delete(f.open, key)
	}
	f.mu.Unlock()
	if late && c.s != nil {
		c.err = errors.Join(ErrClosed, c.s.close())
		c.s = nil
	}
	close(c.ready)
}

func (f *family) openChild(ctx context.Context, key keys.Key) (*shared, error) {
	ref := Ref{key: key, ReadOnly: f.first.ref.ReadOnly, Unlock: f.first.ref.Unlock, Cache: childCache,
		parent: f.first.db.DiscoveryKey()}
	if ref.Unlock != nil {
		if e, ok := ref.Unlock(key); ok {
			ref.Encryption = e
		}
	}
	session, err := f.first.store.Session()
	if errors.Is(err, corestore.ErrClosed) {
		return nil, ErrClosed
	}
	if err != nil {
		return nil, err
	}
	s, err := openShared(ctx, session, session, ref)
	if errors.Is(err, datastore.ErrReadOnly) {
		err = fmt.Errorf("%w: it is not in the store, which can only be read", ErrMountUnavailable)
	}
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	s.family = f
	return s, nil
}

// close closes all drives of the family.
func (f *family) close() error {
	f.mu.Lock()
	f.closed = true
	list := f.open
	f.open = map[keys.Key]*child{}
	f.mu.Unlock()
	var errs []error
	for _, c := range list {
		if <-c.ready; c.s != nil {
			errs = append(errs, c.s.close())
		}
	}
	return errors.Join(append(errs, f.first.close())...)
}

// mounted returns the drive that a mount shows, at the version that it is pinned to.
func (s *shared) mounted(ctx context.Context, m *Mount) (*Drive, error) {
	c, err := s.family.get(ctx, m.Key)
	if err != nil {
		return nil, fmt.Errorf("drive: mounting %s: %w", m.Key, err)
	}
	if err := c.reach(ctx, max(m.Version, 1)); err != nil {
		return nil, fmt.Errorf("mounting %s: %w", m.Key, err)
	}
	if err := c.unlocked(ctx); err != nil {
		return nil, err
	}
	d := c.drive()
	if m.Version == 0 {
		return d, nil
	}
	if err := c.pinned(ctx, m); err != nil {
		return nil, err
	}
	return d.At(m.Version), nil
}

// reach has the drive known up to a version. A drive that is known to be empty has version 1.
func (s *shared) reach(ctx context.Context, version uint64) error {
	if s.db.Head().Length < version {
		if err := s.db.Update(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrMountUnavailable, err)
		}
	}
	length := s.db.Head().Length
	switch {
	case length == 0 && s.db.Manifest() == nil && !s.db.Compat():
		return fmt.Errorf("%w: nobody who has it was met", ErrMountUnavailable)
	case max(length, 1) < version:
		return fmt.Errorf("%w: %d of %d", ErrVersionUnavailable, length, version)
	}
	return nil
}

// unlocked tells whether the entries can be read, as far as the header shows.
func (s *shared) unlocked(ctx context.Context) error {
	err := s.known(ctx)
	switch {
	case s.ref.Encryption == [32]byte{} && errors.Is(err, ErrNoDrive):
		return fmt.Errorf("%w, or none: %s", ErrLocked, s.db.Key())
	case errors.Is(err, core.ErrNotAvailable):
		return fmt.Errorf("%w: %w", ErrMountUnavailable, err)
	}
	return err
}

// pinned tells whether the drive has the history that a mount is pinned to.
func (s *shared) pinned(ctx context.Context, m *Mount) error {
	if m.Hash == (merkle.Hash{}) {
		return nil
	}
	hash, err := treeHash(ctx, s.db, m.Version)
	if err != nil {
		return fmt.Errorf("drive: the tree hash of %s at %d: %w", m.Key, m.Version, err)
	}
	if s.db.Head().Fork != m.Fork || hash != m.Hash {
		return fmt.Errorf("%w: %s at %d", ErrPinMismatch, m.Key, m.Version)
	}
	return nil
}
