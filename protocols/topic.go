package protocols

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Topic is 32 bytes under which programs meet: a core's discovery key, or anything else.
type Topic [32]byte

// Stream is a stream of an application: bytes in both directions, with a peer that libp2p has authenticated. Close ends both
// directions, CloseWrite this side's; deadlines are those of a net.Conn.
type Stream struct {
	network.MuxedStream
	Peer   peer.ID
	Topic  Topic
	Opened bool // by this side
}

// subject is what a handler is for.
type subject struct {
	topic Topic
	id    protocol.ID
}

// Admit tells whether a stream of a peer is wanted. If it is, done is called once it has ended. It must not block.
type Admit func(peer.ID) (done func(), ok bool)

type handler struct {
	admit Admit
	serve func(context.Context, *Stream)
}

func anybody(peer.ID) (func(), bool) { return func() {}, true }

const (
	yes = 1
	no  = 0
)

// Handle has serve called, in a goroutine of its own, for each stream of a protocol that peers open within a topic. ctx ends
// with Run; the stream is closed when serve returns. leave ends the handling, not the streams. Two topics may share a
// protocol. It fails with ErrHandled, or ErrClosed when the service is not running.
func (s *Service) Handle(ctx context.Context, t Topic, id protocol.ID, serve func(context.Context, *Stream)) (leave func(), err error) {
	return s.HandleSome(ctx, t, id, anybody, serve)
}

// HandleSome is Handle for streams that admit lets in. To a peer whose stream it does not, it seems not to have joined.
func (s *Service) HandleSome(ctx context.Context, t Topic, id protocol.ID, admit Admit, serve func(context.Context, *Stream)) (leave func(), err error) {
	ready := make(chan error, 1)
	err = s.start(ctx, func(ctx context.Context) { ready <- s.handle(ctx, subject{t, id}, &handler{admit, serve}) })
	if err == nil {
		err = <-ready
	}
	return func() { s.unhandle(subject{t, id}) }, err
}

func (s *Service) handle(ctx context.Context, key subject, h *handler) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[key] != nil {
		return ErrHandled
	}
	s.topics[key] = h
	s.counts[key.id]++
	if s.counts[key.id] == 1 {
		s.host.SetStreamHandler(key.id, s.handler(ctx, s.acceptTopic))
		context.AfterFunc(ctx, func() { s.host.RemoveStreamHandler(key.id) })
	}
	return nil
}

func (s *Service) unhandle(key subject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[key] == nil {
		return
	}
	delete(s.topics, key)
	if s.counts[key.id]--; s.counts[key.id] == 0 {
		s.host.RemoveStreamHandler(key.id)
	}
}

// acceptTopic reads which topic a stream is for and hands it to the handler.
func (s *Service) acceptTopic(ctx context.Context, raw network.Stream) {
	st, err := take(raw, TopicService, TopicMemory)
	if err != nil {
		return
	}
	defer st.Close()
	defer context.AfterFunc(ctx, func() { st.Close() })()
	var t Topic
	st.SetDeadline(time.Now().Add(s.o.OpenTimeout))
	if _, err := io.ReadFull(st, t[:]); err != nil {
		st.finish(network.StreamProtocolViolation)
		return
	}
	s.mu.Lock()
	h := s.topics[subject{t, raw.Protocol()}]
	s.mu.Unlock()
	answer := byte(no)
	if h != nil {
		if done, ok := h.admit(raw.Conn().RemotePeer()); ok {
			defer done()
			answer = yes
		}
	}
	if _, err := st.Write([]byte{answer}); err != nil || answer == no {
		return
	}
	st.SetDeadline(time.Time{})
	h.serve(ctx, &Stream{MuxedStream: st, Peer: raw.Conn().RemotePeer(), Topic: t})
}

// Open opens a stream of a protocol within a topic to a peer, which must have joined it: else the error is ErrTopic. The
// caller closes it.
func (s *Service) Open(ctx context.Context, p peer.ID, t Topic, id protocol.ID) (*Stream, error) {
	st, err := s.open(ctx, p, id, TopicService, TopicMemory)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { st.Close() })
	st.SetDeadline(time.Now().Add(s.o.OpenTimeout))
	answer := []byte{no}
	if _, err = st.Write(t[:]); err == nil {
		_, err = io.ReadFull(st, answer)
	}
	if !stop() {
		err = context.Cause(ctx)
	}
	if err == nil && answer[0] != yes {
		err = ErrTopic
	}
	if err != nil {
		st.Close()
		return nil, fmt.Errorf("joining %s in a topic: %w", p, err)
	}
	st.SetDeadline(time.Time{})
	return &Stream{MuxedStream: st, Peer: p, Topic: t, Opened: true}, nil
}
