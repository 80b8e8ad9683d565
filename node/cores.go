package node

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// Core opens a core by key and joins its topic until the handle is closed: it is announced, and peers that hold it are looked
// for. hints are peers that may have it, tried at once. It returns at once; [Node.Joined] waits for a peer.
func (n *Node) Core(ctx context.Context, key keys.Key, hints ...peer.AddrInfo) (*core.Core, error) {
	return n.Open(ctx, corestore.Key(key), hints...)
}

// Open opens any core as Core does. For one that is written here others are looked for in the background: those that keep a
// copy may have peers enough, and would not hear of what is new.
func (n *Node) Open(ctx context.Context, ref corestore.Ref, hints ...peer.AddrInfo) (*core.Core, error) {
	c, err := n.open(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	for _, p := range hints {
		n.hint(c.DiscoveryKey(), p)
	}
	return c, nil
}

// open is Open; in the background means that others are looked for first.
func (n *Node) open(ctx context.Context, ref corestore.Ref, background bool) (*core.Core, error) {
	var release func()
	closed := ref.OnClose
	ref.OnClose = func() {
		if release != nil {
			release()
		}
		if closed != nil {
			closed()
		}
	}
	c, err := n.store.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	release = n.hold(c.DiscoveryKey(), c.Signs(), background)
	return c, nil
}

// Drive opens a drive by key and joins its topic until Close. hints are as for Core. It waits for the first peer when nothing
// of the drive is here.
func (n *Node) Drive(ctx context.Context, key keys.Key, hints ...peer.AddrInfo) (*Drive, error) {
	c, err := n.Core(ctx, key, hints...)
	if err != nil {
		return nil, err
	}
	d, err := n.openDrive(ctx, c)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("opening the drive: %w", err)
	}
	return &Drive{Drive: d, core: c}, nil
}

// openDrive opens the drive of a core, once something of it is here.
func (n *Node) openDrive(ctx context.Context, c *core.Core) (*drive.Drive, error) {
	if c.Head().Length == 0 && !c.Signs() {
		if err := n.Joined(ctx, c.DiscoveryKey()); err != nil {
			return nil, err
		}
		if err := c.Update(ctx); err != nil {
			return nil, err
		}
	}
	return drive.Open(ctx, n.store, c.Key())
}

// Drive is a drive whose topic is joined.
type Drive struct {
	*drive.Drive
	core *core.Core
}

// Close closes the drive and leaves its topic.
func (d *Drive) Close() error {
	err := d.Drive.Close()
	if e := d.core.Close(); err == nil {
		err = e
	}
	return err
}

// Joined returns nil once a peer has told what it holds of a core that is open, an error when ctx ends before.
func (n *Node) Joined(ctx context.Context, d keys.DiscoveryKey) error {
	r := n.set.Core(d)
	if r == nil {
		return core.ErrNotFound
	}
	return r.Joined(ctx)
}

// Transfer returns what was exchanged of a core that is open, and with how many peers; nil when it is not open.
func (n *Node) Transfer(d keys.DiscoveryKey) *replicate.Replicator { return n.set.Core(d) }
