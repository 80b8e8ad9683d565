package core

import (
	"context"
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/compact"
)

// Truncate cuts the log to length blocks and begins a new fork, which every reader follows. Snapshots of more than that
// end with ErrTruncated. What it cuts is gone. It is durable as an append is.
//
// It fails with ErrOutOfRange behind the end, with ErrNotWritable, a *ConflictError or ErrRolledBack, and with
// ErrNotAvailable when the tree of that length is not here: Clear has removed it together with the blocks around.
func (c *Core) Truncate(ctx context.Context, length uint64) error {
	return c.truncate(ctx, length, func(st *state) uint64 { return st.fork + 1 })
}

// TruncateTo is Truncate with the number of the new fork, which must be above the present one and below 2^53.
func (c *Core) TruncateTo(ctx context.Context, length, fork uint64) error {
	return c.truncate(ctx, length, func(*state) uint64 { return fork })
}

func (c *Core) truncate(ctx context.Context, length uint64, fork func(*state) uint64) error {
	if err := c.check(); err != nil {
		return err
	}
	if !c.Writable() {
		return ErrNotWritable
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	st, err := l.rooted(ctx)
	if err != nil {
		return err
	}
	switch to := fork(st); {
	case length > st.length:
		return fmt.Errorf("%w: cutting %d blocks to %d", ErrOutOfRange, st.length, length)
	case to <= st.fork || to > compact.MaxSafe:
		return fmt.Errorf("%w: fork %d after fork %d", ErrOptions, to, st.fork)
	case st.recover > 0:
		return ErrRolledBack
	default:
		return c.cut(ctx, st, length, to)
	}
}

// cut signs and commits the tree of the first length blocks under a new fork. The caller holds write.
func (c *Core) cut(ctx context.Context, st *state, length, fork uint64) error {
	l := c.log
	old := st.tree()
	var tree merkle.Tree
	err := l.db.View(ctx, func(tx *datastore.Tx) (err error) {
		tree, err = merkle.TreeAt(l.nodeReader(tx), &old, length)
		return err
	})
	if err != nil {
		return fmt.Errorf("core: truncating %s to %d: %w", l.key, length, notStored(err))
	}
	tree.Fork = fork
	signature, err := c.signTree(&tree)
	if err != nil {
		return err
	}
	next := st.withTree(&tree, signature)
	return l.commitCut(ctx, st, next, length, nil, nil, true)
}

// commitCut replaces everything from block keep on by what next says, in one commit: a truncation, or a move to another fork.
// nodes and block come with it.
func (l *log) commitCut(ctx context.Context, st, next *state, keep uint64, nodes []merkle.Node, block *merkle.BlockProof, local bool) error {
	var have, dropped []Range
	if block != nil {
		have = []Range{{block.Index, block.Index + 1}}
	}
	if keep < st.length {
		dropped = []Range{{keep, st.length}}
	}
	held, err := l.changeHeld(ctx, st, next, have, dropped)
	if err != nil {
		return err
	}
	pub := &publication{
		state: next, held: held, have: have, dropped: dropped, cut: true, cutTo: keep, local: local,
	}
	l.edge, l.reorg = nil, nil // both are about the tree as it was
	defer l.beginCut()()
	err = l.update(pub, func(tx *datastore.Tx) error {
		for _, r := range dropped {
			tx.DeleteBlocks(blockKey(l.id, r.Start), blockKey(l.id, r.End))
		}
		if err := cutNodes(tx, l.id, keep, st.length); err != nil {
			return err
		}
		sortRows(nodes)
		w := nodeWriter{tx: tx, id: l.id, from: keep}
		if err := w.put(nodes); err != nil {
			return err
		}
		if block != nil {
			tx.SetBlock(blockKey(l.id, block.Index), block.Value)
		}
		held.write(tx, l)
		tx.Set(headKey(l.id), next.encode())
		return nil
	})
	if err != nil {
		return fmt.Errorf("core: cutting %s to %d: %w", l.key, keep, err)
	}
	return nil
}
