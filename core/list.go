package core

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// listStep is how many records one view reads, so that a long list holds up no commit.
const listStep = 1024

// List yields the discovery keys of all cores in a store, in the order of their bytes. Cores made or deleted while it runs may be
// missed.
func List(ctx context.Context, db *datastore.DB) iter.Seq2[keys.DiscoveryKey, error] {
	return func(yield func(keys.DiscoveryKey, error) bool) {
		prefix := datastore.Group(groupCore).Item()
		for lo := prefix; lo != nil; {
			var step []keys.DiscoveryKey
			err := db.View(ctx, func(tx *datastore.Tx) (err error) {
				step, lo, err = listSome(tx, prefix, lo)
				return err
			})
			if err != nil {
				yield(keys.DiscoveryKey{}, err)
				return
			}
			for _, d := range step {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

// listSome reads some discovery keys from lo on, and returns where to go on, nil at the end.
func listSome(tx *datastore.Tx, prefix, lo datastore.Key) (list []keys.DiscoveryKey, next datastore.Key, err error) {
	for rec, err := range tx.Scan(lo, prefix.End(), false) {
		key := datastore.Key(rec.Key)
		var corrupt *datastore.CorruptError
		if errors.As(err, &corrupt) {
			key = corrupt.Key // its key is good
		} else if err != nil {
			return nil, nil, err
		}
		if len(list) == listStep {
			return list, bytes.Clone(key), nil
		}
		if b, ok := datastore.ParseBytes(bytes.TrimPrefix(key, prefix)); ok && len(b) == len(keys.DiscoveryKey{}) {
			list = append(list, keys.DiscoveryKey(b))
		}
	}
	return list, nil, nil
}
