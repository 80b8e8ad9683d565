package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Report is what Verify found.
type Report struct {
	// Blocks and Nodes are how many were looked at.
	Blocks, Nodes uint64
	// BadBlocks are held and do not match the tree. Verify drops them, but for a read-only handle: they count as missing then.
	BadBlocks []uint64
	// BadNodes are tree nodes that are missing or do not match their children; a peer's proofs bring them again.
	BadNodes []uint64
	// Signature tells whether the head is signed as it must be.
	Signature error
}

// OK tells that nothing is wrong.
func (r *Report) OK() bool {
	return len(r.BadBlocks) == 0 && len(r.BadNodes) == 0 && r.Signature == nil
}

// Verify reads and hashes all that is held and holds it against the tree, the tree against its roots, the roots against the
// signature. Nothing but bad blocks is ever dropped, and by a read-only handle nothing at all. Changes may go on meanwhile: what
// comes or goes is not found to be bad by that. The error is that of the store, or of ctx.
func (c *Core) Verify(ctx context.Context) (*Report, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	rep := new(Report)
	st, err := c.log.rooted(ctx)
	if errors.Is(err, ErrCorrupt) {
		rep.Signature = err
		st, err = c.log.current.Load(), nil
	}
	if err != nil {
		return nil, err
	}
	if a := c.log.authority(); rep.Signature == nil && a != nil && st.length > 0 {
		t := st.tree()
		rep.Signature = a.VerifyTree(&t, st.signature)
	}
	held, err := c.Held(ctx, 0, st.length)
	if err != nil {
		return nil, err
	}
	for _, r := range held {
		if err := c.verifyBlocks(ctx, r, rep); err != nil {
			return nil, err
		}
	}
	return rep, c.log.verifyNodes(ctx, st, rep)
}

// verifyBlocks hashes the blocks of a range.
func (c *Core) verifyBlocks(ctx context.Context, r Range, rep *Report) error {
	for i := r.Start; i < r.End; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, leaf, err := c.log.blockAndLeaf(ctx, i)
		if err != nil && !lost(err) {
			return err
		}
		rep.Blocks++
		if err == nil && !leaf.IsZero() && merkle.Leaf(i, b).Hash == leaf.Hash {
			continue
		}
		if err := c.verifyAgain(ctx, i, rep); err != nil {
			return fmt.Errorf("core: verifying block %d: %w", i, err)
		}
	}
	return nil
}

// verifyAgain looks at a block that seems bad with changes held off, and drops it if it is.
func (c *Core) verifyAgain(ctx context.Context, i uint64, rep *Report) error {
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	st := l.current.Load()
	if ok, err := l.has(ctx, i); err != nil || !ok {
		return err // it went meanwhile
	}
	b, leaf, err := l.blockAndLeaf(ctx, i)
	if err != nil && !lost(err) {
		return err
	}
	if leaf.IsZero() {
		rep.BadNodes = append(rep.BadNodes, 2*i)
	}
	if err == nil && (leaf.IsZero() || merkle.Leaf(i, b).Hash == leaf.Hash) {
		return nil
	}
	rep.BadBlocks = append(rep.BadBlocks, i)
	if c.readOnly {
		return nil
	}
	return notWritten(l.drop(ctx, st, Range{i, i + 1}, Range{}))
}

// verifyNodes holds each stored parent against its children.
func (l *log) verifyNodes(ctx context.Context, st *state, rep *Report) error {
	lo := dataKey(l.id).Kind(itemTree)
	return l.db.View(ctx, func(tx *datastore.Tx) error {
		if now, err := l.readState(tx); err == nil {
			st = now // which the nodes in this view belong to
		}
		r := l.nodeReader(tx)
		for rec, err := range tx.Scan(lo, lo.End(), false) {
			var p nodePage
			id, ok := parsePageKey(bytes.TrimPrefix(rec.Key, lo))
			if errors.Is(err, datastore.ErrCorrupt) || (err == nil && (!ok || p.decode(rec.Value) != nil)) {
				rep.BadNodes = append(rep.BadNodes, id.index(0))
				continue
			}
			if err != nil {
				return err
			}
			if err := p.verify(id, r, st.length, rep); err != nil {
				return err
			}
		}
		return nil
	})
}

func parsePageKey(b []byte) (id pageID, ok bool) {
	if id.level, b, ok = datastore.ParseUint(b); !ok || id.level >= pageLevels {
		return pageID{}, false
	}
	id.page, _, ok = datastore.ParseUint(b)
	return id, ok
}

// verify checks the parents in a page.
func (p *nodePage) verify(id pageID, r merkle.Reader, length uint64, rep *Report) error {
	for slot := range uint64(pageSlots) {
		n := p.node(id, slot)
		left, right, inner := merkle.Children(n.Index)
		if n.IsZero() || !inner {
			continue
		}
		rep.Nodes++
		children, err := r.ReadNodes([]uint64{left, right})
		if err != nil {
			return err
		}
		if children[0].IsZero() || children[1].IsZero() {
			continue
		}
		if up := merkle.Parent(children[0], children[1]); up.Hash != n.Hash || !merkle.Complete(n.Index, length) {
			rep.BadNodes = append(rep.BadNodes, n.Index)
		}
	}
	return nil
}
