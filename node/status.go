package node

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Status is what a node is doing.
type Status struct {
	Peer        string    `json:"peer"`      // the node's peer id
	Since       time.Time `json:"since"`     // it runs
	Addresses   []string  `json:"addresses"` // where it listens, each with the peer id
	Reachable   []string  `json:"reachable"` // those of the addresses that others have tried, and found the node at
	Profile     string    `json:"profile"`
	Networks    []Network `json:"networks"`
	Connections int       `json:"connections"`
	Peers       []Peer    `json:"peers"` // with whom something is exchanged
	Topics      int       `json:"topics"`
	Seeds       int       `json:"seeds"`
	StoreBytes  uint64    `json:"store_bytes"`
	StoreError  string    `json:"store_error,omitempty"`
}

// Network is a DHT that the node takes part in.
type Network struct {
	Name   string `json:"name"`
	Nodes  int    `json:"nodes"`  // that are known
	Serves bool   `json:"serves"` // this node answers others
}

// Peer is a peer with whom a replication stream stands.
type Peer struct {
	Peer       string        `json:"peer"`
	Agent      string        `json:"agent,omitempty"`
	Addresses  []string      `json:"addresses"`
	Streams    int           `json:"streams"`
	RoundTrip  time.Duration `json:"round_trip_ns"`
	Discovered bool          `json:"known"` // on the LAN, or by name
}

// Status tells what the node is doing.
func (n *Node) Status() Status {
	s := Status{
		Peer: n.host.ID().String(), Since: n.began, Addresses: n.Addresses(), Reachable: n.reachable(), Profile: n.config.Discovery.Profile,
		Networks: []Network{}, Connections: len(n.host.Network().Conns()), Peers: []Peer{}, Topics: n.finder.Topics(),
	}
	for _, t := range n.tables {
		s.Networks = append(s.Networks, Network{t.Name(), t.Size(), t.Serves()})
	}
	for _, p := range n.service.Peers() {
		s.Peers = append(s.Peers, n.peer(p))
	}
	slices.SortFunc(s.Peers, func(a, b Peer) int {
		if a.Peer < b.Peer {
			return -1
		}
		return 1
	})
	n.mu.Lock()
	s.Seeds = len(n.seeds)
	n.mu.Unlock()
	if used, err := n.db.Used(); err == nil {
		s.StoreBytes = used
	}
	if err := n.db.Err(); err != nil {
		s.StoreError = err.Error()
	}
	return s
}

func (n *Node) peer(p peer.ID) Peer {
	out := Peer{Peer: p.String(), Addresses: []string{}, RoundTrip: n.host.Peerstore().LatencyEWMA(p)}
	if agent, err := n.host.Peerstore().Get(p, "AgentVersion"); err == nil {
		out.Agent, _ = agent.(string)
	}
	for _, c := range n.host.Network().ConnsToPeer(p) {
		out.Addresses = append(out.Addresses, c.RemoteMultiaddr().String())
		out.Streams += len(c.GetStreams())
	}
	n.mu.Lock()
	out.Discovered = n.lan[string(p)]
	n.mu.Unlock()
	return out
}

// Addresses are where the node can be reached, each ending in its peer id, then those of stock Hypercore peers, as
// tcp://HOST:PORT. Those that other machines can use come first.
func (n *Node) Addresses() []string {
	list := slices.Clone(n.host.Addrs())
	slices.SortStableFunc(list, func(a, b ma.Multiaddr) int { return reach(a) - reach(b) })
	out := make([]string, 0, len(list))
	for _, a := range list {
		out = append(out, a.String()+"/p2p/"+n.host.ID().String())
	}
	return append(out, n.plain.addresses()...)
}

// reachable are the addresses at which others have found this node, as it asks them to try (AutoNAT v2).
func (n *Node) reachable() []string {
	list := []string{}
	h, ok := n.host.(interface {
		ConfirmedAddrs() (reachable, unreachable, unknown []ma.Multiaddr)
	})
	if !ok {
		return list
	}
	tried, _, _ := h.ConfirmedAddrs()
	for _, a := range tried {
		list = append(list, a.String())
	}
	return list
}

// reach orders addresses by from where they can be used.
func reach(a ma.Multiaddr) int {
	switch {
	case manet.IsPublicAddr(a):
		return 0
	case manet.IsIPLoopback(a):
		return 2
	}
	return 1
}
