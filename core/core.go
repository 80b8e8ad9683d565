package core

import (
	"context"
	"sync/atomic"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
)

// Core is a handle on a signed append-only log. All handles of a log see the same blocks. Methods may be called from
// several goroutines. Close every handle; the log closes with the last.
type Core struct {
	log    *log
	pair   keys.Pair
	sign   func(t *merkle.Tree) ([]byte, error)
	enc    Encryption
	cipher atomic.Pointer[blockCipher]

	readOnly  bool
	weak      bool  // the session's own handle: it does not keep the log open
	pin       *pin  // set for a snapshot
	of        *Core // the handle that an uncounted snapshot ends with, see still
	exclusive bool  // holds the log's token; guarded by the log's mu
	closed    atomic.Bool
	onClose   func()
}

// Key returns the public key: who has it may read.
func (c *Core) Key() keys.Key { return c.log.key }

// DiscoveryKey returns the key under which peers find each other without telling what they share.
func (c *Core) DiscoveryKey() keys.DiscoveryKey { return c.log.dkey }

// Parent returns the discovery key of the core that names this one, as a handle said with Options.Parent; zero if none did.
func (c *Core) Parent() keys.DiscoveryKey {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.log.parent
}

// Manifest returns who may sign, or nil while a core opened by key alone has not met a peer that knows.
func (c *Core) Manifest() *manifest.Manifest {
	if a := c.log.authority(); a != nil {
		return a.Manifest()
	}
	return nil
}

// Compat tells that this is a Hypercore 10 core, whose key is its signer's public key.
func (c *Core) Compat() bool {
	a := c.log.authority()
	return a != nil && a.Compat()
}

// Writable tells that this handle can append.
func (c *Core) Writable() bool {
	return !c.readOnly && c.pin == nil && (c.sign != nil || !c.pair.IsZero())
}

// Signs tells that this node signs the log, be it through another handle.
func (c *Core) Signs() bool {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.log.signer
}

// Encrypted tells that this handle encrypts and decrypts.
func (c *Core) Encrypted() bool { return !c.enc.IsZero() }

// Head returns how far the log reaches; for a snapshot, how far it reached then.
func (c *Core) Head() Head {
	if c.pin != nil {
		return c.pin.head
	}
	return c.head(c.log.current.Load())
}

// head is the head of a state as this handle counts bytes.
func (c *Core) head(st *state) Head {
	return Head{Fork: st.fork, Length: st.length, ByteLength: st.byteLength - c.padding()*st.length}
}

// padding is the number of bytes of each stored block that are not the user's.
func (c *Core) padding() uint64 {
	if c.enc.IsZero() {
		return 0
	}
	return padding
}

// Served returns the head that peers may be shown. It lags behind Head while blocks that were signed here wait for
// their sync.
func (c *Core) Served() Head { return c.head(c.log.served.Load()) }

// Sync returns once all that is visible now is on stable storage, and so is shown to peers. With full durability that is so
// when an append returns.
func (c *Core) Sync(ctx context.Context) error {
	head := c.Head()
	if c.log.source() == nil {
		if err := c.check(); err != nil {
			return err
		}
		_, err := c.log.shown(ctx)
		return err
	}
	if err := c.log.db.Sync(ctx); err != nil {
		return err
	}
	for { // the sync may have ended a moment before what waited for it is shown
		changed := c.log.waitChange()
		if err := c.check(); err != nil {
			return err
		}
		if s := c.Served(); s.Fork > head.Fork || s.Fork == head.Fork && s.Length >= head.Length {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// TreeHash returns the hash that, with length and fork, stands for the whole log.
func (c *Core) TreeHash() merkle.Hash { return c.state().treeHash }

// Signature returns the signature of the head as it is stored and sent: nil for an empty log and for a static core.
func (c *Core) Signature() []byte { return append([]byte(nil), c.state().signature...) }

// state is the state whose head the handle shows; an empty one for the beginning of a log.
func (c *Core) state() *state {
	switch {
	case c.pin == nil:
		return c.log.current.Load()
	case c.pin.state == nil:
		return &state{}
	}
	return c.pin.state
}

// Contiguous returns the number of leading blocks that are held: none of a snapshot that was cut.
func (c *Core) Contiguous() uint64 {
	n := c.log.current.Load().contiguous
	if c.pin == nil {
		return n
	}
	if c.whole() != nil {
		return 0
	}
	return min(n, c.pin.head.Length)
}

// Conflict returns the proof that two histories were signed, or nil.
func (c *Core) Conflict() *merkle.ConflictProof {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.log.conflict
}

// Session returns another handle on the same log, with options of its own: Pair, Derived, Sign, Encryption, ReadOnly and
// OnClose count as they do for Open, the rest was settled when the core was opened; without Pair and Sign it writes as
// the other handles can. It fails with ErrClosed once the log is closed.
func (c *Core) Session(o Options) (*Core, error) {
	l := c.log
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.alive(); err != nil {
		return nil, err
	}
	if err := l.settle(context.Background(), &o, o.Manifest); err != nil {
		return nil, err
	}
	return l.handle(o)
}

// handle makes a counted handle.
func (l *log) handle(o Options) (*Core, error) {
	c := &Core{log: l, pair: o.Pair, sign: o.Sign, enc: o.Encryption, readOnly: o.ReadOnly, onClose: o.OnClose}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.pair.IsZero() && c.sign == nil {
		c.pair = l.pair
	}
	if err := l.aliveLocked(); err != nil {
		return nil, err
	}
	if l.parent.IsZero() {
		l.parent = o.Parent
	}
	l.refs++
	l.signer = l.signer || c.Writable()
	return c, nil
}

// Close gives the handle up. What was appended stays. A second call does nothing.
func (c *Core) Close() error {
	if c.closed.Swap(true) || c.weak {
		return nil
	}
	l := c.log
	l.mu.Lock()
	l.refs--
	last := l.refs == 0 && !l.closed
	if last {
		l.closed = true
	}
	if c.exclusive {
		<-l.exclusive
	}
	l.mu.Unlock()
	if c.onClose != nil {
		c.onClose()
	}
	if !last {
		return nil
	}
	return l.shut()
}

// shut ends a log that was marked closed: it waits for changes under way, and wakes who waits for changes to come.
func (l *log) shut() error {
	l.mu.Lock()
	session := l.session
	l.session = nil
	l.wakeLocked()
	l.mu.Unlock()
	var err error
	if session != nil {
		err = session.Close()
	}
	l.write.Lock() // a change under way ends before the core can be opened again
	l.edge, l.reorg = nil, nil
	l.write.Unlock()
	l.closing()
	return err
}

// check tells why the handle cannot be used, if so.
func (c *Core) check() error {
	if c.closed.Load() || c.of != nil && c.of.closed.Load() {
		if err := c.log.alive(); err == ErrDeleted {
			return err
		}
		return ErrClosed
	}
	return c.log.alive()
}

// blockCipher returns what encrypts and decrypts for this handle, or nil. It is made anew when it becomes known that the
// core is a compat core, whose block key is derived in another way.
func (c *Core) blockCipher() *blockCipher {
	if c.enc.IsZero() {
		return nil
	}
	if b := c.cipher.Load(); b != nil {
		return b
	}
	a := c.log.authority()
	b := newBlockCipher(c.enc, c.log.key, a != nil && a.Compat())
	if a != nil {
		c.cipher.Store(b)
	}
	return b
}
