package node

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/discovery"
)

// yielding is how long the peer with the greater id leaves it to the other to open a stream, when both have found each other.
const yielding = 500 * time.Millisecond

// Meeting is a topic that a program has joined.
type Meeting struct {
	n     *Node
	topic protocols.Topic
	id    protocol.ID
	serve func(context.Context, *protocols.Stream)

	membership *discovery.Membership
	unhandle   func()

	mu      sync.Mutex // guards what follows
	left    bool
	streams map[peer.ID]int
	opening map[peer.ID]bool
}

// Join joins a topic, any 32 bytes, with a protocol of the program's own. serve is called, in a goroutine of its own, for each
// peer that is met, with an authenticated stream, which is closed when serve returns; there is one stream with a peer at a
// time. ctx of serve ends with the node. Join waits for Run; it fails with protocols.ErrHandled when the topic was joined
// with this protocol already.
func (n *Node) Join(ctx context.Context, topic [32]byte, id protocol.ID, serve func(context.Context, *protocols.Stream)) (*Meeting, error) {
	m := &Meeting{
		n: n, topic: topic, id: id, serve: serve,
		streams: map[peer.ID]int{}, opening: map[peer.ID]bool{},
	}
	unhandle, err := n.service.Handle(ctx, topic, id, m.met)
	if err != nil {
		return nil, err
	}
	m.unhandle = unhandle
	m.membership = n.finder.Join(discovery.Topic(topic), discovery.JoinOptions{Announce: true, Lookup: true, Found: m.found})
	return m, nil
}

// Flush returns once the topic was announced and looked for, or ctx ends.
func (m *Meeting) Flush(ctx context.Context) error { return m.membership.Flush(ctx) }

// Leave leaves the topic. Streams that run are not ended.
func (m *Meeting) Leave() {
	m.mu.Lock()
	m.left = true
	m.mu.Unlock()
	m.membership.Leave()
	m.unhandle()
}

// Peers are those with whom a stream runs.
func (m *Meeting) Peers() (list []peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p := range m.streams {
		list = append(list, p)
	}
	return list
}

// met serves a stream, unless one runs with the peer.
func (m *Meeting) met(ctx context.Context, s *protocols.Stream) {
	m.mu.Lock()
	if m.left || m.streams[s.Peer] > 0 {
		m.mu.Unlock()
		return
	}
	m.streams[s.Peer]++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.streams, s.Peer)
	}()
	m.serve(ctx, s)
}

// busyLocked tells whether there is nothing to do for a peer that was found.
func (m *Meeting) busyLocked(p peer.ID) bool {
	return m.left || m.opening[p] || m.streams[p] > 0
}

// found opens a stream to a peer that was found, in a goroutine of the node's.
func (m *Meeting) found(p peer.AddrInfo) {
	m.mu.Lock()
	busy := m.busyLocked(p.ID)
	if !busy {
		m.opening[p.ID] = true
	}
	m.mu.Unlock()
	if busy {
		return
	}
	started := m.n.service.Start(func(ctx context.Context) { m.open(ctx, p) })
	if !started {
		m.opened(p.ID)
	}
}

func (m *Meeting) opened(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.opening, p)
}

// open opens a stream and serves it.
func (m *Meeting) open(ctx context.Context, p peer.AddrInfo) {
	defer m.opened(p.ID)
	if string(m.n.host.ID()) > string(p.ID) {
		sleep(ctx, yielding)
		m.mu.Lock()
		met := m.streams[p.ID] > 0 || m.left
		m.mu.Unlock()
		if met {
			return
		}
	}
	m.n.host.Peerstore().AddAddrs(p.ID, p.Addrs, longPause)
	s, err := m.n.service.Open(ctx, p.ID, m.topic, m.id)
	if err != nil {
		m.n.log.Debug("a peer of a topic was not met", "peer", p.ID, "reason", err)
		return
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	m.met(ctx, s)
}

// Meet tells of a peer that may have joined the topic too, as one that was found otherwise.
func (m *Meeting) Meet(p peer.AddrInfo) { m.found(p) }
