package mux

import (
	"bytes"
	"fmt"
)

// Handler is told what happens to a channel. Calls for one channel come one after the other; most of them from the
// goroutine that reads, so that a call that takes long holds up all channels of the stream. An error ends the stream.
// Arguments are valid during the call only. A Handler may send, open and close; it must not wait for the peer.
type Handler interface {
	// Opened is called when both sides have opened the channel, with the peer's handshake, before any message.
	Opened(c *Channel, handshake []byte) error

	// Message is called for each message of the peer. Types that are not known are to be ignored.
	Message(c *Channel, typ uint64, payload []byte) error

	// Closed is called once, last, when the channel ends otherwise than by Channel.Close: with [ErrRemoteClosed],
	// [ErrRejected], or why the stream ended.
	Closed(c *Channel, err error)
}

// Spec says what channel to open.
type Spec struct {
	Protocol  string
	Aliases   []string // other names of Protocol, under which the peer may open the channel
	ID        []byte   // may be empty
	Handshake []byte   // for the peer's Opened
}

// Channel is one channel of a Mux. Messages may be sent as soon as there is one; the peer gets them if it accepts.
type Channel struct {
	mux     *Mux
	name    name
	handler Handler
	own     uint64 // number

	// Guarded by mux.mu.
	pairing *pairing
	remote  uint64 // number, 0 until the peer has opened the channel too
	closed  bool
	busy    bool      // an answer to an offer is calling the handler, and will go on with backlog and end
	backlog []Message // came while busy
	end     error     // for Handler.Closed, to be called by who is busy
}

// Open opens a channel, or accepts the peer's offer of the same one. [ErrOpen] tells that there is one already, [ErrLimit]
// that something of s, or the number of channels, is above its limit.
func (m *Mux) Open(s Spec, h Handler) (*Channel, error) {
	if len(s.Protocol) > MaxName || len(s.ID) > MaxName || len(s.Handshake) > MaxHandshake {
		return nil, fmt.Errorf("opening %q: %w", s.Protocol, ErrLimit)
	}
	m.mu.Lock()
	c, o, err := m.openLocked(s, h)
	m.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", s.Protocol, err)
	}
	if o != nil {
		c.begin(o.Handshake)
	}
	return c, nil
}

// openLocked returns a new channel, and the offer that it accepts, nil when there is none.
func (m *Mux) openLocked(s Spec, h Handler) (*Channel, *Offer, error) {
	if m.err != nil {
		return nil, nil, m.err
	}
	p := m.pairingLocked(s.ID, append([]string{s.Protocol}, s.Aliases...)...)
	if p.open != nil {
		return nil, nil, ErrOpen
	}
	if p.incoming == nil && m.live+m.offers >= m.o.MaxChannels {
		m.dropLocked(p)
		return nil, nil, ErrLimit
	}
	c := &Channel{mux: m, name: name{s.Protocol, string(s.ID)}, handler: h, own: m.numbers.take(), pairing: p}
	p.open = c
	m.channels[c.own] = c
	m.live++
	o := p.incoming
	if o != nil {
		m.takeLocked(o, c)
	} else {
		p.waiting = append(p.waiting, c.own)
	}
	m.queue.add(0, controlOpen, (&open{c.own, s.Protocol, s.ID, s.Handshake}).append)
	m.Wake()
	return c, o, nil
}

// Protocol returns the name of the channel's protocol.
func (c *Channel) Protocol() string { return c.name.protocol }

// ID returns the channel's id.
func (c *Channel) ID() []byte { return []byte(c.name.id) }

// Mux returns what the channel belongs to.
func (c *Channel) Mux() *Mux { return c.mux }

// Send queues a message. It keeps nothing of payload. See [Channel.Append] for the errors.
func (c *Channel) Send(typ uint64, payload []byte) error {
	return c.Append(typ, len(payload), func(b []byte) []byte { return append(b, payload...) })
}

// Append queues a message whose payload, of about size bytes, encode appends to what it is given. encode must not use the
// Mux. [ErrFull] tells that there is no room for size bytes now; encode is then not called. [ErrLimit] tells that the
// payload is above [MaxMessage]. After the end of the channel the error is [ErrClosed], after the stream's what ended it.
func (c *Channel) Append(typ uint64, size int, encode func([]byte) []byte) error {
	m := c.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	switch used := m.queue.unsent + m.inflight; {
	case m.err != nil:
		return m.err
	case c.closed:
		return ErrClosed
	case used > 0 && used+size+2*maxUint > m.o.MaxUnsent:
		return ErrFull
	}
	if _, ok := m.queue.add(c.own, typ, encode); !ok {
		return ErrLimit
	}
	m.Wake()
	return nil
}

// Close closes the channel. Its handler is not called any more, but for a call that runs already.
func (c *Channel) Close() {
	m := c.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.closed || m.err != nil {
		return
	}
	m.endLocked(c)
	m.controlLocked(controlClose, c.own)
}

// endLocked takes a channel out. Its number is free again if the peer has opened it too, else when the peer has answered.
func (m *Mux) endLocked(c *Channel) {
	c.closed = true
	m.live--
	c.pairing.open = nil
	m.backlog -= cost(c.backlog)
	c.backlog = nil
	m.moved.Broadcast()
	if c.remote != 0 {
		delete(m.remotes, c.remote)
		m.freeLocked(c)
	}
}

// freeLocked gives the number of a channel back.
func (m *Mux) freeLocked(c *Channel) {
	delete(m.channels, c.own)
	m.numbers.give(c.own)
	m.dropLocked(c.pairing)
}

// begin calls the handler of a channel that answers an offer, up to where the reader can go on with it.
func (c *Channel) begin(handshake []byte) {
	err := c.handler.Opened(c, handshake)
	for err == nil {
		messages, more := c.next()
		if !more {
			return
		}
		for i := 0; i < len(messages) && err == nil && !c.isClosed(); i++ {
			err = c.handler.Message(c, messages[i].Type, messages[i].Payload)
		}
	}
	c.mux.fail(fmt.Errorf("channel %q: %w", c.name.protocol, err))
	c.next()
}

// next returns what came while busy. When there is nothing more, or the channel has ended, busy is over.
func (c *Channel) next() (messages []Message, more bool) {
	m := c.mux
	m.mu.Lock()
	messages, c.backlog = c.backlog, nil
	m.backlog -= cost(messages)
	m.moved.Broadcast()
	more = len(messages) > 0 && m.err == nil
	c.busy = more
	end := c.end
	m.mu.Unlock()
	if !more && end != nil {
		c.handler.Closed(c, end)
	}
	return messages, more
}

func (c *Channel) isClosed() bool {
	c.mux.mu.Lock()
	defer c.mux.mu.Unlock()
	return c.closed
}

func cost(messages []Message) (n int) {
	for _, m := range messages {
		n += len(m.Payload) + messageCost
	}
	return n
}

// keep returns a message that stays as it is when the stream goes on.
func keep(m Message) Message {
	m.Payload = bytes.Clone(m.Payload)
	return m
}
