package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Prove answers a peer's request from what is stored, showing no more than Served. It never asks the source.
//
// It fails with ErrNotAvailable when a block or node that the answer needs is not here, or the request is for another fork; with
// merkle.ErrInvalidRequest when no honest peer would ask that; with a *ConflictError when the core is frozen (the proof of
// the conflict is all that is to be told).
func (c *Core) Prove(ctx context.Context, q *merkle.Request) (*merkle.Proof, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	st, err := c.log.shown(ctx)
	if err != nil {
		return nil, err
	}
	p, err := c.log.prove(ctx, st, q)
	if err != nil {
		return nil, notStored(err)
	}
	return p, nil
}

// notStored makes an error about nodes that are not here, or of another fork, an ErrNotAvailable.
func notStored(err error) error {
	for _, e := range []error{merkle.ErrWrongFork, merkle.ErrMissingNode, merkle.ErrUnsureSize} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ErrNotAvailable, err)
		}
	}
	return err
}

// shown returns the state that peers may be shown, with its roots. While there was no session nobody asked for the sync of what
// was signed here; that is made up for.
func (l *log) shown(ctx context.Context) (*state, error) {
	l.mu.Lock()
	err := l.aliveLocked()
	if l.info.frozen {
		err = &ConflictError{Proof: l.conflict}
	}
	session := l.session
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if session == nil {
		before, st := l.served.Load(), l.current.Load()
		if err := l.db.Sync(ctx); err != nil && !errors.Is(err, datastore.ErrReadOnly) {
			return nil, err
		}
		l.served.CompareAndSwap(before, st)
	}
	if _, err := l.rooted(ctx); err != nil {
		return nil, err
	}
	st := l.served.Load()
	if st.roots == nil {
		return l.readRoots(ctx, st)
	}
	return st, nil
}

// prove builds the answer and checks afterwards that the log was not cut meanwhile.
func (l *log) prove(ctx context.Context, st *state, q *merkle.Request) (*merkle.Proof, error) {
	t := st.tree()
	a := l.authority()
	var prologue *merkle.Prologue
	if a != nil {
		if pro, ok := a.Prologue(); ok {
			prologue = &pro
		}
	}
	if q.Block != nil && q.Block.Index < st.length {
		if err := l.need(ctx, q.Block.Index); err != nil {
			return nil, err
		}
	}
	var p *merkle.Proof
	var unread error // why the block could not be read
	err := l.db.View(ctx, func(tx *datastore.Tx) (err error) {
		r := l.nodeReader(tx)
		r.length = st.length
		if p, err = merkle.Prove(r, &t, prologue, q); err == nil && p.Block != nil {
			p.Block.Value, unread = tx.Block(blockKey(l.id, q.Block.Index))
		}
		return err
	})
	if err == nil && lost(unread) {
		if p.Block.Value, unread = l.recheck(ctx, q.Block.Index); unread != nil {
			unread = fmt.Errorf("%w: %w", ErrNotAvailable, unread)
		}
	}
	if err = cmp.Or(err, unread); err != nil {
		return nil, err
	}
	if l.settled(); l.current.Load().fork != st.fork {
		return nil, merkle.ErrWrongFork // the nodes may be of the new fork already
	}
	if p.Upgrade != nil {
		p.Upgrade.Signature = st.signature
	}
	if q.Manifest && a != nil && !a.Compat() {
		p.Manifest = a.Manifest().Encode()
	}
	return p, nil
}

// MissingNodes returns how many levels of the path from a block up to the first stored node are missing: what a request for the
// block says.
func (c *Core) MissingNodes(ctx context.Context, block uint64) (n uint64, err error) {
	err = c.withTree(ctx, func(r merkle.Reader, t *merkle.Tree) (err error) {
		n, err = merkle.MissingNodes(r, 2*block, t.Length)
		return err
	})
	return n, err
}

// Provable tells whether the way from the first length blocks to the head can be proven: whether the roots of that length
// are stored.
func (c *Core) Provable(ctx context.Context, length uint64) (bool, error) {
	st := c.log.current.Load()
	if length <= st.contiguous || length == st.length {
		return length <= st.length, nil
	}
	err := c.withTree(ctx, func(r merkle.Reader, t *merkle.Tree) error {
		_, err := merkle.TreeAt(r, t, length)
		return err
	})
	if errors.Is(notStored(err), ErrNotAvailable) || errors.Is(err, merkle.ErrOutOfRange) {
		return false, nil
	}
	return err == nil, err
}
