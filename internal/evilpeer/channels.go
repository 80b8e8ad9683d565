package evilpeer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// onChannels is what can be done with channels.
func onChannels() []Misbehaviour {
	return []Misbehaviour{
		{Name: "channel flood", What: "opens channels of unknown protocols without end", Run: again(channelFlood)},
		{Name: "unknown cores", What: "opens cores that nobody has, without end", Run: again(unknownCores), Budget: Budget{Goroutines: 400}},
		{Name: "open-close churn", What: "opens and closes a core that is there", Run: again(openClose), Budget: Budget{Heap: 48 << 20}},
		{Name: "channel number 0", What: "opens the channel of control messages", Run: clones(4, sent(open(0, wire.Protocol, make([]byte, 32), nil)))},
		{Name: "channel number 2^53", What: "opens a channel far above the last", Run: clones(4, sent(open(1<<53-1, wire.Protocol, make([]byte, 32), nil)))},
		{Name: "duplicate handshake", What: "opens a number twice", Run: clones(4, again(openTwice))},
		{Name: "same core twice", What: "opens one core on 1,000 channels", Run: again(sameCore)},
		{Name: "reject of nothing", What: "rejects a channel that was not offered", Run: clones(4, sent(control(controlReject, 77)))},
		{Name: "close of unknown", What: "closes channels that are not there", Run: again(closeUnknown)},
		{Name: "batch in a batch", What: "nests batches", Run: clones(4, again(nested))},
		{Name: "broken batch", What: "a batch whose items end beyond it", Run: clones(4, again(brokenBatch))},
		{Name: "long names", What: "a protocol's name of 900 KiB", Run: clones(4, sent(open(1, string(make([]byte, 900<<10)), nil, nil)))},
		{Name: "long handshake", What: "a handshake of 8 MiB", Run: clones(4, again(longHandshake))},
		{Name: "unknown channel", What: "messages of channels that are not there", Run: again(unknownChannel)},
		{Name: "unknown types", What: "messages of types that there are not", Run: again(unknownTypes)},
		{Name: "message before open", What: "messages behind an open without waiting for the answer", Run: again(beforeOpen)},
		{Name: "message after close", What: "messages behind a close", Run: again(afterClose)},
		{Name: "frame of nothing", What: "frames of one byte", Run: clones(4, again(oneByte))},
		{Name: "random messages", What: "encrypted noise", Run: clones(4, again(noise))},
		{Name: "largest frames", What: "frames of 16 MiB that mean nothing", Run: again(largest)},
	}
}

// sent sends one message over and over, and waits for what comes of it.
func sent(m mux.Message) func(context.Context, *Target) {
	return again(func(_ context.Context, s *Speaker) error {
		if err := s.Send(m); err != nil {
			return err
		}
		return s.Listen(nil)
	})
}

// listening floods while it reads the answers, as a target stops reading from who does not.
func (s *Speaker) listening(ctx context.Context, next func(i int) mux.Message) error {
	done := make(chan error, 1)
	go func() { done <- s.Listen(nil) }()
	err := s.flood(ctx, next)
	s.Close()
	<-done
	return err
}

func channelFlood(ctx context.Context, s *Speaker) error {
	return s.listening(ctx, func(i int) mux.Message {
		return open(uint64(i+1), "something/else", binary.BigEndian.AppendUint64(nil, uint64(i)), nil)
	})
}

// number returns an id that is like that of a core.
func number(i int) (d keys.DiscoveryKey) {
	binary.BigEndian.PutUint64(d[:], uint64(i))
	return d
}

func unknownCores(ctx context.Context, s *Speaker) error {
	return s.listening(ctx, func(i int) mux.Message {
		d := number(i)
		return open(uint64(i+1), wire.Protocol, d[:], s.proof(true, keys.Key{1}))
	})
}

func openClose(ctx context.Context, s *Speaker) error {
	opening := s.opening(1, s.target.Serves)
	return s.listening(ctx, func(i int) mux.Message {
		if i%2 == 0 {
			return opening
		}
		return control(controlClose, 1)
	})
}

func openTwice(_ context.Context, s *Speaker) error {
	opening := s.opening(1, s.target.Serves)
	if err := s.Send(opening, opening); err != nil {
		return err
	}
	return s.Listen(nil)
}

func sameCore(ctx context.Context, s *Speaker) error {
	d := s.target.Serves.Discovery()
	proof := s.proof(true, s.target.Serves)
	return s.listening(ctx, func(i int) mux.Message { return open(uint64(i%1000+1), wire.Protocol, d[:], proof) })
}

func closeUnknown(ctx context.Context, s *Speaker) error {
	return s.listening(ctx, func(i int) mux.Message { return control(controlClose, uint64(i)) })
}

func nested(_ context.Context, s *Speaker) error {
	b := mux.AppendBatch(nil, []mux.Message{control(controlClose, 5)})
	for range 1000 {
		b = mux.AppendBatch(nil, []mux.Message{{Payload: b[2:]}})
	}
	if err := s.frames(1, b); err != nil {
		return err
	}
	return s.Listen(nil)
}

func brokenBatch(_ context.Context, s *Speaker) error {
	b := compact.AppendUint([]byte{0, controlBatch, 1}, 1<<52)
	if err := s.frames(1, append(b, 1, 2, 3)); err != nil {
		return err
	}
	return s.Listen(nil)
}

func longHandshake(_ context.Context, s *Speaker) error {
	d := s.target.Serves.Discovery()
	if err := s.Send(open(1, wire.Protocol, d[:], make([]byte, 8<<20))); err != nil {
		return err
	}
	return s.Listen(nil)
}

func unknownChannel(ctx context.Context, s *Speaker) error {
	return s.flood(ctx, func(i int) mux.Message { return message(uint64(i)<<20+9, wire.TypeSync, empty().Append(nil)) })
}

func unknownTypes(ctx context.Context, s *Speaker) error {
	if err := s.enter(s.target.Serves, empty()); err != nil {
		return err
	}
	return s.flood(ctx, func(i int) mux.Message { return message(1, wire.Type(i+10), []byte{1, 2, 3}) })
}

func beforeOpen(ctx context.Context, s *Speaker) error {
	d := keys.DiscoveryKey{9}
	if err := s.Send(open(1, wire.Protocol, d[:], s.proof(true, keys.Key{}))); err != nil {
		return err
	}
	payload := make([]byte, 1000)
	return s.listening(ctx, func(int) mux.Message { return message(1, wire.TypeExtension, payload) })
}

func afterClose(ctx context.Context, s *Speaker) error {
	if err := s.Send(s.opening(1, s.target.Serves), control(controlClose, 1)); err != nil {
		return err
	}
	sync := empty().Append(nil)
	return s.listening(ctx, func(int) mux.Message { return message(1, wire.TypeSync, sync) })
}

func oneByte(_ context.Context, s *Speaker) error {
	for i := range 256 {
		if err := s.frames(1, []byte{byte(i)}); err != nil {
			return err
		}
	}
	return s.Listen(nil)
}

func noise(_ context.Context, s *Speaker) error {
	for {
		b := make([]byte, 300)
		rand.Read(b)
		if err := s.frames(1, b); err != nil {
			return err
		}
	}
}

func largest(ctx context.Context, s *Speaker) error {
	b := append([]byte{0x20, 0x01}, bytes.Repeat([]byte{7}, 15<<20)...)
	for ctx.Err() == nil {
		if err := s.frames(1, b); err != nil {
			return err
		}
	}
	return nil
}
