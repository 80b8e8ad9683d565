package evilpeer

import (
	"bytes"
	"context"
	"fmt"

	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// most is the greatest number that the format carries.
const most = 1<<53 - 1

// onAnnouncements is what can be said about blocks, by one who knows the key.
func onAnnouncements() []Misbehaviour {
	return []Misbehaviour{
		{Name: "range bomb", What: "ranges of 2^53 blocks", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeRange, wire.Range{Start: uint64(i % 100), Length: most - 200}.Append(nil))
		})},
		{Name: "scattered ranges", What: "single blocks far from each other", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeRange, wire.Range{Start: uint64(i) * 100_003 % (1 << 50), Length: 1}.Append(nil))
		})},
		{Name: "range flap", What: "announces and withdraws", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeRange, wire.Range{Drop: i%2 == 1, Start: uint64(i) % 7, Length: 1 << 40}.Append(nil))
		})},
		{Name: "sparse bitfields", What: "bitfields with a bit in each page", Run: about(sparseBitfield)},
		{Name: "large bitfields", What: "bitfields of 256 KiB", Run: about(largeBitfield)},
		{Name: "huge bitfield", What: "a bitfield above the limit", Run: aboutOnce(message(1, wire.TypeBitfield, wire.Bitfield{Bits: make([]byte, 4<<20)}.Append(nil))),
			Budget: Budget{Heap: 64 << 20}},
		{Name: "want bomb", What: "wants of everything", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeWant, wire.Want{Start: uint64(i), Length: most - uint64(i)}.Append(nil))
		})},
		{Name: "want flap", What: "wants, and wants no more", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeWant+wire.Type(i%2), wire.Want{Length: 1 << 21}.Append(nil))
		})},
		{Name: "sync spam", What: "another length each time", Run: about(func(i int) mux.Message {
			m := empty()
			m.Length, m.RemoteLength = uint64(i)%1000, uint64(i)%3
			return message(1, wire.TypeSync, m.Append(nil))
		})},
		{Name: "largest numbers", What: "a sync with 2^53 blocks of fork 2^53", Run: about(func(int) mux.Message {
			return message(1, wire.TypeSync, wire.Sync{Fork: most, Length: most, RemoteLength: most, CanUpgrade: true, Uploading: true}.Append(nil))
		})},
		{Name: "length bomb", What: "numbers above 2^53", Run: aboutOnce(message(1, wire.TypeSync, bytes.Repeat([]byte{0xff}, 60)))},
		{Name: "truncated message", What: "a sync that ends early", Run: aboutOnce(message(1, wire.TypeSync, []byte{1, 2}))},
		{Name: "extension spam", What: "another extension each time", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeExtension, wire.Extension{Name: fmt.Sprint("name ", i), Payload: make([]byte, 100)}.Append(nil))
		})},
		{Name: "tail spam", What: "wants new blocks, and does not, and does", Run: about(func(i int) mux.Message {
			return message(1, wire.TypeExtension, wire.Extension{Name: "hypernode/tail", Payload: []byte{byte(i % 3)}}.Append(nil))
		})},
		{Name: "extension names", What: "an extension with a name of 64 KiB", Run: aboutOnce(message(1, wire.TypeExtension,
			wire.Extension{Name: string(make([]byte, 64<<10))}.Append(nil)))},
	}
}

// about floods a core that the target serves, while it reads the answers.
func about(next func(i int) mux.Message) func(context.Context, *Target) {
	return again(func(ctx context.Context, s *Speaker) error {
		if err := s.enter(s.target.Serves, empty()); err != nil {
			return err
		}
		return s.listening(ctx, next)
	})
}

// aboutOnce says one thing about a core that the target serves, and listens.
func aboutOnce(m mux.Message) func(context.Context, *Target) {
	return clones(4, again(func(_ context.Context, s *Speaker) error {
		if err := s.enter(s.target.Serves, empty()); err != nil {
			return err
		}
		if err := s.Send(m); err != nil {
			return err
		}
		return s.Listen(nil)
	}))
}

func sparseBitfield(i int) mux.Message {
	b := wire.Bitfield{Start: uint64(i) << 15, Bits: make([]byte, 4<<10)}
	for k := 0; k < len(b.Bits); k += 8 {
		b.Bits[k] = 0x11
	}
	return message(1, wire.TypeBitfield, b.Append(nil))
}

func largeBitfield(i int) mux.Message {
	if i%8 != 0 {
		return message(1, wire.TypeRange, wire.Range{Length: 1}.Append(nil)) // a frame takes a few
	}
	b := wire.Bitfield{Start: uint64(i) << 21, Bits: bytes.Repeat([]byte{0x55}, wire.MaxBitfieldBits/8)}
	return message(1, wire.TypeBitfield, b.Append(nil))
}
