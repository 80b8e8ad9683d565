package bee

import (
	"context"
	"fmt"
	"slices"

	"github.com/hypernode/hypernode/core"
)

// Put sets the value of a key; nil puts the key without a value.
func (b *Bee) Put(ctx context.Context, key, value []byte) error {
	return b.Update(ctx, func(tx *Batch) error { return tx.Put(key, value) })
}

// PutIf is Put, but when the key exists ok decides, knowing what is there and what would be. It tells whether the key was
// put. No other change through a bee on this core comes in between.
func (b *Bee) PutIf(ctx context.Context, key, value []byte, ok func(prev, next Entry) bool) (put bool, err error) {
	err = b.Update(ctx, func(tx *Batch) (err error) {
		put, err = tx.PutIf(key, value, ok)
		return err
	})
	return put && err == nil, err
}

// Delete removes a key. One that is not there is not an error, and writes nothing.
func (b *Bee) Delete(ctx context.Context, key []byte) error {
	return b.Update(ctx, func(tx *Batch) error { return tx.Delete(key) })
}

// DeleteIf is Delete, but ok decides, knowing what is there. It tells whether the key was deleted.
func (b *Bee) DeleteIf(ctx context.Context, key []byte, ok func(prev, next Entry) bool) (deleted bool, err error) {
	err = b.Update(ctx, func(tx *Batch) (err error) {
		deleted, err = tx.DeleteIf(key, ok)
		return err
	})
	return deleted && err == nil, err
}

// Update runs fn and appends the changes that it made, all in one commit, one block for each. When fn fails, or panics,
// nothing is appended. Updates through all bees on one core follow each other; one begun within fn never gets its turn. The
// versions between are not readable: only the one after the Update is.
//
// It fails with ErrReadOnly, core.ErrNotWritable, ErrCorrupt when the core holds something else, the error of fn, core.ErrMoved when something else appended to the core
// meanwhile, or as core.AppendTogether does.
func (b *Bee) Update(ctx context.Context, fn func(tx *Batch) error) error {
	if b.pin != nil || b.s.options.ReadOnly {
		return ErrReadOnly
	}
	if !b.s.core.Writable() {
		return core.ErrNotWritable
	}
	unlock, err := b.s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	head := b.s.core.Head()
	if head.Length == 1 {
		if err := b.s.known(ctx); err != nil {
			return err
		}
	}
	v := &view{s: b.s, fork: head.Fork, version: max(1, head.Length)}
	defer v.end()
	x, err := b.batch(ctx, v)
	if err != nil {
		return err
	}
	defer func() { x.done = true }()
	if err := fn(x); err != nil {
		return err
	}
	if x.err != nil {
		return x.err
	}
	return x.commit(ctx, head)
}

// lock makes the caller the only one who changes a bee on this core. The token of the core keeps other bees out, the channel
// the goroutines of this one.
func (s *shared) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h, err := s.core.At(0)
	if err == nil {
		if err = h.Exclusive(ctx); err != nil {
			h.Close()
		}
	}
	if err != nil {
		<-s.writing
		return nil, err
	}
	return func() {
		h.Close()
		<-s.writing
	}, nil
}

// batch begins a batch on the version of a view.
func (b *Bee) batch(ctx context.Context, v *view) (*Batch, error) {
	t := &tree{
		load: func(seq uint64) (*block, error) { return v.block(ctx, seq) },
		loadNode: func(l link) (*treeNode, error) {
			var n node
			if err := v.node(ctx, l, &n); err != nil {
				return nil, err
			}
			return thaw(&n), nil
		},
		skipSame: b.s.options.SkipSame,
		base:     v.version,
	}
	var root node
	ok, err := v.root(ctx, &root)
	if err != nil {
		return nil, err
	}
	if ok {
		t.root = thaw(&root)
	}
	return &Batch{b: b, t: t}, nil
}

// commit appends the blocks of the batch, behind the header if the core is empty, together with what belongs to them.
func (x *Batch) commit(ctx context.Context, head core.Head) error {
	s, blocks := x.b.s, x.t.flush()
	made := blocks
	if head.Length == 0 && x.used {
		h := Header{Protocol: protocol, Metadata: s.options.Metadata}
		made = append([][]byte{h.encode()}, blocks...)
	}
	// What the entries speak of gets visible before them.
	appends := append(slices.Clone(x.with), core.Appending{Core: s.core, Blocks: made, At: head.Length})
	if err := core.AppendTogether(ctx, appends...); err != nil {
		return fmt.Errorf("bee: appending %d blocks: %w", len(made), err)
	}
	s.cache.decodeAll(head.Fork, x.t.base, blocks)
	return nil
}
