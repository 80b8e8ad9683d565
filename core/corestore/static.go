package corestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// A commit of a copy takes this many blocks, or bytes and one block.
const (
	staticBlocks = 1024
	staticBytes  = 4 << 20
)

// Static makes a static core of what a log holds now: a core that nobody signs and nobody can change, whose key is made of its
// content. The same blocks always give the same key. The log must be complete here, else ErrIncomplete. Its blocks are copied as
// they are stored: what was encrypted stays so.
//
// A copy that is interrupted goes on when Static is called again.
func (s *Store) Static(ctx context.Context, from *core.Core) (*core.Core, error) {
	if s.root.options.ReadOnly {
		return nil, core.ErrNotWritable
	}
	source, err := from.Snapshot()
	if err != nil {
		return nil, err
	}
	defer source.Close()
	first, err := s.whole(ctx, source)
	if err != nil {
		return nil, err
	}
	tree, err := merkle.NewTree(0, first.Upgrade.Nodes)
	if err != nil {
		return nil, err
	}
	c, err := s.Open(ctx, Manifest(manifest.Static(&tree)))
	if err != nil {
		return nil, err
	}
	if err := copyStatic(ctx, source, c, first); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// whole returns the proof of a whole log, as a static core takes it.
func (s *Store) whole(ctx context.Context, source *core.Core) (*merkle.Proof, error) {
	head := source.Head()
	if ok, err := source.Has(ctx, 0, head.Length); err != nil || !ok || head.Length == 0 {
		return nil, errors.Join(err, fmt.Errorf("%w: %d of %d blocks", ErrIncomplete, source.Contiguous(), head.Length))
	}
	if source.Served().Length < head.Length {
		if err := s.synced(ctx); err != nil {
			return nil, err
		}
	}
	p, err := source.Prove(ctx, &merkle.Request{Fork: head.Fork, Upgrade: &merkle.UpgradeRequest{Length: head.Length}})
	if err != nil {
		return nil, err
	}
	p.Request, p.Fork = 1, 0
	p.Upgrade.Signature, p.Upgrade.Additional = nil, nil
	return p, nil
}

// synced returns when what was committed before is on stable storage and may be shown.
func (s *Store) synced(ctx context.Context) error {
	if err := s.root.db.Sync(ctx); err != nil {
		return err
	}
	shown := make(chan struct{})
	err := s.root.db.Update(ctx, func(tx *datastore.Tx) error {
		tx.OnSynced(func() { close(shown) }) // called after those of the commits before
		return nil
	})
	if err != nil {
		return err
	}
	return wait(ctx, shown)
}

// copyStatic brings the blocks over as a peer would: with their proofs.
func copyStatic(ctx context.Context, source, c *core.Core, first *merkle.Proof) error {
	if c.Head().Length == 0 {
		if err := apply(ctx, c, first); err != nil {
			return err
		}
	}
	for i := c.Contiguous(); i < source.Head().Length; {
		step, err := proofs(ctx, source, c, i)
		if err != nil {
			return err
		}
		if err := apply(ctx, c, step...); err != nil {
			return err
		}
		i += uint64(len(step))
	}
	return nil
}

// proofs returns the proofs of some blocks, from i on.
func proofs(ctx context.Context, source, c *core.Core, i uint64) (step []*merkle.Proof, err error) {
	head := source.Head()
	for size := 0; i < head.Length && len(step) < staticBlocks && size < staticBytes; i++ {
		nodes, err := c.MissingNodes(ctx, i)
		if err != nil {
			return nil, err
		}
		p, err := source.Prove(ctx, &merkle.Request{ID: 1, Fork: head.Fork, Block: &merkle.BlockRequest{Index: i, Nodes: nodes}})
		if err != nil {
			return nil, err
		}
		p.Fork = 0
		step = append(step, p)
		size += len(p.Block.Value)
	}
	return step, nil
}

func apply(ctx context.Context, c *core.Core, proofs ...*merkle.Proof) error {
	verdicts, err := c.Apply(ctx, proofs...)
	for _, v := range verdicts {
		if err == nil {
			err = v.Err
		}
	}
	return err
}
