package core

import (
	"fmt"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// MaxBlock is the greatest size of a block in bytes, padding included: one that any peer can take in one message.
const MaxBlock = 15 << 20

// Options says which core to open, and how. One of Key, Discovery, Pair and Manifest names the core; Pair may go with
// Manifest or Key, to write a core that they name.
type Options struct {
	// Key opens a core to read it, or to write it if this store holds its key pair.
	Key keys.Key
	// Discovery opens a core that the store holds already.
	Discovery keys.DiscoveryKey
	// Pair opens the core that this key pair alone signs. The pair's seed is kept among the store's secrets, so that
	// the core can be written again when it is opened by key; see Derived.
	Pair keys.Pair
	// Manifest opens the core that it describes.
	Manifest *manifest.Manifest

	// Compat makes Pair name a Hypercore 10 core, whose key is the signer's public key.
	Compat bool
	// Legacy signs and verifies a compat core in the form of Hypercore 9 and older.
	Legacy bool
	// Sign signs heads in place of Pair: for cores with several signers. It returns the signature field for a tree, as
	// package manifest makes it. Appends wait for it.
	Sign func(t *merkle.Tree) ([]byte, error)

	// Derived says that the caller can derive Pair again, so that it need not be stored.
	Derived bool
	// Origin is kept with the core when it is made: what the caller needs to derive Pair again. At most 1 KiB, no secret.
	Origin []byte

	// Parent is the core that names this one, zero if none does: who has that one is likely to have this one too, so a
	// source asks its peers first. The first handle that says one decides. It is not stored.
	Parent keys.DiscoveryKey

	// Encryption encrypts what is appended and decrypts what is read. It is never stored. Without it an encrypted core
	// can be copied and served, and its blocks are read as they are stored.
	Encryption Encryption
	// Source fetches what is missing; nil means local only.
	Source Source
	// ReadOnly gives a handle that changes nothing: no append, truncate or clear.
	ReadOnly bool
	// MustExist fails with ErrNotFound when the store does not hold the core.
	MustExist bool
	// OnClose is called once this handle is closed, OnShut once the log is, with its last handle.
	OnClose, OnShut func()
	// OnCreate writes along when the core is made, or first gets an Origin, in the same commit.
	OnCreate func(tx *datastore.Tx)
}

const maxOrigin = 1 << 10

// name works out which core the options mean: its key and manifest, as far as they are given.
func (o *Options) name() (key keys.Key, m *manifest.Manifest, err error) {
	if len(o.Origin) > maxOrigin {
		return key, nil, fmt.Errorf("%w: origin of %d bytes", ErrOptions, len(o.Origin))
	}
	switch {
	case o.Manifest != nil:
		key, m = o.Manifest.Key(), o.Manifest
		if !o.Key.IsZero() && o.Key != key {
			if _, err := manifest.NewAuthority(o.Key, m, manifest.Options{}); err != nil {
				return key, nil, fmt.Errorf("%w: key and manifest are of different cores", ErrOptions)
			}
			key = o.Key
		}
	case !o.Key.IsZero():
		key = o.Key
		if o.Compat || (!o.Pair.IsZero() && keys.Key(o.Pair.Public) == key) {
			m = manifest.Compat(key)
		}
	case !o.Pair.IsZero() && o.Compat:
		key, m = keys.Key(o.Pair.Public), manifest.Compat(keys.Key(o.Pair.Public))
	case !o.Pair.IsZero():
		m = manifest.Single(o.Pair.Public)
		key = m.Key()
	case o.Discovery.IsZero():
		return key, nil, fmt.Errorf("%w: no key, key pair, manifest or discovery key", ErrOptions)
	}
	if !o.Discovery.IsZero() && !key.IsZero() && key.Discovery() != o.Discovery {
		return key, nil, fmt.Errorf("%w: key and discovery key are of different cores", ErrOptions)
	}
	return key, m, nil
}

// discovery is the discovery key of the core that the options name.
func (o *Options) discovery(key keys.Key) keys.DiscoveryKey {
	if key.IsZero() {
		return o.Discovery
	}
	return key.Discovery()
}

// DiscoveryKey returns the discovery key of the core that the options name.
func (o *Options) DiscoveryKey() (keys.DiscoveryKey, error) {
	key, _, err := o.name()
	if err != nil {
		return keys.DiscoveryKey{}, err
	}
	return o.discovery(key), nil
}
