package corestore

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/datastore"
)

// entry is a core that is open, or being opened or closed. There may be very many. All fields are guarded by root.mu.
type entry struct {
	core  *core.Core    // the first handle, nil until it is there; it may be closed while the log is open
	wake  chan struct{} // closed at the next change of the entry; nil when nobody waits
	holds int           // what keeps the core from being opened anew: the open log, deletions under way
}

func (e *entry) wakeLocked() {
	if e.wake != nil {
		close(e.wake)
		e.wake = nil
	}
}

// get returns a handle on the core that the options name, opening it if it is not open.
func (r *root) get(ctx context.Context, o core.Options) (*core.Core, error) {
	o.ReadOnly = o.ReadOnly || r.options.ReadOnly
	d, err := o.DiscoveryKey()
	if err == nil {
		err = r.derive(ctx, d, &o)
	}
	if err != nil {
		return nil, err
	}
	for {
		e, first, err := r.join(d)
		if err != nil {
			return nil, err
		}
		if e != nil {
			return r.openCore(ctx, d, e, o)
		}
		if first != nil {
			c, err := first.Session(o)
			if !errors.Is(err, core.ErrClosed) && !errors.Is(err, core.ErrDeleted) {
				return c, err
			}
		}
		if err := wait(ctx, r.change(d, first)); err != nil {
			return nil, err
		}
	}
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the first handle on a core that is open; nothing while it is being opened or closed; or a new entry, when the
// caller is to open the core.
func (r *root) join(d keys.DiscoveryKey) (mine *entry, first *core.Core, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, ErrClosed
	}
	if e := r.open[d]; e != nil {
		return nil, e.core, nil
	}
	mine = &entry{holds: 1}
	r.open[d] = mine
	return mine, nil, nil
}

// change returns a channel that is closed once the entry of a core is not any more as the caller saw it.
func (r *root) change(d keys.DiscoveryKey, seen *core.Core) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.open[d]
	if e == nil || e.core != seen {
		done := make(chan struct{})
		close(done)
		return done
	}
	if e.wake == nil {
		e.wake = make(chan struct{})
	}
	return e.wake
}

// openCore opens a core for all who wait for it.
func (r *root) openCore(ctx context.Context, d keys.DiscoveryKey, e *entry, o core.Options) (*core.Core, error) {
	shut := o.OnShut
	o.Source = r.options.Source
	o.OnShut = func() {
		r.letGo(d, e)
		if shut != nil {
			shut()
		}
	}
	c, err := core.Open(ctx, r.db, o)
	if err != nil {
		r.letGo(d, e)
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.core = c
	e.wakeLocked()
	return c, nil
}

// hold keeps an open core from being opened anew when its log is shut, until release is called.
func (r *root) hold(d keys.DiscoveryKey) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.open[d]
	if e == nil {
		return func() {}
	}
	e.holds++
	return func() { r.letGo(d, e) }
}

// letGo takes one hold from an entry, and the entry out with the last. A log that was shut before its opening failed lets go twice;
// the second time there is nothing left to do.
func (r *root) letGo(d keys.DiscoveryKey, e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.holds--; e.holds == 0 {
		delete(r.open, d)
		e.wakeLocked()
	}
}

// derive finds the key pair of a core that was made by name: it is writable again, however it is named now.
func (r *root) derive(ctx context.Context, d keys.DiscoveryKey, o *core.Options) error {
	if o.ReadOnly || !o.Pair.IsZero() || o.Sign != nil {
		return nil
	}
	rec, err := core.Lookup(ctx, r.db, d)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if from, ok := decodeOrigin(rec.Origin); ok {
		o.Pair, o.Derived = r.primary.Pair(from.ns, from.name), true
	}
	return nil
}

// byName returns a handle on the core of a name. A name keeps the core that it was made with.
func (r *root) byName(ctx context.Context, from origin, o core.Options) (*core.Core, error) {
	o.Pair, o.Derived, o.Origin = r.primary.Pair(from.ns, from.name), true, from.encode()
	rec, err := r.named(ctx, from)
	if err != nil {
		return nil, err
	}
	if rec != nil {
		known := o
		known.Key, known.MustExist = rec.Key, true
		c, err := r.get(ctx, known)
		if !errors.Is(err, core.ErrNotFound) {
			return c, err
		} // it was deleted meanwhile
	}
	if o.Manifest == nil && !o.Compat {
		if o.Manifest, err = r.manifest(o.Pair.Public); err != nil {
			return nil, err
		}
	}
	d, err := o.DiscoveryKey()
	if err != nil {
		return nil, err
	}
	made := o.OnCreate
	o.OnCreate = func(tx *datastore.Tx) {
		tx.Set(aliasKey(from), d[:])
		if made != nil {
			made(tx)
		}
	}
	return r.get(ctx, o)
}

// manifest is that of a core made by name.
func (r *root) manifest(pub keys.PublicKey) (*manifest.Manifest, error) {
	if v := r.options.ManifestVersion; v > 1 {
		return manifest.New(manifest.Config{Version: v, Signers: []manifest.Signer{{PublicKey: pub}}})
	}
	return manifest.Single(pub), nil
}
