package evilpeer

import (
	"bytes"
	"context"
	"errors"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// onCapabilities is what can be tried without knowing a core's key. Nothing of it must be answered.
func onCapabilities() []Misbehaviour {
	return []Misbehaviour{
		{Name: "no proof", What: "a core's name and zeros", Run: strangers(func(*Speaker) []byte { return wire.Handshake{}.Append(nil) })},
		{Name: "short proof", What: "half a proof", Run: strangers(func(s *Speaker) []byte { return s.proof(true, s.target.Serves)[:17] })},
		{Name: "wrong role", What: "the proof of the other side", Run: strangers(func(s *Speaker) []byte { return s.proof(false, s.target.Serves) })},
		{Name: "other core's proof", What: "the proof for another key", Run: strangers(func(s *Speaker) []byte { return s.proof(true, s.target.Wants.Key()) })},
		{Name: "replayed proof", What: "the right proof, of another stream", Run: replayed},
		{Name: "reflected proof", What: "the proof that the target has just sent", Run: clones(4, again(reflected))},
	}
}

// asking is what a stranger sends at once, to get something before the answer to its proof.
func asking() []mux.Message {
	q := merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 1}, Manifest: true}
	p := merkle.Request{ID: 2, Block: &merkle.BlockRequest{}}
	return []mux.Message{
		message(1, wire.TypeSync, empty().Append(nil)),
		message(1, wire.TypeRequest, merkle.AppendRequest(nil, &q)),
		message(1, wire.TypeRequest, merkle.AppendRequest(nil, &p)),
		message(1, wire.TypeWant, wire.Want{Length: 1 << 21}.Append(nil)),
	}
}

// strangers opens the core that the target serves with a handshake, and asks for things.
func strangers(handshake func(s *Speaker) []byte) func(context.Context, *Target) {
	return clones(4, again(func(_ context.Context, s *Speaker) error { return s.intrude(s.target.Serves, handshake(s)) }))
}

func (s *Speaker) intrude(key keys.Key, handshake []byte) error {
	d := key.Discovery()
	if err := s.Send(append([]mux.Message{open(1, wire.Protocol, d[:], handshake)}, asking()...)...); err != nil {
		return err
	}
	return s.Listen(s.leaks(d))
}

// leaks counts what comes back about a core.
func (s *Speaker) leaks(d keys.DiscoveryKey) func(m mux.Message) error {
	theirs := map[uint64]bool{}
	return func(m mux.Message) error {
		if number, id, _, err := opened(m); err == nil && bytes.Equal(id, d[:]) {
			theirs[number] = true
		}
		if theirs[m.Channel] {
			s.target.got.Add(1)
		}
		return nil
	}
}

var errNotOpen = errors.New("not the opening of a channel")

// opened reads what open makes.
func opened(m mux.Message) (number uint64, id, handshake []byte, err error) {
	if m.Channel != 0 || m.Type != controlOpen {
		return 0, nil, nil, errNotOpen
	}
	d := compact.NewDecoder(m.Payload)
	number = d.Uint()
	_ = d.String()
	id = d.OptionalBuffer()
	handshake = d.Rest()
	return number, id, handshake, d.Err()
}

func replayed(ctx context.Context, t *Target) {
	once(ctx, t, func(ctx context.Context, first *Speaker) error {
		proof := first.proof(true, t.Serves)
		clones(4, again(func(_ context.Context, s *Speaker) error { return s.intrude(t.Serves, proof) }))(ctx, t)
		return nil
	})
}

// reflected waits for the target to open the core that it wants, and opens it with the very same bytes. As the target has
// opened it, what it says of it is for all to hear who know its name; but it must end the stream.
func reflected(_ context.Context, s *Speaker) error {
	s.target.struck(1)
	var back []byte
	return s.Listen(func(m mux.Message) error {
		_, id, handshake, err := opened(m)
		if err == nil && back == nil {
			back = bytes.Clone(handshake)
			return s.intrudeBack(bytes.Clone(id), back)
		}
		if m.Channel > 0 && back != nil {
			s.target.got.Add(1)
		}
		return nil
	})
}

func (s *Speaker) intrudeBack(id, handshake []byte) error {
	return s.Send(append([]mux.Message{open(1, wire.Protocol, id, handshake)}, asking()...)...)
}
