package mux

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

// link is a Conn to the other side of a simulation: frames lie in a list until they are read.
type link struct {
	*fake
	in   [][]byte
	peer *link
}

func (l *link) ReadMessage() ([]byte, error) {
	if len(l.in) == 0 {
		return nil, io.EOF
	}
	b := l.in[0]
	l.in = l.in[1:]
	return b, nil
}

func (l *link) WriteMessages(msgs ...[]byte) error {
	for _, m := range msgs {
		l.peer.in = append(l.peer.in, bytes.Clone(m))
	}
	return nil
}

// party is one side of a simulation, with what it believes.
type party struct {
	t      *testing.T
	link   *link
	mux    *Mux
	wild   bool // the other side is not honest
	open   []*watched
	offers []*Offer
}

// watched is a Handler that checks the order of its calls.
type watched struct {
	party   *party
	channel *Channel
	state   int // 0 new, 1 opened, 2 ended
	got     int
}

func (w *watched) Opened(c *Channel, handshake []byte) error {
	if w.state != 0 || w.channel != nil && w.channel != c {
		w.party.t.Errorf("opened in state %d", w.state)
	}
	w.state = 1
	return nil
}

func (w *watched) Message(c *Channel, typ uint64, payload []byte) error {
	if w.state != 1 || !w.party.wild && string(payload) != c.Protocol()+string(c.ID()) {
		w.party.t.Errorf("message %q on %q in state %d", payload, c.Protocol(), w.state)
	}
	w.got++
	return nil
}

func (w *watched) Closed(c *Channel, err error) {
	if w.state == 2 {
		w.party.t.Error("closed twice")
	}
	w.state = 2
}

func newParties(t *testing.T) (a, b *party) {
	a, b = &party{t: t, link: &link{fake: newFake()}}, &party{t: t, link: &link{fake: newFake()}}
	a.link.peer, b.link.peer = b.link, a.link
	for _, p := range []*party{a, b} {
		p.mux = New(p.link, Options{MaxBacklog: 1 << 30, Offered: func(o *Offer) { p.offers = append(p.offers, o) }})
	}
	return a, b
}

// step does one thing that x picks.
func (p *party) step(x, y byte) {
	switch x % 8 {
	case 0, 1:
		w := &watched{party: p}
		c, err := p.mux.Open(Spec{Protocol: "p", ID: []byte{y % 5}}, w)
		if w.channel = c; err == nil {
			p.open = append(p.open, w)
		} else if !errors.Is(err, ErrOpen) {
			p.t.Error(err)
		}
	case 2:
		p.close(y)
	case 3:
		p.answer(y)
	case 4:
		p.send(y)
	case 5:
		p.flush()
	default:
		p.read()
	}
}

func (p *party) close(y byte) {
	if len(p.open) > 0 {
		w := p.open[int(y)%len(p.open)]
		w.channel.Close()
		w.state = 2
	}
}

func (p *party) answer(y byte) {
	if len(p.offers) == 0 {
		return
	}
	o := p.offers[0]
	p.offers = p.offers[1:]
	if y%3 == 0 {
		o.Reject()
		return
	}
	w := &watched{party: p}
	c, err := o.Accept(nil, w)
	if err == nil {
		w.channel = c
		p.open = append(p.open, w)
	} else if !errors.Is(err, ErrAnswered) {
		p.t.Error(err)
	}
}

func (p *party) send(y byte) {
	if len(p.open) == 0 {
		return
	}
	c := p.open[int(y)%len(p.open)].channel
	if err := c.Send(uint64(y), []byte(c.Protocol()+string(c.ID()))); err != nil && !errors.Is(err, ErrClosed) {
		p.t.Error(err)
	}
}

func (p *party) flush() {
	if _, err := p.mux.Flush(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *party) read() {
	if len(p.link.in) > 0 {
		if err := p.mux.ReadFrame(); err != nil {
			p.t.Fatalf("two honest sides: %v", err)
		}
	}
}

// settle answers, writes and reads until nothing is left to do.
func settle(a, b *party) {
	for range 100 {
		for _, p := range []*party{a, b} {
			p.answer(1)
			p.flush()
			p.read()
		}
	}
}

// consistent checks what a Mux counts against what it has.
func consistent(m *Mux) error {
	live, offers, backlog := 0, 0, 0
	for _, c := range m.channels {
		if !c.closed {
			live++
			backlog += cost(c.backlog)
		}
	}
	for number, r := range m.remotes {
		switch {
		case (r.offer == nil) == (r.channel == nil):
			return fmt.Errorf("number %d stands for nothing, or for two", number)
		case r.offer != nil:
			offers++
			backlog += cost(r.offer.backlog)
		case r.channel.closed || r.channel.remote != number:
			return fmt.Errorf("number %d stands for a channel that is gone", number)
		}
	}
	for n, p := range m.pairings {
		if p.open == nil && p.incoming == nil && len(p.waiting) == 0 {
			return fmt.Errorf("name %v stands for nothing", n)
		}
	}
	if live != m.live || offers != m.offers || backlog != m.backlog {
		return fmt.Errorf("counted %d channels, %d offers, %d bytes; there are %d, %d, %d", m.live, m.offers, m.backlog, live, offers, backlog)
	}
	if len(m.channels)+len(m.numbers.free) != int(m.numbers.highest) {
		return fmt.Errorf("numbers are lost: %d used, %d free, of %d", len(m.channels), len(m.numbers.free), m.numbers.highest)
	}
	return nil
}

// simulate lets two sides do what data says. They never break the protocol to each other, and agree in the end.
func simulate(t *testing.T, data []byte) {
	a, b := newParties(t)
	for ; len(data) >= 2; data = data[2:] {
		p := a
		if data[0] >= 128 {
			p = b
		}
		p.step(data[0], data[1])
		if err := consistent(p.mux); err != nil {
			t.Fatal(err)
		}
	}
	settle(a, b)
	if err := errors.Join(consistent(a.mux), consistent(b.mux)); err != nil {
		t.Fatal(err)
	}
	if a.mux.live != b.mux.live || a.mux.offers+b.mux.offers != 0 || len(a.mux.channels) != a.mux.live || len(b.mux.channels) != b.mux.live {
		t.Fatalf("%d channels on one side, %d on the other", a.mux.live, b.mux.live)
	}
	for _, p := range []*party{a, b} {
		for _, w := range p.open {
			if !w.channel.closed != (w.state == 1) {
				t.Fatalf("a channel is closed: %v, its handler in state %d", w.channel.closed, w.state)
			}
		}
	}
}

// sequences calls f with random bytes, 2,000 times, or 100,000 times when HYPERNODE_LONG is set.
func sequences(t *testing.T, f func(t *testing.T, data []byte)) {
	n := 2000
	if os.Getenv("HYPERNODE_LONG") != "" {
		n = 100_000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		data := make([]byte, r.IntN(240))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f(t, data)
	}
}

func TestTwoSides(t *testing.T) { sequences(t, simulate) }

func TestWildPeer(t *testing.T) { sequences(t, meetWildPeer) }
