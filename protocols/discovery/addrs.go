package discovery

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// publicAddrs keeps what can be reached from anywhere, relays included.
func publicAddrs(list []ma.Multiaddr) []ma.Multiaddr {
	return slices.DeleteFunc(slices.Clone(list), func(a ma.Multiaddr) bool { return !manet.IsPublicAddr(a) })
}

// nearAddrs keeps private addresses, and those of this machine only where there are no others.
func nearAddrs(list []ma.Multiaddr) []ma.Multiaddr {
	var private, loopback []ma.Multiaddr
	for _, a := range list {
		switch {
		case manet.IsIPLoopback(a):
			loopback = append(loopback, a)
		case manet.IsPrivateAddr(a), manet.IsIP6LinkLocal(a):
			private = append(private, a)
		}
	}
	if len(private) == 0 {
		return loopback
	}
	return private
}

// nearby tells whether a connection with a peer runs over a private address, or within this machine.
func nearby(table any, p peer.ID) bool {
	hosted, ok := table.(interface{ Host() host.Host })
	if !ok {
		return false
	}
	for _, c := range hosted.Host().Network().ConnsToPeer(p) {
		if a := c.RemoteMultiaddr(); !c.Stat().Limited && (manet.IsPrivateAddr(a) || manet.IsIPLoopback(a)) {
			return true
		}
	}
	return false
}
