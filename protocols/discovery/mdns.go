package discovery

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// MDNSService is the name under which nodes find each other by multicast.
const MDNSService = "_hypernode._udp"

// MDNS finds all nodes on the LAN, whatever their topics, and is found by them. Where there is no multicast it finds nobody,
// without an error. found is told of each node, again and again; it must not block. It returns when ctx ends, with nil, or
// when the sockets cannot be had.
func MDNS(ctx context.Context, h host.Host, found func(peer.AddrInfo)) error {
	s := mdns.NewMdnsService(h, MDNSService, notifee(func(p peer.AddrInfo) {
		if p.ID != h.ID() {
			found(p)
		}
	}))
	if err := s.Start(); err != nil {
		return fmt.Errorf("finding nodes on the LAN: %w", err)
	}
	<-ctx.Done()
	return s.Close()
}

type notifee func(peer.AddrInfo)

// HandlePeerFound implements mdns.Notifee.
func (f notifee) HandlePeerFound(p peer.AddrInfo) { f(p) }
