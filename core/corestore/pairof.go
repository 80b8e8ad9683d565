package corestore

import (
	"context"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
)

// PairOf returns the key pair of a core that was made by name in this store, in whatever namespace: what else that pair
// signs, such as the second core of a drive, can then be written too. ok is false for cores of other origin. It fails
// with core.ErrNotFound when the store does not hold the core.
func (s *Store) PairOf(ctx context.Context, d keys.DiscoveryKey) (p keys.Pair, ok bool, err error) {
	rec, err := core.Lookup(ctx, s.root.db, d)
	if err != nil {
		return keys.Pair{}, false, err
	}
	from, ok := decodeOrigin(rec.Origin)
	if !ok {
		return keys.Pair{}, false, nil
	}
	return s.root.primary.Pair(from.ns, from.name), true, nil
}
