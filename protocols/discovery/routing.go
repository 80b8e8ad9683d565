package discovery

import (
	"context"
	"iter"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
)

// Reprovide is how often a topic is announced again through a routing that does not do so by itself.
const Reprovide = 12 * time.Hour

// FromRouting makes a Router of any content routing, such as a DHT that a program runs anyway. self is left out of what is
// found. Each topic is announced again by itself every [Reprovide].
func FromRouting(name string, self peer.ID, r routing.ContentRouting) Router {
	return &contentRouting{name: name, self: self, routing: r}
}

type contentRouting struct {
	name    string
	self    peer.ID
	routing routing.ContentRouting
}

// Lasts tells how long an announcement may be left alone.
func (c *contentRouting) Lasts() time.Duration { return Reprovide }

// Name implements Router.
func (c *contentRouting) Name() string { return c.name }

// Ready implements Router: it is not known.
func (c *contentRouting) Ready() bool { return true }

// Find implements Router.
func (c *contentRouting) Find(ctx context.Context, t Topic) iter.Seq[peer.AddrInfo] {
	return func(yield func(peer.AddrInfo) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for p := range c.routing.FindProvidersAsync(ctx, t.CID(), 0) {
			if p.ID != c.self && !yield(p) {
				return
			}
		}
	}
}

// Announce implements Router.
func (c *contentRouting) Announce(ctx context.Context, t Topic) error {
	return c.routing.Provide(ctx, t.CID(), true)
}

// Withdraw implements Router: what was announced runs out.
func (c *contentRouting) Withdraw(Topic) {}
