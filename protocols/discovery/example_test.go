package discovery_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/protocols/discovery"
)

// friends is a network of one friend, who has joined everything.
type friends struct{}

func (friends) Name() string                                    { return "friends" }
func (friends) Ready() bool                                     { return true }
func (friends) Announce(context.Context, discovery.Topic) error { return nil }
func (friends) Withdraw(discovery.Topic)                        {}
func (friends) Find(context.Context, discovery.Topic) iter.Seq[peer.AddrInfo] {
	return func(yield func(peer.AddrInfo) bool) { yield(peer.AddrInfo{ID: "ann"}) }
}

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := discovery.New(discovery.Options{Routers: []discovery.Router{friends{}}})
	go f.Run(ctx)
	found := make(chan peer.ID, 1)
	m := f.Join(discovery.Topic{1}, discovery.JoinOptions{
		Announce: true, Lookup: true,
		Found: func(p peer.AddrInfo) { found <- p.ID },
	})
	defer m.Leave()
	fmt.Println(string(<-found))
	// Output: ann
}
