package core

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

// Info is what there is to tell about a core on this node.
type Info struct {
	Key        keys.Key
	Discovery  keys.DiscoveryKey
	Head       Head
	TreeHash   merkle.Hash
	Contiguous uint64 // leading blocks that are held
	Held       uint64 // all blocks that are held
	Writable   bool
	Compat     bool
	Encrypted  bool
	Frozen     bool
	RolledBack bool // see ErrRolledBack
	Disk       Disk
}

// Disk is what a core takes in the store, in bytes, keys included. An engine adds its own overhead, or compresses.
type Disk struct {
	Blocks, Tree, Bitmap, User, Other uint64
}

// Total is the sum.
func (d Disk) Total() uint64 { return d.Blocks + d.Tree + d.Bitmap + d.User + d.Other }

// Info gathers what there is to tell. Disk use is counted by reading all records of the core but its blocks.
func (c *Core) Info(ctx context.Context) (i Info, err error) {
	if err := c.check(); err != nil {
		return i, err
	}
	for {
		i, err = c.still().info(ctx)
		if c.pin != nil || !errors.Is(err, ErrTruncated) {
			i.Writable = c.Writable()
			return i, err
		} // the log was cut meanwhile
	}
}

// info is Info for a snapshot, so that all of it is about one head.
func (c *Core) info(ctx context.Context) (i Info, err error) {
	l, st := c.log, c.state()
	l.mu.Lock()
	frozen := l.info.frozen
	l.mu.Unlock()
	i = Info{
		Key: l.key, Discovery: l.dkey, Head: c.Head(), TreeHash: st.treeHash, Contiguous: c.Contiguous(),
		Compat: c.Compat(), Encrypted: c.Encrypted(), Frozen: frozen, RolledBack: st.recover > 0,
	}
	held, err := c.Held(ctx, 0, i.Head.Length)
	if err != nil {
		return i, err
	}
	for _, r := range held {
		i.Held += r.End - r.Start
	}
	if i.Disk, err = l.disk(ctx); err != nil {
		return i, err
	}
	i.Disk.Blocks, err = c.heldBytes(ctx, held)
	return i, err
}

// disk adds up the records of a core by kind.
func (l *log) disk(ctx context.Context) (d Disk, err error) {
	lo := dataKey(l.id)
	err = l.db.View(ctx, func(tx *datastore.Tx) error {
		for rec, err := range tx.Scan(lo, lo.End(), false) {
			if errors.Is(err, datastore.ErrCorrupt) {
				continue
			}
			if err != nil {
				return err
			}
			n := uint64(len(rec.Key) + len(rec.Value))
			switch rec.Key[len(lo)] {
			case itemTree:
				d.Tree += n
			case itemBitmap:
				d.Bitmap += n
			case itemUser:
				d.User += n
			default:
				d.Other += n
			}
		}
		return nil
	})
	return d, err
}

// heldBytes is the size of the blocks in ranges, as they are stored, as far as the tree tells.
func (c *Core) heldBytes(ctx context.Context, held []Range) (sum uint64, err error) {
	err = c.withTree(ctx, func(r merkle.Reader, t *merkle.Tree) error {
		for _, h := range held {
			from, err := merkle.ByteOffset(r, t, h.Start)
			if err != nil {
				return err
			}
			to, err := merkle.ByteOffset(r, t, h.End)
			if err != nil {
				return err
			}
			sum += to - from
		}
		return nil
	})
	if errors.Is(err, merkle.ErrMissingNode) || errors.Is(err, merkle.ErrUnsureSize) {
		return sum, nil
	}
	return sum, err
}
