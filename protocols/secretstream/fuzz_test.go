package secretstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// FuzzHandshake plays either role against what data says.
func FuzzHandshake(f *testing.F) {
	for _, s := range load(f).Sessions {
		a, _ := side(s.Raw, "initiator")
		b, _ := side(s.Raw, "responder")
		f.Add(false, a)
		f.Add(true, b)
		f.Add(false, a[:35])
	}
	s := load(f).Sessions[0]
	f.Fuzz(func(t *testing.T, initiator bool, data []byte) {
		o := Options{Static: pair(t, s.ResponderStaticSeed), Limits: Limits{KeepAlive: -1}}
		d := &dice{ephemeral: pair(t, s.ResponderEphemeralSeed), header: [headerBytes]byte(s.ResponderHeader)}
		if initiator {
			o.Static = pair(t, s.InitiatorStaticSeed)
			d.ephemeral, d.header = pair(t, s.InitiatorEphemeralSeed), [headerBytes]byte(s.InitiatorHeader)
		}
		c, err := open(context.Background(), &replay{in: bytes.NewReader(data)}, initiator, o, d)
		if err != nil {
			if !errors.Is(err, ErrHandshake) {
				t.Fatal(err)
			}
			return
		}
		defer c.Close()
		drain(t, c, len(data))
	})
}

// drain reads messages until the error that must come.
func drain(t *testing.T, c interface{ ReadMessage() ([]byte, error) }, most int) {
	t.Helper()
	total := 0
	for {
		msg, err := c.ReadMessage()
		if err == nil {
			total += len(msg)
			continue
		}
		known := false
		for _, e := range []error{ErrHandshake, ErrFrame, ErrAuth, io.EOF, io.ErrUnexpectedEOF} {
			known = known || errors.Is(err, e)
		}
		if !known || total > most {
			t.Fatalf("%d bytes of %d, then %v", total, most, err)
		}
		return
	}
}

// FuzzFrames cuts what it is given into frames, read in pieces of any size.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x02\x00\x00hi\x00\x00\x00\x05\x00\x00hello"), byte(3))
	f.Add([]byte("\xff\xff\xff"), byte(1))
	f.Add(frame(make([]byte, 9000)), byte(200))
	f.Fuzz(func(t *testing.T, data []byte, piece byte) {
		fr := NewFrames(&replay{in: &pieces{data, int(piece) + 1}}, Limits{KeepAlive: -1})
		defer fr.Close()
		want := data
		for {
			msg, err := fr.ReadMessage()
			if err != nil {
				break
			}
			for len(want) >= 3 && want[0]|want[1]|want[2] == 0 {
				want = want[3:]
			}
			if !bytes.HasPrefix(want, frame(msg)) {
				t.Fatalf("%x is not the next frame of %x", msg, want)
			}
			want = want[3+len(msg):]
		}
		if n := cap(fr.in.b); n > 4*(len(data)+minBuffer) {
			t.Fatalf("a buffer of %d bytes for %d", n, len(data))
		}
	})
}

// pieces gives n bytes at a time.
type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.b)
	p.b = p.b[n:]
	return n, nil
}

// FuzzOpen opens a body that may have been changed: it gives the message that was sealed, or an error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("a message"), uint16(3), byte(0))
	f.Add([]byte{}, uint16(0), byte(1))
	f.Add(make([]byte, 300), uint16(40), byte(0x80))
	f.Fuzz(func(t *testing.T, msg []byte, at uint16, flip byte) {
		tx, rx := boxes(t)
		b, err := tx.seal(padded(), msg)
		must(t, err)
		i := room + int(at)%(len(b)-room)
		b[i] ^= flip
		got, err := rx.open(b, room)
		if flip == 0 && (err != nil || !bytes.Equal(got, msg)) || flip != 0 && !errors.Is(err, ErrAuth) {
			t.Fatalf("%x with %x at %d: %x, %v", msg, flip, i, got, err)
		}
	})
}
