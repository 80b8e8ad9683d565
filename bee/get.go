package bee

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core"
)

// Get returns the entry of a key, or ErrNotFound. Blocks that are missing are fetched; peers are told which key is looked
// for, so that they can send all of them at once.
func (b *Bee) Get(ctx context.Context, key []byte) (Entry, error) {
	key = b.whole(key)
	for {
		e, err := b.get(ctx, key)
		if errors.Is(err, core.ErrTruncated) && b.pin == nil && ctx.Err() == nil {
			continue // the core moved to another fork meanwhile
		}
		return e, err
	}
}

func (b *Bee) get(ctx context.Context, key []byte) (Entry, error) {
	v, err := b.view(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer v.end()
	if v.seeking = key; key == nil {
		v.seeking = []byte{}
	}
	found, err := v.find(ctx, key)
	if err != nil {
		return Entry{}, err
	}
	if found == nil {
		return Entry{}, ErrNotFound
	}
	return b.part(found.entry()), nil
}

// find returns the block that holds a key, or nil. It asks the tree alone: that a block on the way put the key says nothing,
// it may have been deleted since.
func (v *view) find(ctx context.Context, key []byte) (*block, error) {
	var n node
	if ok, err := v.root(ctx, &n); !ok {
		return nil, err
	}
	for range maxHeight {
		i, b, err := v.search(ctx, &n, key)
		if b != nil || err != nil || n.leaf() {
			return b, err
		}
		if err := v.node(ctx, n.kid(i), &n); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: version %d: more than %d levels", ErrCorrupt, v.version, maxHeight)
}

// search looks for a key in a node: it returns the block that holds it, or the number of keys before it.
func (v *view) search(ctx context.Context, n *node, key []byte) (int, *block, error) {
	lo, hi := 0, n.width
	for lo < hi {
		mid := (lo + hi) / 2
		b, err := v.block(ctx, n.places[mid])
		if err != nil {
			return 0, nil, err
		}
		switch c := bytes.Compare(key, b.key); {
		case c == 0:
			return mid, b, nil
		case c < 0:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	return lo, nil, nil
}

// BySeq returns what block seq put or deleted; a delete has no value. It fails with ErrNotFound for the header and behind
// the end of the version that is shown.
func (b *Bee) BySeq(ctx context.Context, seq uint64) (Entry, error) {
	v, err := b.view(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer v.end()
	if seq == 0 || seq >= v.version {
		return Entry{}, fmt.Errorf("%w: block %d of version %d", ErrNotFound, seq, v.version)
	}
	found, err := v.block(ctx, seq)
	if err != nil {
		return Entry{}, err
	}
	if !bytes.HasPrefix(found.key, b.prefix) {
		return Entry{}, fmt.Errorf("%w: block %d is of another part", ErrNotFound, seq)
	}
	return b.part(found.entry()), nil
}
