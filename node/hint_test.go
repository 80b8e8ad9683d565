package node_test

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/node"
)

// hint says where a node is.
func hint(n *node.Node) peer.AddrInfo {
	return peer.AddrInfo{ID: n.Host().ID(), Addrs: n.Host().Addrs()}
}
