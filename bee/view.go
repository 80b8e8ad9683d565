package bee

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypernode/hypernode/core"
)

// Once blocks of a group were missed often, the rest of the group is read along: groups are of that many blocks, if they
// are of a size that these bytes hold them. A walk over two versions skips most of what lies between, so it waits longer.
const (
	aroundBlocks = 32
	aroundBytes  = 16 << 10
	aroundAfter  = 2
	aroundLater  = 5
)

// errMissing ends a read that must not wait.
var errMissing = errors.New("bee: a block is not here")

// view is one read of one version of a bee. It is for one goroutine.
type view struct {
	s       *shared
	fork    uint64
	version uint64
	local   bool             // fail with errMissing in place of waiting
	lacking uint64           // the block that was missing then
	miss    func()           // told when a block must be waited for
	touched func(seq uint64) // told of each block that is used
	sparse  bool             // most blocks will not be needed
	seeking []byte           // the key that is looked for; peers are told of it once, when a block must be waited for

	handle *core.Core // pins the history; nil until a block was read
}

// end gives up what the view holds.
func (v *view) end() {
	if v.handle != nil {
		v.handle.Close()
	}
}

// block returns a decoded block.
func (v *view) block(ctx context.Context, seq uint64) (*block, error) {
	if seq == 0 || seq >= v.version {
		return nil, fmt.Errorf("%w: block %d of version %d", ErrCorrupt, seq, v.version)
	}
	if v.touched != nil {
		v.touched(seq)
	}
	if b := v.s.cache.get(v.fork, seq); b != nil {
		return b, nil
	}
	return v.read(ctx, seq)
}

// pinned returns a handle that reads no block of another fork.
func (v *view) pinned() (*core.Core, error) {
	if v.handle != nil {
		return v.handle, nil
	}
	h, err := v.s.core.At(v.version)
	if err != nil {
		return nil, err
	}
	if fork := h.Head().Fork; fork != v.fork {
		h.Close()
		return nil, fmt.Errorf("%w: fork %d became %d", core.ErrTruncated, v.fork, fork)
	}
	v.handle = h
	return h, nil
}

// read reads a block from the core, and those around it if they are here.
func (v *view) read(ctx context.Context, seq uint64) (*block, error) {
	c, err := v.pinned()
	if err != nil {
		return nil, err
	}
	here, err := c.Has(ctx, seq, seq+1)
	if err != nil {
		return nil, err
	}
	if here {
		if b, err := v.readAround(ctx, c, seq); b != nil || err != nil {
			return b, err
		}
	} else if v.local {
		v.lacking = seq
		return nil, errMissing
	} else {
		v.wait()
	}
	raw, err := c.Get(ctx, seq)
	if err != nil {
		return nil, fmt.Errorf("bee: reading block %d: %w", seq, err)
	}
	list := make([]block, 1)
	if err := list[0].decode(seq, raw); err != nil {
		return nil, err
	}
	v.s.cache.add(v.fork, list)
	return &list[0], nil
}

// wait tells peers what is wanted, before a block is waited for.
func (v *view) wait() {
	if v.miss != nil {
		v.miss()
	}
	if v.seeking != nil && v.s.hints != nil {
		v.s.hints.askGet(v.version, v.seeking)
		v.seeking = nil
	}
}

// readAround reads the group of blocks that a block lies in, if it was missed often and all of it is here and small. It
// returns nil when not, or when a block cannot be read.
func (v *view) readAround(ctx context.Context, c *core.Core, seq uint64) (*block, error) {
	n := v.s.around()
	start, end := seq&^(n-1), min(seq&^(n-1)+n, v.version)
	if start == 0 {
		start = 1
	}
	if n == 1 || end-start < 2 || !v.often(seq/n) {
		return nil, nil
	}
	if ok, err := c.Has(ctx, start, end); !ok || err != nil {
		return nil, err
	}
	list, size := make([][]byte, 0, end-start), 0
	for raw, err := range c.Blocks(ctx, start, end) {
		if err != nil {
			return nil, nil // the block alone will tell
		}
		list = append(list, raw)
		if size += len(raw); size > 4*aroundBytes {
			break // these are larger than most
		}
	}
	v.s.cache.decodeAll(v.fork, start, list)
	return v.s.cache.get(v.fork, seq), nil
}

// often tells whether a group was missed often enough to read all of it.
func (v *view) often(group uint64) bool {
	n := v.s.cache.miss(group)
	if v.sparse {
		return n >= aroundLater
	}
	return n >= aroundAfter
}

// around returns how many blocks are read at a time, a power of two.
func (s *shared) around() uint64 {
	head := s.core.Head()
	if head.Length == 0 {
		return 1
	}
	n, size := uint64(aroundBlocks), head.ByteLength/head.Length+1
	for n > 1 && n*size > aroundBytes {
		n /= 2
	}
	return n
}

// node reads a node of the tree.
func (v *view) node(ctx context.Context, l link, n *node) error {
	b, err := v.block(ctx, l.seq)
	if err != nil {
		return err
	}
	return b.node(l.off, n)
}

// root reads the root of the tree; ok is false for the empty tree of a version without a block.
func (v *view) root(ctx context.Context, n *node) (ok bool, err error) {
	if v.version < 2 {
		return false, nil
	}
	err = v.node(ctx, link{seq: v.version - 1}, n)
	if errors.Is(err, ErrCorrupt) {
		return false, fmt.Errorf("%w: %d: %w", ErrVersion, v.version, err)
	}
	return err == nil, err
}
