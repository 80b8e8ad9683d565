package swarm

import (
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	lswarm "github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Delays between attempts on private addresses, where TCP carries more than twice what QUIC does.
const (
	behindTCP       = 60 * time.Millisecond
	behindQUIC      = 120 * time.Millisecond
	behindTheOthers = time.Second
)

// Rank says after which delay each address of a peer is tried: on private addresses TCP first, then WebSocket and QUIC,
// then WebTransport, last WebRTC. Others are left to libp2p, which tries QUIC first. A slower transport waits only for
// faster ones that the peer has.
func Rank(addrs []ma.Multiaddr) []network.AddrDelay {
	var private, others []ma.Multiaddr
	for _, a := range addrs {
		if _, err := a.ValueForProtocol(ma.P_CIRCUIT); err != nil && manet.IsPrivateAddr(a) {
			private = append(private, a)
		} else {
			others = append(others, a)
		}
	}
	return append(rankPrivate(private), lswarm.DefaultDialRanker(others)...)
}

func rankPrivate(addrs []ma.Multiaddr) []network.AddrDelay {
	delays := []time.Duration{0, behindTCP, behindQUIC, behindTheOthers}
	best := len(delays)
	for _, a := range addrs {
		best = min(best, class(a))
	}
	list := make([]network.AddrDelay, 0, len(addrs))
	for c := best; c < len(delays); c++ {
		for _, a := range addrs {
			if class(a) == c {
				list = append(list, network.AddrDelay{Addr: a, Delay: delays[c] - delays[best]})
			}
		}
	}
	return list
}

// class orders transports by what they carry on a fast link; 0 is the fastest.
func class(a ma.Multiaddr) int {
	has := func(code int) bool { _, err := a.ValueForProtocol(code); return err == nil }
	switch {
	case has(ma.P_WEBTRANSPORT):
		return 2
	case has(ma.P_WS), has(ma.P_WSS), has(ma.P_QUIC_V1):
		return 1
	case has(ma.P_TCP):
		return 0
	}
	return 3
}
