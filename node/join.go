package node

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/discovery"
)

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
	streams map[peer.ID]bool
	opening map[peer.ID]bool
}

// JoinOptions say how a topic is joined. The zero value is announced, and looks for others.
type JoinOptions struct {
	// Hidden tells nobody: others are found, and not told of.
	Hidden bool
	// Passive looks for nobody: this side waits to be found.
	Passive bool
}

// Join joins a topic, any 32 bytes, with a protocol of the program's own. serve is called, in a goroutine of its own, for each
// peer that is met, with an authenticated stream, which is closed when serve returns; there is one stream with a peer at a
// time. ctx of serve ends with the node. Join waits for Run; it fails with protocols.ErrHandled when the topic was joined
// with this protocol already.
func (n *Node) Join(ctx context.Context, topic [32]byte, id protocol.ID, serve func(context.Context, *protocols.Stream)) (*Meeting, error) {
	return n.JoinWith(ctx, topic, id, JoinOptions{}, serve)
}

// JoinWith is Join with options.
func (n *Node) JoinWith(ctx context.Context, topic [32]byte, id protocol.ID, o JoinOptions, serve func(context.Context, *protocols.Stream)) (*Meeting, error) {
	m := &Meeting{
		n: n, topic: topic, id: id, serve: serve,
		streams: map[peer.ID]bool{}, opening: map[peer.ID]bool{},
	}
	unhandle, err := n.service.HandleSome(ctx, topic, id, m.admit, serve)
	if err != nil {
		return nil, err
	}
	m.unhandle = unhandle
	m.membership = n.finder.Join(discovery.Topic(topic), discovery.JoinOptions{
		Announce: !o.Hidden, Lookup: !o.Passive, Found: m.found,
	})
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

// admit takes a stream that a peer opens, unless one runs with it. When both open one at a time, that of the peer with the
// smaller id is taken.
func (m *Meeting) admit(p peer.ID) (done func(), ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left || m.streams[p] || m.opening[p] && string(m.n.host.ID()) < string(p) {
		return nil, false
	}
	m.streams[p] = true
	return func() { m.ended(p) }, true
}

func (m *Meeting) ended(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.streams, p)
}

// busyLocked tells whether there is nothing to do for a peer that was found.
func (m *Meeting) busyLocked(p peer.ID) bool {
	return m.left || m.opening[p] || m.streams[p]
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
		m.opened(p.ID, false)
	}
}

// opened notes the end of an attempt, and whether its stream is the one that runs now.
func (m *Meeting) opened(p peer.ID, ok bool) (runs bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.opening, p)
	if !ok || m.left || m.streams[p] {
		return false
	}
	m.streams[p] = true
	return true
}

// open opens a stream and serves it.
func (m *Meeting) open(ctx context.Context, p peer.AddrInfo) {
	m.n.host.Peerstore().AddAddrs(p.ID, p.Addrs, longPause)
	s, err := m.n.service.Open(ctx, p.ID, m.topic, m.id)
	if !m.opened(p.ID, err == nil) {
		if err == nil {
			s.Close()
		} else {
			m.n.log.Debug("a peer of a topic was not met", "peer", p.ID, "reason", err)
		}
		return
	}
	defer m.ended(p.ID)
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	m.serve(ctx, s)
}

// Meet tells of a peer that may have joined the topic too, as one that was found otherwise.
func (m *Meeting) Meet(p peer.AddrInfo) { m.found(p) }
