package swarm

import (
	"net/netip"
	"strings"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/hypernode/hypernode/config"
)

// gater lets connections in and out by two lists: who is on the deny list is refused; with an allow list, who is not on it
// is refused too. A list names peers, networks, or both; of an allow list one match is enough.
type gater struct{ allow, deny nameList }

type nameList struct {
	peers    map[peer.ID]bool
	networks []netip.Prefix
}

func newGater(p config.Peers) (*gater, error) {
	allow, err := newNameList("peers.allow", p.Allow)
	if err != nil {
		return nil, err
	}
	deny, err := newNameList("peers.deny", p.Deny)
	return &gater{allow, deny}, err
}

func newNameList(key string, list []string) (l nameList, err error) {
	l.peers = map[peer.ID]bool{}
	for _, text := range list {
		if prefix, err := parseNetwork(text); err == nil {
			l.networks = append(l.networks, prefix)
			continue
		}
		id, err := peer.Decode(text)
		if err != nil {
			return l, badAddress(key, text, err)
		}
		l.peers[id] = true
	}
	return l, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Prefix(addr.BitLen())
}

func (l nameList) empty() bool { return len(l.peers) == 0 && len(l.networks) == 0 }

func (l nameList) hasAddr(a ma.Multiaddr) bool {
	if a == nil {
		return false
	}
	ip, err := manet.ToIP(a)
	if err != nil {
		return false
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	for _, n := range l.networks {
		if n.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// allowed judges a peer at an address, both known.
func (g *gater) allowed(p peer.ID, a ma.Multiaddr) bool {
	if g.deny.peers[p] || g.deny.hasAddr(a) {
		return false
	}
	return g.allow.empty() || g.allow.peers[p] || g.allow.hasAddr(a)
}

// InterceptPeerDial refuses peers that are denied by name.
func (g *gater) InterceptPeerDial(p peer.ID) bool { return !g.deny.peers[p] }

// InterceptAddrDial refuses addresses that are denied.
func (g *gater) InterceptAddrDial(p peer.ID, a ma.Multiaddr) bool { return g.allowed(p, a) }

// InterceptAccept refuses networks before anything is spent on a peer, where the name cannot make it good.
func (g *gater) InterceptAccept(c network.ConnMultiaddrs) bool {
	if g.deny.hasAddr(c.RemoteMultiaddr()) {
		return false
	}
	return len(g.allow.peers) > 0 || g.allow.empty() || g.allow.hasAddr(c.RemoteMultiaddr())
}

// InterceptSecured refuses peers once it is proven who they are.
func (g *gater) InterceptSecured(_ network.Direction, p peer.ID, c network.ConnMultiaddrs) bool {
	return g.allowed(p, c.RemoteMultiaddr())
}

// InterceptUpgraded has nothing to add.
func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
