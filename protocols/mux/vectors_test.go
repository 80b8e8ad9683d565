package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/vectors"
	"github.com/hypernode/hypernode/protocols/secretstream"
	"github.com/hypernode/hypernode/protocols/wire"
)

type wireFile struct {
	Protomux struct {
		IDs    []vectors.Hex `json:"ids"`
		Frames []struct {
			What string      `json:"what"`
			Hex  vectors.Hex `json:"hex"`
		} `json:"frames"`
	} `json:"protomux"`
	Sessions []goldenSession `json:"sessions"`
}

type goldenSession struct {
	Name          string      `json:"name"`
	HandshakeHash vectors.Hex `json:"handshakeHash"`
	Cores         []struct {
		Key          vectors.Hex `json:"key"`
		DiscoveryKey vectors.Hex `json:"discoveryKey"`
	} `json:"cores"`
	Frames []goldenFrame `json:"frames"`
}

type goldenFrame struct {
	From     string          `json:"from"`
	Hex      vectors.Hex     `json:"hex"`
	Batch    bool            `json:"batch"`
	Messages []goldenMessage `json:"messages"`
}

type goldenMessage struct {
	Control  string      `json:"control"`
	Channel  uint64      `json:"channel"`
	Type     uint64      `json:"type"`
	Protocol string      `json:"protocol"`
	ID       vectors.Hex `json:"id"`
}

func load(t testing.TB) (w wireFile) {
	t.Helper()
	vectors.Load(t, "wire.json", &w)
	if len(w.Protomux.Frames) == 0 || len(w.Sessions) == 0 {
		t.Fatal("a list of the golden data is empty")
	}
	return w
}

func decode(t testing.TB, frame []byte) (messages []Message) {
	t.Helper()
	for m, err := range Messages(frame) {
		if err != nil {
			t.Fatalf("%x: %v", frame, err)
		}
		messages = append(messages, m)
	}
	return messages
}

// reencode must give the bytes back.
func reencode(t testing.TB, frame []byte) []Message {
	t.Helper()
	messages := decode(t, frame)
	var again []byte
	if IsBatch(frame) {
		again = AppendBatch(nil, messages)
	} else {
		again = AppendMessage(nil, messages[0])
	}
	if !bytes.Equal(again, frame) {
		t.Errorf("%x becomes %x", frame, again)
	}
	return messages
}

const goldenDestroyed = "destroyed" // stands where a frame was answered by the end of the stream

func TestVectorsProtomux(t *testing.T) {
	for _, f := range load(t).Protomux.Frames {
		if string(f.Hex) == goldenDestroyed {
			r := newRig(t, Options{})
			if err := r.say(opening(3, "p", "", "")); !errors.Is(err, ErrProtocol) {
				t.Errorf("%s: %v", f.What, err)
			}
			continue
		}
		for _, m := range reencode(t, f.Hex) {
			checkOpen(t, f.What, m)
		}
	}
}

func checkOpen(t *testing.T, what string, m Message) {
	t.Helper()
	if m.Channel != 0 || m.Type != controlOpen {
		return
	}
	o, ok, err := decodeOpen(m.Payload)
	if err != nil || !ok || !bytes.Equal(o.append(nil), m.Payload) {
		t.Errorf("%s: open %+v, %v, %v", what, o, ok, err)
	}
}

// What a Mux writes for what the golden frames tell is those frames.
func TestVectorsProtomuxWritten(t *testing.T) {
	for _, f := range load(t).Protomux.Frames {
		if string(f.Hex) == goldenDestroyed {
			continue
		}
		messages := decode(t, f.Hex)
		if IsBatch(f.Hex) && len(messages) == 1 {
			continue // a Mux sends a single message bare, which means the same
		}
		var q queue
		for _, m := range messages {
			q.add(m.Channel, m.Type, func(b []byte) []byte { return append(b, m.Payload...) })
		}
		if frames := q.pack(); len(frames) != 1 || !bytes.Equal(frames[0], f.Hex) {
			t.Errorf("%s: written as %x, want %v", f.What, frames, f.Hex)
		}
	}
}

func TestVectorsSessionFrames(t *testing.T) {
	for _, s := range load(t).Sessions {
		if len(s.Frames) == 0 {
			t.Fatalf("%s: no frames", s.Name)
		}
		for _, f := range s.Frames {
			messages := reencode(t, f.Hex)
			if IsBatch(f.Hex) != f.Batch || len(messages) != len(f.Messages) {
				t.Fatalf("%s: %v: batch %v, %d messages", s.Name, f.Hex, IsBatch(f.Hex), len(messages))
			}
			for i, m := range messages {
				checkGolden(t, s.Name, m, &f.Messages[i])
			}
		}
	}
}

func checkGolden(t *testing.T, name string, m Message, g *goldenMessage) {
	t.Helper()
	number := m.Channel
	if g.Control != "" {
		o, _, err := decodeOpen(m.Payload)
		if err != nil || m.Channel != 0 || g.Control == "open" && (o.protocol != g.Protocol || !bytes.Equal(o.id, g.ID)) {
			t.Errorf("%s: %s %+v, %v", name, g.Control, o, err)
		}
		number = o.number
	} else if m.Type != g.Type {
		t.Errorf("%s: type %d, want %d", name, m.Type, g.Type)
	}
	if number != g.Channel {
		t.Errorf("%s: channel %d, want %d", name, number, g.Channel)
	}
}

// proving is a Handler that checks the peer's capability.
type proving struct {
	events
	check func(handshake []byte) error
}

func (p *proving) Opened(c *Channel, handshake []byte) error {
	if err := p.check(handshake); err != nil {
		return err
	}
	return p.events.Opened(c, nil)
}

// Each side's frames, fed to a Mux in the other role, open the channels, prove the keys and deliver all messages.
func TestVectorsSessionsPlayed(t *testing.T) {
	for _, s := range load(t).Sessions {
		for _, from := range []string{"initiator", "responder"} {
			playSession(t, &s, from)
		}
	}
}

func playSession(t *testing.T, s *goldenSession, from string) {
	t.Helper()
	hash := [64]byte(s.HandshakeHash)
	r := newRig(t, Options{})
	handlers := map[string]*proving{}
	for _, core := range s.Cores {
		p := &proving{check: func(b []byte) error {
			h, err := wire.DecodeHandshake(b)
			if err == nil && !h.Proves(&hash, from == "initiator", keys.Key(core.Key)) {
				err = errors.New("the capability proves nothing")
			}
			return err
		}}
		handlers[string(core.DiscoveryKey)] = p
		_, err := r.mux.Open(Spec{Protocol: wire.Protocol, Aliases: []string{wire.Alias}, ID: core.DiscoveryKey}, p)
		r.must(err)
	}
	want := 0
	for _, f := range s.Frames {
		if f.From == from {
			want += len(f.Messages)
			r.conn.in <- f.Hex
			r.must(r.mux.ReadFrame())
		}
	}
	got := 0
	for _, p := range handlers {
		got += len(p.all()) // of each channel: opened and its messages
	}
	if got != want || want == 0 {
		t.Errorf("%s, %s: %d events, want %d", s.Name, from, got, want)
	}
}

type bindingFile struct {
	Context string `json:"context"`
	Cases   []struct {
		InitiatorPeerID     vectors.Hex `json:"initiatorPeerId"`
		ResponderPeerID     vectors.Hex `json:"responderPeerId"`
		InitiatorNonce      vectors.Hex `json:"initiatorNonce"`
		ResponderNonce      vectors.Hex `json:"responderNonce"`
		HandshakeHash       vectors.Hex `json:"handshakeHash"`
		CoreKey             vectors.Hex `json:"coreKey"`
		InitiatorCapability vectors.Hex `json:"initiatorCapability"`
		ResponderCapability vectors.Hex `json:"responderCapability"`
	} `json:"cases"`
}

func TestVectorsBinding(t *testing.T) {
	var b bindingFile
	vectors.Load(t, "binding.json", &b)
	if b.Context != bindingContext || len(b.Cases) == 0 {
		t.Fatalf("context %q, %d cases", b.Context, len(b.Cases))
	}
	for i, c := range b.Cases {
		hash := bindingHash(c.InitiatorPeerID, c.ResponderPeerID, c.InitiatorNonce, c.ResponderNonce)
		if !bytes.Equal(hash[:], c.HandshakeHash) {
			t.Errorf("%d: hash %x, want %v", i, hash, c.HandshakeHash)
		}
		for initiator, want := range map[bool]vectors.Hex{true: c.InitiatorCapability, false: c.ResponderCapability} {
			h := wire.Handshake{Capability: want.Array32(t)}
			if !h.Proves(&hash, initiator, keys.Key(c.CoreKey)) {
				t.Errorf("%d: the capability of the initiator (%v) proves nothing", i, initiator)
			}
		}
	}
}

var (
	_ Conn = (*Framed)(nil)
	_ Conn = (*secretstream.Conn)(nil)
)

func TestFramed(t *testing.T) {
	a, b := net.Pipe()
	type result struct {
		f   *Framed
		err error
	}
	other := make(chan result, 1)
	go func() {
		f, err := NewFramed(context.Background(), b, FramedOptions{LocalPeer: []byte("bob"), RemotePeer: []byte("alice")})
		other <- result{f, err}
	}()
	f, err := NewFramed(context.Background(), a, FramedOptions{LocalPeer: []byte("alice"), RemotePeer: []byte("bob"), Initiator: true})
	o := <-other
	if err != nil || o.err != nil {
		t.Fatal(err, o.err)
	}
	if f.HandshakeHash() != o.f.HandshakeHash() || !f.Initiator() || o.f.Initiator() || string(f.RemoteKey()) != "bob" {
		t.Error("the two sides differ")
	}
	go func() {
		f.WriteMessages([]byte("one"), nil, []byte("two"))
		f.Close()
	}()
	for _, want := range []string{"one", "two"} {
		if got, err := o.f.ReadMessage(); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := o.f.ReadMessage(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	o.f.Close()
}

// The bytes on the wire are 32 random ones, then frames.
func TestFramedBytes(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	peerNonce := bytes.Repeat([]byte{7}, nonceBytes)
	heard := make(chan []byte, 1)
	go func() {
		nonce := make([]byte, nonceBytes)
		io.ReadFull(b, nonce)
		b.Write(append(bytes.Clone(peerNonce), 0, 0, 0, 2, 0, 0, 'h', 'i'))
		rest := make([]byte, 3+5)
		io.ReadFull(b, rest)
		heard <- append(nonce, rest...)
	}()
	f, err := NewFramed(context.Background(), a, FramedOptions{LocalPeer: []byte("me"), RemotePeer: []byte("you")})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if msg, err := f.ReadMessage(); err != nil || string(msg) != "hi" {
		t.Errorf("%q, %v", msg, err)
	}
	if err := f.WriteMessages([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := <-heard
	if !bytes.Equal(got[nonceBytes:], []byte("\x05\x00\x00hello")) {
		t.Errorf("%x on the wire", got[nonceBytes:])
	}
	if f.HandshakeHash() != bindingHash([]byte("you"), []byte("me"), peerNonce, got[:nonceBytes]) {
		t.Error("the hash is another one")
	}
}

func TestFramedFails(t *testing.T) {
	for name, o := range map[string]struct {
		options FramedOptions
		peer    func(net.Conn)
	}{
		"silent peer": {FramedOptions{Handshake: 20e6}, func(c net.Conn) {}},
		"peer leaves": {FramedOptions{}, func(c net.Conn) { c.Close() }},
		"long id": {FramedOptions{LocalPeer: make([]byte, 1<<16)}, func(c net.Conn) {
			go c.Write(make([]byte, nonceBytes))
			io.ReadFull(c, make([]byte, nonceBytes))
		}},
	} {
		a, b := net.Pipe()
		done := make(chan struct{})
		go func() { o.peer(b); close(done) }()
		if f, err := NewFramed(context.Background(), a, o.options); err == nil {
			f.Close()
			t.Errorf("%s: no error", name)
		}
		<-done
		b.Close()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a, b := net.Pipe()
	defer b.Close()
	if _, err := NewFramed(ctx, a, FramedOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}
