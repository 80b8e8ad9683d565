package corestore

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// Delete removes a core from the store: blocks, tree, user data, secret key, name. Its handles fail with core.ErrDeleted. When it
// returns the space is given back; who opens the core meanwhile waits for that. It fails with core.ErrNotFound when the store does
// not hold the core, and with core.ErrNotWritable in a read-only store. The proof of a conflict stays.
//
// A core of a name can be made anew under its name, and then has the same key. Peers that hold the old blocks take that for a fork.
func (s *Store) Delete(ctx context.Context, d keys.DiscoveryKey) error {
	rec, err := s.Lookup(ctx, d)
	if err != nil {
		return err
	}
	if s.root.options.ReadOnly {
		return core.ErrNotWritable
	}
	c, err := s.Find(ctx, d)
	switch {
	case errors.Is(err, core.ErrCorrupt), errors.Is(err, datastore.ErrCorrupt):
		err = core.Delete(ctx, s.root.db, d) // what is stored of it cannot be read, and can be removed all the same
	case err != nil:
		return err
	default:
		defer s.root.hold(d)()
		err = errors.Join(c.Delete(ctx), c.Close())
	}
	if from, ok := decodeOrigin(rec.Origin); ok {
		err = errors.Join(err, s.root.dropGone(context.WithoutCancel(ctx), from, d))
	}
	return err
}

// dropGone removes the name of a core if the core is gone: a deletion that fails may have got so far. A crash before this leaves an
// alias that leads nowhere.
func (r *root) dropGone(ctx context.Context, from origin, d keys.DiscoveryKey) error {
	_, err := core.Lookup(ctx, r.db, d)
	if errors.Is(err, core.ErrNotFound) {
		return r.dropAlias(ctx, from, d)
	}
	return err
}
