package discovery

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"
)

// maxAnswer is the most bytes of a message of a DHT peer.
const maxAnswer = 4 << 20

// sender asks peers of a DHT, each question on a stream of its own, so that a peer that is silent holds up nobody but itself,
// and that only until a deadline.
type sender struct {
	host      host.Host
	protocols []protocol.ID
	timeout   time.Duration
}

func senders(timeout time.Duration) func(host.Host, []protocol.ID) pb.MessageSenderWithDisconnect {
	return func(h host.Host, protocols []protocol.ID) pb.MessageSenderWithDisconnect {
		return &sender{h, protocols, timeout}
	}
}

// hasty is a host that gives up connecting after a time, so that a node which is gone, or accepts and is silent, holds a query
// up no longer than one that does not answer.
type hasty struct {
	host.Host
	patience time.Duration
}

// Connect implements host.Host.
func (h *hasty) Connect(ctx context.Context, p peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	return h.Host.Connect(ctx, p)
}

// SendRequest asks and returns the answer.
func (s *sender) SendRequest(ctx context.Context, p peer.ID, m *pb.Message) (*pb.Message, error) {
	var answer pb.Message
	err := s.exchange(ctx, p, m, func(st network.Stream) error {
		return readMessage(bufio.NewReader(st), &answer)
	})
	if err != nil {
		return nil, err
	}
	return &answer, nil
}

// SendMessage tells what needs no answer.
func (s *sender) SendMessage(ctx context.Context, p peer.ID, m *pb.Message) error {
	return s.exchange(ctx, p, m, func(st network.Stream) error { return st.CloseWrite() })
}

// OnDisconnect has nothing to forget.
func (s *sender) OnDisconnect(context.Context, peer.ID) {}

// exchange sends a message on a new stream and has read do the rest.
func (s *sender) exchange(ctx context.Context, p peer.ID, m *pb.Message, read func(network.Stream) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	st, err := s.host.NewStream(ctx, p, s.protocols...)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { st.Reset() })
	defer stop()
	body, err := proto.Marshal(m)
	if err == nil {
		_, err = st.Write(append(binary.AppendUvarint(nil, uint64(len(body))), body...))
	}
	if err == nil {
		err = read(st)
	}
	if err != nil {
		st.Reset()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("asking %s: %w", p, err)
	}
	return st.Close()
}

func readMessage(r *bufio.Reader, m *pb.Message) error {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	if n > maxAnswer {
		return fmt.Errorf("an answer of %d bytes, more than %d", n, maxAnswer)
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && uint64(len(body)) < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	return proto.Unmarshal(body, m)
}
