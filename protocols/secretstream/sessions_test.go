package secretstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hypernode/hypernode/internal/vectors"
)

type goldenSession struct {
	Name                   string      `json:"name"`
	InitiatorStaticSeed    vectors.Hex `json:"initiatorStaticSeed"`
	ResponderStaticSeed    vectors.Hex `json:"responderStaticSeed"`
	InitiatorEphemeralSeed vectors.Hex `json:"initiatorEphemeralSeed"`
	ResponderEphemeralSeed vectors.Hex `json:"responderEphemeralSeed"`
	InitiatorHeader        vectors.Hex `json:"initiatorHeader"`
	ResponderHeader        vectors.Hex `json:"responderHeader"`
	HandshakeHash          vectors.Hex `json:"handshakeHash"`
	Raw                    []goldenRaw `json:"raw"`
	Frames                 []goldenRaw `json:"frames"`
}

type goldenRaw struct {
	From string      `json:"from"`
	Hex  vectors.Hex `json:"hex"`
}

// side returns what one side wrote, joined, and the list of it.
func side(all []goldenRaw, from string) (joined []byte, each [][]byte) {
	for _, r := range all {
		if r.From == from {
			joined, each = append(joined, r.Hex...), append(each, r.Hex)
		}
	}
	return joined, each
}

// replay is a connection whose other side was recorded.
type replay struct {
	net.Conn // nil: nothing else is called
	in       io.Reader
	out      bytes.Buffer
}

func (r *replay) Read(b []byte) (int, error)  { return r.in.Read(b) }
func (r *replay) Write(b []byte) (int, error) { return r.out.Write(b) }
func (r *replay) Close() error                { return nil }

func (r *replay) SetReadDeadline(time.Time) error  { return nil }
func (r *replay) SetWriteDeadline(time.Time) error { return nil }

// Each side is played against the recording of the other one: it makes the same bytes, and reads the same messages.
func TestVectorsSessions(t *testing.T) {
	for _, s := range load(t).Sessions {
		for _, initiator := range []bool{true, false} {
			playSession(t, &s, initiator)
		}
	}
}

func playSession(t *testing.T, s *goldenSession, initiator bool) {
	t.Helper()
	me, other := "initiator", "responder"
	o := Options{Static: pair(t, s.InitiatorStaticSeed), Limits: Limits{KeepAlive: -1}}
	d := &dice{ephemeral: pair(t, s.InitiatorEphemeralSeed), header: [headerBytes]byte(s.InitiatorHeader)}
	if !initiator {
		me, other = other, me
		o.Static = pair(t, s.ResponderStaticSeed)
		d = &dice{ephemeral: pair(t, s.ResponderEphemeralSeed), header: [headerBytes]byte(s.ResponderHeader)}
	}
	heard, _ := side(s.Raw, other)
	said, _ := side(s.Raw, me)
	r := &replay{in: bytes.NewReader(heard)}
	c, err := open(context.Background(), r, initiator, o, d)
	must(t, err)
	defer c.Close()
	hash := c.HandshakeHash()
	same(t, s.Name+": handshake hash", hash[:], s.HandshakeHash)

	_, theirs := side(s.Frames, other)
	for i, want := range theirs {
		got, err := c.ReadMessage()
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Fatalf("%s, message %d of the %s: %x, want %x", s.Name, i, other, got, want)
		}
	}
	if msg, err := c.ReadMessage(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: %x after the last message of the %s, error %v", s.Name, msg, other, err)
	}
	_, mine := side(s.Frames, me)
	must(t, c.WriteMessages(mine...))
	same(t, s.Name+": what the "+me+" writes", r.out.Bytes(), said)
}
