package evilpeer

import (
	"context"
	"net"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
	"github.com/hypernode/hypernode/protocols/wire"
)

// The types of control messages.
const (
	controlBatch = iota
	controlOpen
	controlReject
	controlClose
)

// Speaker sends whatever it is told over a secret stream. One goroutine may listen while another sends.
type Speaker struct {
	target *Target
	raw    net.Conn
	conn   *secretstream.Conn
	hash   [64]byte
}

// Dial connects with a target, orderly so far.
func Dial(ctx context.Context, t *Target) (*Speaker, error) {
	raw, err := dial(ctx, t)
	if err != nil {
		return nil, err
	}
	conn, err := secretstream.Client(ctx, raw, secretstream.Options{})
	if err != nil {
		return nil, err
	}
	return &Speaker{target: t, raw: raw, conn: conn, hash: conn.HandshakeHash()}, nil
}

func dial(ctx context.Context, t *Target) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", t.Addr)
}

// Close ends the stream.
func (s *Speaker) Close() { s.conn.Close() }

// Send sends messages, each in a frame.
func (s *Speaker) Send(msgs ...mux.Message) error {
	frames := make([][]byte, len(msgs))
	for i, m := range msgs {
		frames[i] = mux.AppendMessage(nil, m)
	}
	return s.frames(len(msgs), frames...)
}

// Batch sends messages in one frame.
func (s *Speaker) Batch(msgs ...mux.Message) error {
	return s.frames(len(msgs), mux.AppendBatch(nil, msgs))
}

// frames sends frames with n messages.
func (s *Speaker) frames(n int, frames ...[]byte) error {
	s.target.struck(n) // also when the target has had enough before the end
	return s.conn.WriteMessages(frames...)
}

// flood sends the messages of next until the target has had enough, many in a frame.
func (s *Speaker) flood(ctx context.Context, next func(i int) mux.Message) error {
	const many = 256
	msgs := make([]mux.Message, many)
	for i := 0; ctx.Err() == nil; i += many {
		for k := range msgs {
			msgs[k] = next(i + k)
		}
		if err := s.Batch(msgs...); err != nil {
			return err
		}
	}
	return nil
}

// Listen reads messages and hands them to handle, which may be nil, until it fails or the stream ends.
func (s *Speaker) Listen(handle func(m mux.Message) error) error {
	for {
		frame, err := s.conn.ReadMessage()
		if err != nil {
			return err
		}
		if handle == nil {
			continue
		}
		for m, err := range mux.Messages(frame) {
			if err == nil {
				err = handle(m)
			}
			if err != nil {
				return err
			}
		}
	}
}

// open is the control message that opens a channel.
func open(number uint64, protocol string, id, handshake []byte) mux.Message {
	b := compact.AppendUint(nil, number)
	b = compact.AppendString(b, protocol)
	b = compact.AppendOptionalBuffer(b, id)
	return mux.Message{Type: controlOpen, Payload: append(b, handshake...)}
}

// control is a control message about a channel.
func control(typ, number uint64) mux.Message {
	return mux.Message{Type: typ, Payload: compact.AppendUint(nil, number)}
}

// opening is the message that opens a channel for a core, with the right proof.
func (s *Speaker) opening(number uint64, key keys.Key) mux.Message {
	d := key.Discovery()
	return open(number, wire.Protocol, d[:], s.proof(true, key))
}

// proof is what a peer opens the channel of a core with; an initiator's, or a responder's.
func (s *Speaker) proof(initiator bool, key keys.Key) []byte {
	return wire.Handshake{Seeks: true, Capability: wire.Capability(&s.hash, initiator, key)}.Append(nil)
}

// enter opens channel 1 for a core and says what an honest peer says first.
func (s *Speaker) enter(key keys.Key, first wire.Sync) error {
	return s.Send(s.opening(1, key), message(1, wire.TypeSync, first.Append(nil)))
}

func message(channel uint64, typ wire.Type, payload []byte) mux.Message {
	return mux.Message{Channel: channel, Type: uint64(typ), Payload: payload}
}

// empty is what a peer says that has nothing yet.
func empty() wire.Sync {
	return wire.Sync{CanUpgrade: true, Uploading: true, Downloading: true}
}
