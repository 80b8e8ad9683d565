package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Append adds blocks to the end of the log and returns the index of the first. When it returns, the blocks are on stable
// storage, or with the durability "process" handed to the kernel. Blocks appended by one call follow each other; calls
// from several goroutines share commits. The bytes are not kept.
//
// It fails with ErrNotWritable, ErrBlockSize, a *ConflictError, ErrRolledBack, ErrEncrypted, or an error of the store,
// for example datastore.ErrTooLarge or datastore.ErrNoSpace; then nothing was appended. When ctx ends while the append
// waits for its turn nothing is appended either.
func (c *Core) Append(ctx context.Context, blocks ...[]byte) (first uint64, err error) {
	call, err := c.newAppend(blocks)
	if err != nil {
		return 0, err
	}
	if err := c.log.queue.join(ctx, call); err != nil {
		return 0, err
	}
	if call.lead {
		c.log.queue.run(c.log, call)
	}
	return call.first, call.err
}

// newAppend refuses what cannot be appended whatever the log holds.
func (c *Core) newAppend(blocks [][]byte) (*appendCall, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if !c.Writable() {
		return nil, ErrNotWritable
	}
	call := &appendCall{core: c, blocks: blocks}
	for _, b := range blocks {
		if uint64(len(b))+c.padding() > MaxBlock {
			return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrBlockSize, len(b), MaxBlock-c.padding())
		}
		call.size += len(b)
	}
	return call, nil
}

// appendGroup appends the blocks of all calls in one commit.
func (l *log) appendGroup(group []*appendCall) {
	l.write.Lock()
	defer l.write.Unlock()
	a, err := l.prepareAppend(group)
	if err == nil && a != nil {
		err = a.commit()
	}
	if err != nil {
		for _, call := range group {
			call.first, call.err = 0, cmp.Or(call.err, err)
		}
	}
}

// appending is an append between its preparation and its commit.
type appending struct {
	log   *log
	from  *state
	next  *state
	batch *merkle.Batch
	data  [][]byte // as they are stored
	held  *heldChange
	edge  []edge
}

// prepareAppend encrypts, hashes and signs. It returns nil when there is nothing to append.
func (l *log) prepareAppend(group []*appendCall) (*appending, error) {
	ctx := context.Background()
	if err := l.usable(); err != nil {
		return nil, err
	}
	st, err := l.rooted(ctx)
	if err != nil {
		return nil, err
	}
	if st.recover > 0 {
		return nil, fmt.Errorf("%w: not all blocks from %d to %d are here", ErrRolledBack, st.since, st.recover-1)
	}
	a := &appending{log: l, from: st}
	if a.collect(group); len(a.data) == 0 {
		return nil, nil
	}
	a.batch = merkle.NewBatch(st.tree())
	a.batch.AppendBlocks(a.data)
	signature, err := group[0].core.signTree(&a.batch.Tree)
	if err != nil {
		return nil, err
	}
	a.next = st.withTree(&a.batch.Tree, signature)
	a.held, err = l.changeHeld(ctx, st, a.next, []Range{{st.length, a.next.length}}, nil)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// collect gives each call its index and takes its blocks, encrypted if it asks for that. A call that would write plain
// blocks to an encrypted core is left out.
func (a *appending) collect(group []*appendCall) {
	index := a.from.length
	for _, call := range group {
		cipher := call.core.blockCipher()
		if cipher == nil && a.log.rec.Encrypted {
			call.err = ErrEncrypted
			continue
		}
		call.first = index
		for _, b := range call.blocks {
			if cipher != nil {
				b = cipher.seal(index, a.from.fork, b)
			}
			a.data = append(a.data, b)
			index++
		}
	}
}

// signTree returns the signature field for a tree.
func (c *Core) signTree(t *merkle.Tree) ([]byte, error) {
	if c.log.auth == nil {
		return nil, fmt.Errorf("%w: the manifest of %s is not known", ErrNotWritable, c.log.key)
	}
	if c.sign != nil {
		sig, err := c.sign(t)
		if err != nil {
			return nil, fmt.Errorf("core: signing: %w", err)
		}
		if err := c.log.auth.VerifyTree(t, sig); err != nil {
			return nil, fmt.Errorf("core: the signature that was made does not verify: %w", err)
		}
		return sig, nil
	}
	sig, err := c.log.auth.Sign(c.pair, t)
	if err != nil {
		return nil, fmt.Errorf("core: signing: %w", err)
	}
	return sig, nil
}

// commit stores the append and publishes it. A crash at any moment leaves the log as it was before, or with all of it.
func (a *appending) commit() error {
	l := a.log
	err := l.update(a.publication(), a.write)
	if err != nil {
		l.edge = nil
		return fmt.Errorf("core: appending to %s: %w", l.key, err)
	}
	l.edge = a.edge
	return nil
}

func (a *appending) publication() *publication {
	return &publication{state: a.next, held: a.held, have: []Range{{a.from.length, a.next.length}}, local: true, fresh: a.fresh()}
}

// write puts blocks, pages of nodes, bitmap and head.
func (a *appending) write(tx *datastore.Tx) error {
	l := a.log
	prefix := dataKey(l.id)
	for i, b := range a.data {
		tx.SetBlock(prefix.Uint(a.from.length+uint64(i)), b)
	}
	w := nodeWriter{tx: tx, id: l.id, edge: slices.Clone(l.edge), from: a.from.length}
	if err := w.put(a.batch.Nodes); err != nil {
		return err
	}
	a.edge = w.edge
	a.held.write(tx, l)
	tx.Set(headKey(l.id), a.next.encode())
	return nil
}
