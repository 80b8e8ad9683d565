package bee

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"

	"github.com/hypernode/hypernode/core"
)

// Bee is a sorted key/value store in a core, or a view of one: a version of it, or a part. Its methods may be called from
// several goroutines.
type Bee struct {
	s      *shared
	prefix []byte // of a sub
	pin    *pin   // of a version; nil follows the core
}

// shared is what a bee and its views have in common.
type shared struct {
	core    *core.Core
	options Options
	cache   *cache
	hints   *hints // nil without hints

	writing chan struct{} // holds one token while a change is made
}

// pin is the version that a view shows. The fork becomes known when the core is first seen to reach the version.
type pin struct {
	version uint64
	fork    atomic.Uint64 // plus one; 0 while it is unknown
}

// Entry is what a bee has for a key.
type Entry struct {
	// Seq is the block that put it.
	Seq uint64
	// Key and Value are the caller's. Value is nil when the key was put without one.
	Key, Value []byte
}

// newEntry copies key and value.
func newEntry(seq uint64, key, value []byte) Entry {
	both := make([]byte, len(key)+len(value))
	n := copy(both, key)
	copy(both[n:], value)
	e := Entry{Seq: seq, Key: both[:n:n]}
	if value != nil {
		e.Value = both[n:]
	}
	return e
}

// Open is OpenWith with the default options.
func Open(ctx context.Context, c *core.Core) (*Bee, error) { return OpenWith(ctx, c, Options{}) }

// OpenWith opens the bee in a core. The core stays the caller's, who closes it after the bee. Nothing is read: a core
// that holds no bee fails when it is used, or see [IsBee]. The header is written by the first change to an empty core.
//
// The core is not to be exclusive through another handle (see core.Exclusive), or changes wait for that. A bee that is
// only read shows what was replicated so far; when that is nothing, the first read asks the peers for the newest version,
// after that it is for core.Update to do so. Of several bees opened on one core the last takes part in the exchange of hints.
func OpenWith(ctx context.Context, c *core.Core, o Options) (*Bee, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Cache < 0 {
		return nil, fmt.Errorf("%w: a cache of %d bytes", ErrOptions, o.Cache)
	}
	if o.Cache == 0 {
		o.Cache = DefaultCache
	}
	s := &shared{core: c, options: o, cache: newCache(o.Cache), writing: make(chan struct{}, 1)}
	if !o.NoHints {
		s.hints = newHints(s)
	}
	return &Bee{s: s}, nil
}

// Close ends the exchange of hints and waits for its work. The core stays open. Closing a view or a sub does nothing,
// nor does a second call.
func (b *Bee) Close() error {
	if b.pin == nil && b.prefix == nil && b.s.hints != nil {
		b.s.hints.close()
	}
	return nil
}

// Core returns the core that the bee lies in.
func (b *Bee) Core() *core.Core { return b.s.core }

// Version returns the version that is shown, at least 1: a version is a length of the core, and shows the blocks before
// it. That of a bee grows as it is written to.
func (b *Bee) Version() uint64 {
	if b.pin != nil {
		return b.pin.version
	}
	return max(1, b.s.core.Head().Length)
}

// Writable tells that the bee can be changed through this handle.
func (b *Bee) Writable() bool {
	return b.pin == nil && !b.s.options.ReadOnly && b.s.core.Writable()
}

// At returns a read-only view of a version. Only lengths that the core had after an append show anything: a version in the
// midst of a batch cannot be read. A version that the core has not reached fails when it is used. A view of a core that
// moves to another fork fails with core.ErrTruncated from then on. A view needs no closing.
func (b *Bee) At(version uint64) *Bee {
	p := &pin{version: max(1, version)}
	if head := b.s.core.Head(); b.pin != nil {
		p.fork.Store(b.pin.fork.Load())
	} else if head.Length >= version && head.Length > 0 {
		p.fork.Store(head.Fork + 1)
	}
	return &Bee{s: b.s, prefix: b.prefix, pin: p}
}

// Snapshot returns a view of the version that is shown now.
func (b *Bee) Snapshot() *Bee { return b.At(b.Version()) }

// reach has the core reach a length, asking peers when it has not.
func (s *shared) reach(ctx context.Context, length uint64) error {
	if s.core.Head().Length >= length || s.core.Writable() {
		return nil
	}
	if err := s.core.Update(ctx); err != nil {
		return fmt.Errorf("bee: asking for the newest version: %w", err)
	}
	return nil
}

// view begins a read. The caller ends it.
func (b *Bee) view(ctx context.Context) (*view, error) {
	want := uint64(1)
	if b.pin != nil {
		want = b.pin.version
	}
	if want > 1 || b.pin == nil {
		if err := b.s.reach(ctx, want); err != nil {
			return nil, err
		}
	}
	head := b.s.core.Head()
	if b.pin == nil {
		return &view{s: b.s, fork: head.Fork, version: max(1, head.Length)}, nil
	}
	if head.Length < want && want > 1 {
		return nil, fmt.Errorf("%w: %d, the core has %d blocks", b.shortened(head), want, head.Length)
	}
	b.pin.fork.CompareAndSwap(0, head.Fork+1)
	if fork := b.pin.fork.Load() - 1; fork != head.Fork && want > 1 {
		return nil, fmt.Errorf("%w: the version belongs to fork %d, the core is at fork %d", core.ErrTruncated, fork, head.Fork)
	}
	return &view{s: b.s, fork: head.Fork, version: want}, nil
}

// shortened tells why the core does not reach the version of a view.
func (b *Bee) shortened(head core.Head) error {
	if fork := b.pin.fork.Load(); fork != 0 && fork-1 != head.Fork {
		return core.ErrTruncated
	}
	return ErrVersion
}

// whole turns a key of the view into one of the bee.
func (b *Bee) whole(key []byte) []byte {
	if b.prefix == nil {
		return key
	}
	return append(bytes.Clone(b.prefix), key...)
}

// part turns an entry of the bee into one of the view.
func (b *Bee) part(e Entry) Entry {
	e.Key = e.Key[len(b.prefix):]
	return e
}
