package netlab

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/node/swarm"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// newHost makes a peer that is bound by no limit of its own.
func newHost(listen ...string) (host.Host, error) {
	return libp2p.New(libp2p.ListenAddrStrings(listen...), libp2p.NoTransports, libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}), libp2p.DisableMetrics(), libp2p.DisableRelay())
}

// attack runs as many peers as a part says, each a host that has dialled the victim.
func attack(ctx context.Context, p part, strike func(context.Context, host.Host, peer.ID) error) error {
	victim, err := hint(p.Peer)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for range p.Peers {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := strikeOnce(ctx, victim, strike); err != nil {
					rest(ctx, 200*time.Millisecond)
				}
			}
		})
	}
	tell(ready{true})
	all.Wait()
	return nil
}

// ready is the first line of an attacker.
type ready struct{ Ready bool }

func strikeOnce(ctx context.Context, victim peer.AddrInfo, strike func(context.Context, host.Host, peer.ID) error) error {
	h, err := newHost()
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.Connect(ctx, victim); err != nil {
		return err
	}
	return strike(ctx, h, victim.ID)
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// silent opens a stream and says nothing more.
func silent(ctx context.Context, p part) error {
	return attack(ctx, p, func(ctx context.Context, h host.Host, victim peer.ID) error {
		s, err := h.NewStream(ctx, victim, protocols.Replicate)
		if err != nil {
			return err
		}
		s.Write(make([]byte, 32))
		<-ctx.Done()
		return nil
	})
}

// slow sends the frames of a stream in single bytes, each time that a second's part is over.
func slow(ctx context.Context, p part) error {
	return attack(ctx, p, func(ctx context.Context, h host.Host, victim peer.ID) error {
		s, err := h.NewStream(ctx, victim, protocols.Replicate)
		if err != nil {
			return err
		}
		frame := append([]byte{0xff, 0xff, 0x0f}, make([]byte, 1<<20)...)
		for begin := append(make([]byte, 32), frame...); ctx.Err() == nil; begin = begin[1:] {
			if _, err := s.Write(begin[:1]); err != nil {
				return err
			}
			rest(ctx, time.Second/time.Duration(p.Rate))
		}
		return nil
	})
}

// flood opens channels for cores that nobody has, so many a second, and hears the answers.
func flood(ctx context.Context, p part) error {
	return attack(ctx, p, func(ctx context.Context, h host.Host, victim peer.ID) error {
		f, err := framed(ctx, h, victim)
		if err != nil {
			return err
		}
		defer f.Close()
		defer context.AfterFunc(ctx, func() { f.Close() })()
		go func() {
			for err := error(nil); err == nil; _, err = f.ReadMessage() {
			}
		}()
		const many = 20 // in a frame
		tick := time.NewTicker(many * time.Second / time.Duration(p.Rate))
		defer tick.Stop()
		for ctx.Err() == nil {
			msgs := make([]mux.Message, many)
			for i := range msgs {
				msgs[i] = opening(uint64(i+1), stray())
			}
			if err := f.WriteMessages(mux.AppendBatch(nil, msgs)); err != nil {
				return err
			}
			<-tick.C
		}
		return nil
	})
}

// reconnect comes and goes, so many times a second.
func reconnect(ctx context.Context, p part) error {
	return attack(ctx, p, func(ctx context.Context, h host.Host, victim peer.ID) error {
		rest(ctx, time.Second*time.Duration(p.Peers)/time.Duration(p.Rate))
		return nil
	})
}

// framed opens a replication stream.
func framed(ctx context.Context, h host.Host, to peer.ID) (*mux.Framed, error) {
	s, err := h.NewStream(ctx, to, protocols.Replicate)
	if err != nil {
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	return mux.NewFramed(ctx, s, mux.FramedOptions{LocalPeer: []byte(h.ID()), RemotePeer: []byte(to), Initiator: true})
}

// opening is the message that opens a channel for a core, with a proof that cannot be right.
func opening(number uint64, d [32]byte) mux.Message {
	b := compact.AppendUint(nil, number)
	b = compact.AppendString(b, wire.Protocol)
	b = compact.AppendOptionalBuffer(b, d[:])
	return mux.Message{Type: controlOpen, Payload: wire.Handshake{Seeks: true, Capability: stray()}.Append(b)}
}

// The types of control messages.
const (
	controlOpen   = 1
	controlReject = 2
)

// stray is 32 bytes that stand for nothing.
func stray() (b [32]byte) {
	rand.Read(b[:])
	return b
}

// sink takes what attackers send, with the limits of a node, as one that has nothing else to do.
func sink(ctx context.Context, p part) error {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return err
	}
	c := config.Config{Discovery: config.Discovery{Profile: config.LAN}}
	h, err := swarm.New(ctx, swarm.Options{Config: c, Identity: key})
	if err != nil {
		return err
	}
	defer h.Close()
	h.SetStreamHandler(protocols.Replicate, func(s network.Stream) {
		s.Write(make([]byte, 32))
		for b := make([]byte, 64<<10); ; {
			if _, err := s.Read(b); err != nil {
				return
			}
		}
	})
	tell(heardFrom{Peer: h.ID().String()})
	<-ctx.Done()
	return nil
}
