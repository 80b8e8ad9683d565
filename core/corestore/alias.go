package corestore

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// Beside the cores a store has:
//
//	/n/NAMESPACE NAME   the discovery key of the core that was made by that name
//	/p/-                the hash of the primary key
const groupAlias, groupPrimary = 'n', 'p'

// aliasKey names an alias. All namespaces have one length, so that the names of one sort together.
func aliasKey(o origin) datastore.Key {
	return datastore.Group(groupAlias).Item().Bytes(append(o.ns[:len(o.ns):len(o.ns)], o.name...))
}

// named returns the record of the core that was made by a name, or nil. An alias counts only as long as the core names it back: one
// that outlived its core, because a crash or another way of deleting came between, leads nowhere.
func (r *root) named(ctx context.Context, o origin) (*core.Record, error) {
	var d keys.DiscoveryKey
	err := r.db.View(ctx, func(tx *datastore.Tx) error {
		b, err := tx.Get(aliasKey(o))
		if err == nil && len(b) == len(d) {
			d = keys.DiscoveryKey(b)
		}
		return err
	})
	if errors.Is(err, datastore.ErrNotFound) || errors.Is(err, datastore.ErrCorrupt) {
		return nil, nil // the name leads to the key that it always leads to
	}
	if err != nil {
		return nil, err
	}
	rec, err := core.Lookup(ctx, r.db, d)
	if errors.Is(err, core.ErrNotFound) {
		return nil, nil
	}
	if err != nil || !bytes.Equal(rec.Origin, o.encode()) {
		return nil, err
	}
	return rec, nil
}

// dropAlias removes the name of a deleted core.
func (r *root) dropAlias(ctx context.Context, from origin, d keys.DiscoveryKey) error {
	return r.db.Update(ctx, func(tx *datastore.Tx) error {
		b, err := tx.Get(aliasKey(from))
		if errors.Is(err, datastore.ErrNotFound) {
			return nil
		}
		if bytes.Equal(b, d[:]) || errors.Is(err, datastore.ErrCorrupt) {
			tx.Delete(aliasKey(from))
			return nil
		}
		return err
	})
}

// Named is a core that was made by name.
type Named struct {
	Name      string
	Discovery keys.DiscoveryKey
}

// Names yields the cores that were made by name in this session's namespace, in the order of the names' bytes.
func (s *Store) Names(ctx context.Context) iter.Seq2[Named, error] {
	return func(yield func(Named, error) bool) {
		list, err := s.aliases(ctx)
		for _, n := range list {
			rec, err := s.root.named(ctx, origin{s.ns, []byte(n.Name)})
			if err == nil && rec == nil {
				continue
			}
			if errors.Is(err, core.ErrCorrupt) || errors.Is(err, datastore.ErrCorrupt) {
				err = nil // it is there, whatever became of it
			}
			if err != nil {
				n = Named{}
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
		if err != nil {
			yield(Named{}, err)
		}
	}
}

// aliases lists the names of this session's namespace, whether or not their cores are there.
func (s *Store) aliases(ctx context.Context) (list []Named, err error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	// The last character of an encoded namespace also has bits of the name: what is scanned is a little more than the namespace.
	group := datastore.Group(groupAlias).Item()
	full := group.Bytes(s.ns[:])
	lo := full[: len(full)-1 : len(full)-1]
	err = s.root.db.View(ctx, func(tx *datastore.Tx) error {
		for rec, err := range tx.Scan(lo, lo.End(), false) {
			if errors.Is(err, datastore.ErrCorrupt) {
				continue
			}
			if err != nil {
				return err
			}
			b, ok := datastore.ParseBytes(bytes.TrimPrefix(rec.Key, group))
			if ok && bytes.HasPrefix(b, s.ns[:]) && len(rec.Value) == len(keys.DiscoveryKey{}) {
				list = append(list, Named{string(b[len(s.ns):]), keys.DiscoveryKey(rec.Value)})
			}
		}
		return nil
	})
	return list, err
}
