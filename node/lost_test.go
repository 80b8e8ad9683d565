package node_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/node"
)

// directory is a routing of a program's own: it knows one peer, and tells when it is asked.
type directory struct {
	mu     sync.Mutex
	knows  peer.AddrInfo
	looked chan time.Time
}

func (d *directory) Provide(context.Context, cid.Cid, bool) error { return nil }

func (d *directory) FindProvidersAsync(_ context.Context, _ cid.Cid, _ int) <-chan peer.AddrInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(chan peer.AddrInfo, 1)
	out <- d.knows
	close(out)
	select {
	case d.looked <- time.Now():
	default:
	}
	return out
}

// TestLastPeerIsLost takes away the only peer of a core of which something is wanted: it is looked for at once, although the next
// lookup would be far.
func TestLastPeerIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("not in a short run")
	}
	a := start(t, local())
	written := a.write(t, "core", 1)
	d := &directory{knows: a.info(), looked: make(chan time.Time, 100)}
	n, err := node.Attach(t.Context(), local(), newHost(t), d, node.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, n)
	r.read(t, written)
	c, err := r.Core(t.Context(), written.Key())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Get(ctx, 7) // which is not there yet
		ended <- err
	}()
	defer func() { cancel(); <-ended }()
	last := time.Now()
	for pause := time.Duration(0); pause < 5*time.Second; { // the next one is four times as far
		at := <-d.looked
		pause, last = at.Sub(last), at
	}
	a.stop()
	select {
	case <-d.looked:
	case <-time.After(15 * time.Second):
		t.Error("nobody is looked for")
	}
}
