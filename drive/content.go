package drive

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive/blobs"
)

// ContentManifest returns the manifest of the core that holds the contents of the drive with a key and a manifest. It has the same
// signers; the namespace of each is the BLAKE2b-256 of a constant, the key and the signer's namespace there. It fails with
// ErrNoDrive for version 0, where nothing is derived.
func ContentManifest(key keys.Key, m *manifest.Manifest) (*manifest.Manifest, error) {
	if m.Version < 1 {
		return nil, fmt.Errorf("%w: a manifest of version 0 has no contents", ErrNoDrive)
	}
	c := &manifest.Manifest{Version: m.Version, AllowPatch: m.AllowPatch, Quorum: m.Quorum}
	ns := keys.Namespace("hyperdrive", 1)[0]
	for _, s := range m.Signers {
		c.Signers = append(c.Signers, manifest.Signer{Namespace: keys.Hash(ns[:], key[:], s.Namespace[:]), PublicKey: s.PublicKey})
	}
	return c, nil
}

// content returns the blobs of the drive, opening their core the first time. It fails with ErrEmpty while it cannot be known which
// core that is.
func (s *shared) content(ctx context.Context) (*blobs.Blobs, error) {
	if b := s.blobs.Load(); b != nil {
		return b, nil
	}
	select {
	case s.opening <- struct{}{}:
		defer func() { <-s.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if b := s.blobs.Load(); b != nil {
		return b, nil
	}
	ref, err := s.contentRef(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.store.Open(ctx, ref)
	if errors.Is(err, datastore.ErrReadOnly) {
		return nil, fmt.Errorf("%w: the contents of %s are not in the store, which can only be read", core.ErrNotAvailable, s.db.Key())
	}
	if err != nil {
		return nil, fmt.Errorf("drive: opening the contents of %s: %w", s.db.Key(), err)
	}
	b, err := blobs.New(c, blobs.Options{})
	if err == nil {
		s.blobs.Store(b)
	}
	return b, err
}

// contentRef says which core has the contents: the one that the header names, else the derived one.
func (s *shared) contentRef(ctx context.Context) (ref corestore.Ref, err error) {
	fed, err := s.contentFeed(ctx)
	if err != nil {
		return ref, err
	}
	if fed.IsZero() {
		return s.derivedRef(ctx)
	}
	ref = corestore.Key(fed)
	ref.Encryption, ref.ReadOnly, ref.Parent = s.encryption(), s.ref.ReadOnly, s.db.DiscoveryKey()
	return ref, nil
}

// derivedRef names the core whose key follows from the manifest.
func (s *shared) derivedRef(ctx context.Context) (ref corestore.Ref, err error) {
	m := s.db.Manifest()
	if s.db.Compat() || m == nil {
		return ref, fmt.Errorf("%w: %s names no core for its contents", ErrNoDrive, s.db.Key())
	}
	c, err := ContentManifest(s.db.Key(), m)
	if err != nil {
		return ref, err
	}
	if ref = corestore.Manifest(c); !s.ref.ReadOnly {
		pair, ok, err := s.store.PairOf(ctx, s.db.DiscoveryKey())
		if err != nil {
			return ref, err
		}
		if _, signs := c.Signer(pair.Public); ok && signs {
			ref.Pair, ref.Derived = pair, true
		}
	}
	ref.Encryption, ref.ReadOnly, ref.Parent = s.encryption(), s.ref.ReadOnly, s.db.DiscoveryKey()
	return ref, nil
}

// derived opens the core that has the contents unless the header, which need not have come yet, names another.
func (s *shared) derived(ctx context.Context) (*core.Core, error) {
	ref, err := s.derivedRef(ctx)
	if err != nil {
		return nil, err
	}
	return s.store.Open(ctx, ref)
}

// contentFeed returns the key that an old drive's header names, or zero.
func (s *shared) contentFeed(ctx context.Context) (k keys.Key, err error) {
	if s.db.Head().Length == 0 {
		if s.db.Writable() {
			return k, nil
		}
		if err := s.db.Update(ctx); err != nil && !errors.Is(err, core.ErrNotAvailable) {
			return k, err
		}
		if s.db.Head().Length == 0 {
			return k, fmt.Errorf("%w: %s", ErrEmpty, s.db.Key())
		}
	}
	h, err := s.header(ctx)
	if err != nil {
		return k, err
	}
	if h.Metadata == nil || len(h.Metadata.ContentFeed) == 0 {
		return k, nil
	}
	if len(h.Metadata.ContentFeed) < len(k) {
		return k, fmt.Errorf("%w: %s names contents with %d bytes", ErrNoDrive, s.db.Key(), len(h.Metadata.ContentFeed))
	}
	return keys.Key(h.Metadata.ContentFeed[:len(k)]), nil
}

// header reads the header of the entries. Without the right encryption key it cannot be read, and ErrNoDrive is returned.
func (s *shared) header(ctx context.Context) (*bee.Header, error) {
	h, err := s.tree.Header(ctx)
	if err == nil && h.Protocol != "hyperbee" {
		err = fmt.Errorf("%w: the header of %.20q", bee.ErrCorrupt, h.Protocol)
	}
	if errors.Is(err, bee.ErrCorrupt) {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoDrive, s.db.Key(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("drive: the header of %s: %w", s.db.Key(), err)
	}
	s.readable.Store(true)
	return h, nil
}

// known makes sure that the entries are those of a drive, under the encryption key that was given: under another one nothing must be
// written. The header is read once.
func (s *shared) known(ctx context.Context) error {
	if s.readable.Load() || s.db.Head().Length == 0 {
		return nil
	}
	_, err := s.header(ctx)
	return err
}
