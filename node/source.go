package node

import (
	"context"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/replicate"
)

const (
	// patience is how long the peers of other cores have for what is missing of a core that was not joined by itself, before
	// it is looked for.
	patience = 2 * time.Second

	// search is how long a question for the newest head waits at most for peers to be found and connected.
	search = 10 * time.Second

	// others is how long it waits for more peers once one is there, which may not have the newest.
	others = 100 * time.Millisecond
)

// source makes the set the source of the store's cores, and has the node look for peers when one of them wants something.
type source struct{ n *Node }

// Attach implements core.Source.
func (s source) Attach(c *core.Core) core.Session {
	if parent := c.Parent(); parent != (keys.DiscoveryKey{}) {
		s.n.adopt(c.DiscoveryKey(), parent)
	}
	session := s.n.set.Attach(c)
	r, ok := session.(*replicate.Replicator)
	if !ok {
		return session
	}
	return &wanting{Replicator: r, n: s.n, d: c.DiscoveryKey()}
}

// wanting is a core's session.
type wanting struct {
	*replicate.Replicator
	n *Node
	d keys.DiscoveryKey
}

// Fetch implements core.Session. A question for the head waits until the first search has come to an end, so that it is not
// answered by nobody.
func (w *wanting) Fetch(ctx context.Context, want core.Want) error {
	stop := w.n.want(w.d, false)
	defer stop()
	if want.Head && len(want.Blocks)+len(want.Ranges) == 0 && want.Seek == nil {
		w.gather(ctx)
	}
	return w.Replicator.Fetch(ctx, want)
}

// gather returns once the peers that can be found quickly have joined the core, or none is to be expected.
func (w *wanting) gather(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, search)
	defer cancel()
	searched := make(chan struct{})
	go func() {
		defer close(searched)
		defer cancel()
		w.n.searched(ctx, w.d, w.Replicator)
	}()
	if w.Replicator.Joined(ctx) == nil {
		t := time.NewTimer(others)
		defer t.Stop()
		select {
		case <-searched:
		case <-t.C:
		}
	}
	cancel()
	<-searched
}

// Changed implements core.Session.
func (w *wanting) Changed(ch core.Change) {
	w.Replicator.Changed(ch)
	w.n.seeder.changed(w.d)
}

// Close implements core.Session.
func (w *wanting) Close() error {
	w.n.forget(w.d)
	return w.Replicator.Close()
}
