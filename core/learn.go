package core

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// learn takes the manifest from a proof when it is not known yet. It belongs to the key or is refused; it is taken when
// the rest of the proof, if there is any, holds under it. A proof that brings none may be one of a compat core.
func (l *log) learn(ctx context.Context, p *merkle.Proof) error {
	if p.Manifest != nil {
		if _, err := manifest.Decode(p.Manifest); err != nil {
			return fmt.Errorf("%w: its manifest: %w", ErrInvalidProof, err)
		}
	}
	if l.auth != nil || p.Upgrade == nil && (p.Manifest == nil || !bare(p)) {
		return nil
	}
	rec := *l.rec
	rec.Manifest, rec.Compat = p.Manifest, p.Manifest == nil
	a, err := rec.authority(l.legacy)
	if err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrInvalidProof, err)
	}
	if p.Upgrade != nil {
		v, err := merkle.CheckRemote(a, p)
		if err == nil {
			err = checkFork(a, &v.Tree)
		}
		if err != nil {
			return err
		}
	}
	if rec.Manifest, rec.Compat = a.Manifest().Encode(), a.Compat(); rec.Compat {
		rec.Manifest = nil
	}
	return l.keepAuthority(ctx, &rec, a)
}

// bare tells that a proof proves nothing about the log: so answers who has no blocks.
func bare(p *merkle.Proof) bool {
	return p.Block == nil && p.Hash == nil && p.Seek == nil && p.Upgrade == nil
}

// checkFork refuses a later fork that nobody signed: a tree that the manifest names is valid without a signature, and so
// under any number of a fork.
func checkFork(a *manifest.Authority, t *merkle.Tree) error {
	if a == nil || t.Fork == 0 {
		return nil
	}
	if p, ok := a.Prologue(); ok && t.Length <= p.Length {
		return fmt.Errorf("%w: fork %d of a prologue", ErrInvalidProof, t.Fork)
	}
	return nil
}

// keepAuthority stores the record that a manifest was added to.
func (l *log) keepAuthority(ctx context.Context, rec *Record, a *manifest.Authority) error {
	err := l.db.Update(ctx, func(tx *datastore.Tx) error {
		tx.Lazy()
		tx.Set(recordKey(l.dkey), rec.encode())
		return nil
	})
	if err != nil {
		return fmt.Errorf("core: keeping the manifest of %s: %w", l.key, err)
	}
	l.rec, l.auth = rec, a
	l.mu.Lock()
	l.info.manifest = a
	l.mu.Unlock()
	return nil
}
