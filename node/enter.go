package node

import (
	"context"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/node/swarm"
	"github.com/hypernode/hypernode/protocols/discovery"
)

// bootstrap returns where a network is entered: the configured nodes, and for ours those that were met before.
func (n *Node) bootstrap(network protocol.ID) (func() []peer.AddrInfo, error) {
	if network == discovery.PublicPrefix {
		list, err := swarm.Peers("discovery.public_bootstrap", n.config.Discovery.PublicBootstrap)
		if len(list) == 0 && err == nil {
			list = dht.GetDefaultBootstrapPeerAddrInfos()
		}
		return func() []peer.AddrInfo { return list }, err
	}
	list, err := swarm.Peers("discovery.bootstrap", n.config.Discovery.Bootstrap)
	return func() []peer.AddrInfo { return append(n.known(), list...) }, err
}

// enter enters the networks, and looks for nodes that are near, until ctx ends.
func (n *Node) enter(ctx context.Context) error {
	static, err := swarm.Peers("peers.static", multiaddrs(n.config.Peers.Static))
	if err != nil {
		return err
	}
	for _, p := range static {
		n.befriend(p, true)
		n.dialer.stay(p)
	}
	if n.config.Discovery.Profile == config.Offline {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.meet(ctx) })
	for _, t := range n.tables {
		g.Go(func() error { return t.Run(ctx) })
	}
	if n.config.Discovery.MDNS == config.On {
		g.Go(func() error {
			if err := discovery.MDNS(ctx, n.host, func(p peer.AddrInfo) { n.befriend(p, false) }); err != nil {
				n.log.Info("no search on the LAN", "reason", err)
			}
			return nil
		})
	}
	if n.config.Discovery.LocalPorts == config.On && n.ownHost {
		g.Go(func() error { n.knock(ctx); return nil })
	}
	return g.Wait()
}

// meet connects to the nodes through which the own networks are entered. A node that answers is in the table at once.
func (n *Node) meet(ctx context.Context) error {
	if len(n.tables) == 0 {
		return nil
	}
	list, err := n.bootstrap(discovery.LANPrefix)
	if err != nil {
		return err
	}
	for wait := firstPause; ctx.Err() == nil; wait = min(2*wait, longPause) {
		var all errgroup.Group
		all.SetLimit(n.config.Limits.Dials)
		for _, p := range list() {
			if p.ID == n.host.ID() {
				continue
			}
			all.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, dialTime)
				defer cancel()
				n.host.Peerstore().AddAddrs(p.ID, p.Addrs, peerstore.TempAddrTTL)
				return n.host.Connect(ctx, p)
			})
		}
		if err := all.Wait(); err != nil {
			n.log.Debug("a node to enter the network by cannot be reached", "reason", err)
		}
		if n.entered(list()) {
			wait = longPause
		}
		sleep(ctx, wait)
	}
	return nil
}

// entered tells whether there is nobody to enter by, or somebody was met.
func (n *Node) entered(list []peer.AddrInfo) bool {
	for _, t := range n.tables {
		if t.Size() > 0 {
			return true
		}
	}
	return len(list) == 0
}

// knock looks at the default port of this machine for another node, now and then.
func (n *Node) knock(ctx context.Context) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, longPause) {
		if p, err := discovery.Local(ctx, config.DefaultPort); err == nil && p.ID != n.host.ID() {
			n.befriend(p, false)
		}
		sleep(ctx, wait)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
