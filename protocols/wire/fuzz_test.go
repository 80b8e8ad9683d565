package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hypernode/hypernode/core/merkle"
)

// FuzzDecode decodes data as each kind of message. What is accepted survives a round trip; what is not, is refused by an
// error of the right kind.
func FuzzDecode(f *testing.F) {
	w := load(f)
	for i, kind := range kinds() {
		for _, c := range w.Messages[kind] {
			f.Add(byte(i), []byte(c.Hex))
		}
		for _, c := range w.MessageDecode[kind] {
			f.Add(byte(i), []byte(c.Hex))
		}
	}
	f.Fuzz(func(t *testing.T, k byte, data []byte) {
		kind := kinds()[int(k)%len(kinds())]
		once, err := reencode(kind, data)
		if err != nil {
			if !errors.Is(err, ErrMessage) && !errors.Is(err, merkle.ErrInvalidRequest) && !errors.Is(err, merkle.ErrInvalidProof) {
				t.Fatalf("%s: %v", kind, err)
			}
			return
		}
		again, err := reencode(kind, once)
		if err != nil || !bytes.Equal(once, again) {
			t.Fatalf("%s: %x became %x, then %x, %v", kind, data, once, again, err)
		}
	})
}

// FuzzHave feeds a set with the announcements that data spells and compares it with a slow one.
func FuzzHave(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0, 0, 4, 200, 1, 90, 1, 7, 2, 3, 9, 8})
	f.Add(bytes.Repeat([]byte{0, 5, 1, 1}, 100))
	f.Add(bytes.Repeat([]byte{2, 0, 0x55, 0xaa}, 50))
	p := newHavePair()
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 4*30)] // steps: the model takes its time
		p.have = Have{}
		clear(p.want)
		for len(data) >= 4 {
			p.step(data[0], data[1], data[2], data[3])
			data = data[4:]
		}
		p.check(t)
	})
}
