package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/internal/testnet"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// world is a scenario that runs.
type world struct {
	t      *testing.T
	s      *scenario
	nodes  []*node
	logs   []*log
	cables []*cable
}

// build makes the nodes, the cores, and the readers' handles.
func build(ctx context.Context, t *testing.T, s *scenario) (*world, error) {
	w := &world{t: t, s: s}
	for i := range s.sparse {
		n, err := newNode(ctx, byte(i))
		if err != nil {
			return nil, err
		}
		w.nodes = append(w.nodes, n)
	}
	for i, spec := range s.cores {
		l, err := newLog(ctx, w.nodes[spec.writer].now().store, i, spec, s.seed)
		if err != nil {
			return nil, err
		}
		w.logs = append(w.logs, l)
	}
	for _, spec := range s.links {
		w.cables = append(w.cables, &cable{spec: spec, a: w.nodes[spec.a], b: w.nodes[spec.b]})
	}
	return w, nil
}

// cable joins two nodes, again and again until it is over.
type cable struct {
	spec linkSpec
	a, b *node

	mu   sync.Mutex
	link *testnet.Link
}

const redial = time.Second

func (c *cable) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.once(ctx)
		select {
		case <-time.After(redial):
		case <-ctx.Done():
		}
	}
}

func (c *cable) once(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	link := testnet.NewLink(c.spec.there, c.spec.back)
	c.mu.Lock()
	c.link = link
	c.mu.Unlock()
	a, b := link.Ends()
	var ends sync.WaitGroup
	ends.Go(func() { c.serve(ctx, c.a, a, true); cancel() })
	ends.Go(func() { c.serve(ctx, c.b, b, false); cancel() })
	ends.Wait()
}

// serve replicates at one end until the link is cut; failures of the link are a part of the scenario.
func (c *cable) serve(ctx context.Context, n *node, end net.Conn, initiator bool) {
	conn, err := c.open(ctx, end, initiator)
	if err == nil {
		now := n.now()
		now.set.Serve(ctx, &metered{Conn: conn, meter: &n.meter}, now.store.Find)
	}
}

func (c *cable) open(ctx context.Context, end net.Conn, initiator bool) (mux.Conn, error) {
	if c.spec.secret && initiator {
		return secretstream.Client(ctx, end, secretstream.Options{})
	} else if c.spec.secret {
		return secretstream.Server(ctx, end, secretstream.Options{})
	}
	peers := [2][]byte{fmt.Append(nil, "node", c.spec.a), fmt.Append(nil, "node", c.spec.b)}
	if !initiator {
		peers[0], peers[1] = peers[1], peers[0]
	}
	return mux.NewFramed(ctx, end, mux.FramedOptions{LocalPeer: peers[0], RemotePeer: peers[1], Initiator: initiator})
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.Cut()
	}
}

func (c *cable) stall(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.Stall(d)
	}
}

// play lets the events happen.
func (w *world) play(ctx context.Context) error {
	start := time.Now()
	for _, e := range w.s.events {
		time.Sleep(time.Until(start.Add(e.at)))
		if err := w.happen(ctx, e); err != nil {
			return fmt.Errorf("%v: %w", e, err)
		}
	}
	return nil
}

func (w *world) happen(ctx context.Context, e event) error {
	l := w.logs[e.core]
	switch e.kind {
	case appends:
		return l.append(ctx, e.n)
	case truncates:
		return l.truncate(ctx, e.part)
	case clears:
		if w.s.sparse[e.node] || e.node == l.spec.writer {
			return nil
		}
		return w.clear(ctx, l, w.nodes[e.node], e)
	case cuts:
		w.cables[e.link].cut()
	case stalls:
		w.cables[e.link].stall(e.time)
	case restarts:
		return w.restart(ctx, e.node)
	}
	return nil
}

// clear removes blocks of a node that will fetch them again.
func (w *world) clear(ctx context.Context, l *log, n *node, e event) error {
	c, err := n.now().store.Open(ctx, corestore.Key(l.core.Key()))
	if err != nil {
		return err
	}
	defer c.Close()
	start := uint64(e.part * float64(c.Head().Length))
	end := min(start+uint64(e.n), c.Head().Length)
	n.meter.forget(l, start, end)
	return c.Clear(ctx, start, end)
}

// restart ends a node that writes nothing, and starts it again with what it has stored.
func (w *world) restart(ctx context.Context, node int) error {
	if w.s.writes(node) {
		return nil
	}
	n := w.nodes[node]
	for _, c := range w.cables {
		if c.a == n || c.b == n {
			c.cut()
		}
	}
	return n.restart(ctx)
}
