package corestore

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// primaryName names the file of the primary key among the secrets.
const primaryName = "primary-key"

func primaryHashKey() datastore.Key { return datastore.Group(groupPrimary).Item().Kind('-') }

// primaryKey returns the key that the caller gives, or that the store keeps; it makes one for a new store.
func primaryKey(ctx context.Context, db *datastore.DB, o Options) (k keys.PrimaryKey, err error) {
	hash, err := storedHash(ctx, db)
	damaged := errors.Is(err, datastore.ErrCorrupt)
	if err != nil && !damaged {
		return k, err
	}
	given := o.PrimaryKey != keys.PrimaryKey{}
	if k = o.PrimaryKey; !given {
		if k, err = keptKey(db, hash != nil || damaged); err != nil {
			return keys.PrimaryKey{}, err
		}
	}
	sum := keys.Hash([]byte("hypernode primary key"), k[:])
	switch {
	case hash != nil && subtle.ConstantTimeCompare(hash, sum[:]) != 1:
		return keys.PrimaryKey{}, ErrPrimaryKey
	case hash != nil, damaged && given: // what cannot be checked is not written, lest a wrong key become the right one
		return k, nil
	}
	err = db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Set(primaryHashKey(), sum[:])
		return nil
	})
	if err != nil && !errors.Is(err, datastore.ErrReadOnly) {
		return keys.PrimaryKey{}, fmt.Errorf("corestore: keeping the hash of the primary key: %w", err)
	}
	return k, nil
}

// storedHash returns the hash of the primary key that the store was made with, nil for a new store.
func storedHash(ctx context.Context, db *datastore.DB) (hash []byte, err error) {
	err = db.View(ctx, func(tx *datastore.Tx) error {
		hash, err = tx.Get(primaryHashKey())
		return err
	})
	if errors.Is(err, datastore.ErrNotFound) {
		return nil, nil
	}
	return hash, err
}

// keptKey loads the primary key, or makes it for a new store.
func keptKey(db *datastore.DB, exists bool) (k keys.PrimaryKey, err error) {
	secrets := db.Secrets()
	if secrets == nil {
		return k, ErrNoSecrets
	}
	b, err := secrets.Load(primaryName)
	switch {
	case err == nil && len(b) == len(k):
		return keys.PrimaryKey(b), nil
	case err == nil:
		return k, fmt.Errorf("%w: the primary key has %d bytes", core.ErrCorrupt, len(b))
	case !errors.Is(err, datastore.ErrNotFound):
		return k, fmt.Errorf("corestore: the primary key: %w", err)
	case exists:
		return k, fmt.Errorf("%w: it was opened with a key that is not kept; give it again", ErrPrimaryKey)
	}
	if k, err = keys.NewPrimaryKey(); err != nil {
		return k, err
	}
	if err := secrets.Store(primaryName, k[:]); err != nil {
		return keys.PrimaryKey{}, fmt.Errorf("corestore: keeping the primary key: %w", err)
	}
	return k, nil
}
