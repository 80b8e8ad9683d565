package mux

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzMessages decodes frames. What is accepted survives a round trip.
func FuzzMessages(f *testing.F) {
	w := load(f)
	for _, c := range w.Protomux.Frames {
		f.Add([]byte(c.Hex))
	}
	for _, s := range w.Sessions {
		for _, c := range s.Frames {
			f.Add([]byte(c.Hex))
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var messages []Message
		for m, err := range Messages(frame) {
			if err != nil {
				if !errors.Is(err, ErrProtocol) {
					t.Fatal(err)
				}
				return
			}
			messages = append(messages, m)
		}
		if len(messages) == 0 {
			return
		}
		again := AppendBatch(nil, messages)
		i := 0
		for m, err := range Messages(again) {
			if err != nil || m.Channel != messages[i].Channel || m.Type != messages[i].Type || !bytes.Equal(m.Payload, messages[i].Payload) {
				t.Fatalf("%x became %x: %v", frame, again, err)
			}
			i++
		}
		if i != len(messages) {
			t.Fatalf("%d messages became %d", len(messages), i)
		}
	})
}

// FuzzPeer lets a peer say what it likes.
func FuzzPeer(f *testing.F) {
	f.Add([]byte{8, 1, 2, 0, 0, 1, 1, 12, 2, 9, 1, 1, 1, 3, 4, 1, 7, 0})
	f.Add([]byte{16, 0, 0, 1, 1, 1, 'p', 0, 3, 0, 2, 1, 1, 0})
	f.Add(bytes.Repeat([]byte{8, 1, 1, 9, 10, 1, 3}, 20))
	f.Fuzz(meetWildPeer)
}

// meetWildPeer does what data says: the peer sends frames, this side opens, closes, answers and sends. A Mux stays
// consistent until it finds the peer at fault, and calls its handlers in order.
func meetWildPeer(t *testing.T, data []byte) {
	a, _ := newParties(t)
	a.wild = true
	for len(data) >= 2 {
		x, y := data[0], data[1]
		data = data[2:]
		frame, own := hostile(x, y, &data)
		if own {
			a.step(x%6, y)
		} else {
			a.link.in = append(a.link.in, frame)
			if err := a.mux.ReadFrame(); err != nil {
				if !errors.Is(err, ErrProtocol) {
					t.Fatal(err)
				}
				return
			}
		}
		if err := consistent(a.mux); err != nil {
			t.Fatal(err)
		}
		a.flush()
		a.link.peer.in = nil
	}
}

// hostile makes a frame of the peer, well formed more often than not; own is for a step of this side.
func hostile(x, y byte, data *[]byte) (frame []byte, own bool) {
	switch x / 8 % 4 {
	case 0:
		return nil, true
	case 1: // a message that may well make sense
		number := uint64(y % 6)
		switch x % 8 {
		case 0, 1, 2:
			return AppendMessage(nil, opening(number, "p", string([]byte{x % 5}), "")), false
		case 3:
			return AppendMessage(nil, rejecting(byte(number))), false
		case 4:
			return AppendMessage(nil, closing(byte(number))), false
		}
		return AppendMessage(nil, message(number, uint64(x%8), "p"+string([]byte{x % 5}))), false
	case 2: // one with any payload
		n := min(int(y), len(*data))
		frame = append([]byte{x % 4, y % 5}, (*data)[:n]...)
		*data = (*data)[n:]
		return frame, false
	}
	n := min(int(y), len(*data)) // anything
	frame = (*data)[:n:n]
	*data = (*data)[n:]
	return frame, false
}

// FuzzTwoSides lets two honest sides do what data says.
func FuzzTwoSides(f *testing.F) {
	f.Add([]byte{0, 1, 128, 1, 5, 0, 133, 0, 6, 0, 134, 0, 2, 0, 130, 0})
	f.Add([]byte{0, 1, 5, 0, 134, 0, 131, 1, 2, 0, 0, 1, 5, 0, 133, 0, 134, 0, 6, 0})
	f.Fuzz(func(t *testing.T, data []byte) { simulate(t, data) })
}
