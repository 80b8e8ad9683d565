package mux

import (
	"bytes"
	"fmt"

	"github.com/hypernode/hypernode/internal/compact"
)

// ReadFrame reads one frame of the stream and calls the handlers for its messages. One goroutine calls it, again and
// again until it returns an error, which is why the stream ended; by then all handlers are told. [io.EOF] is the peer's
// orderly end.
func (m *Mux) ReadFrame() error {
	frame, err := m.conn.ReadMessage()
	if err == nil {
		err = m.frame(frame)
	}
	if err == nil && m.o.Frame != nil {
		err = m.o.Frame()
	}
	if err == nil {
		return nil
	}
	m.fail(err)
	m.endAll()
	return m.Err()
}

func (m *Mux) frame(frame []byte) error {
	for msg, err := range Messages(frame) {
		if err == nil && msg.Channel == 0 {
			err = m.control(msg)
		} else if err == nil {
			err = m.dispatch(msg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// endAll tells all channels that the stream is over.
func (m *Mux) endAll() {
	m.mu.Lock()
	var told []*Channel
	for _, c := range m.channels {
		if c.closed {
			continue
		}
		c.closed = true
		if c.busy {
			c.end = m.err
		} else {
			told = append(told, c)
		}
	}
	err := m.err
	clear(m.channels)
	clear(m.remotes)
	clear(m.pairings)
	m.live, m.offers, m.backlog = 0, 0, 0
	m.mu.Unlock()
	for _, c := range told {
		c.handler.Closed(c, err)
	}
}

// dispatch gives a message to the channel that it is for, or keeps it until that can take it.
func (m *Mux) dispatch(msg Message) error {
	c := m.route(msg)
	if c == nil {
		return nil
	}
	if err := c.handler.Message(c, msg.Type, msg.Payload); err != nil {
		return fmt.Errorf("channel %q: %w", c.name.protocol, err)
	}
	return nil
}

// route returns the channel that takes a message now, nil when none does.
func (m *Mux) route(msg Message) *Channel {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		r := m.remotes[msg.Channel]
		if r == nil || m.err != nil {
			return nil // closed; the message may have crossed that
		}
		backlog := m.waitingLocked(r)
		if backlog == nil {
			return r.channel
		}
		if n := len(msg.Payload) + messageCost; m.backlog == 0 || m.backlog+n <= m.o.MaxBacklog {
			*backlog = append(*backlog, keep(msg))
			m.backlog += n
			return nil
		}
		m.moved.Wait()
	}
}

// waitingLocked returns where messages are kept, nil when the channel takes them.
func (m *Mux) waitingLocked(r *remote) *[]Message {
	switch {
	case r.offer != nil:
		return &r.offer.backlog
	case r.channel.busy:
		return &r.channel.backlog
	}
	return nil
}

// control does what a control message says.
func (m *Mux) control(msg Message) error {
	d := compact.NewDecoder(msg.Payload)
	switch msg.Type {
	case controlOpen:
		return m.remoteOpen(msg.Payload)
	case controlReject:
		return m.remoteReject(d.Uint(), d)
	case controlClose:
		return m.remoteClose(d.Uint(), d)
	}
	return nil
}

func (m *Mux) remoteOpen(b []byte) error {
	o, wanted, err := decodeOpen(b)
	if err != nil {
		return err
	}
	c, offer, err := m.takeOpen(&o, wanted)
	switch {
	case err != nil:
		return err
	case offer != nil:
		m.o.Offered(offer)
	case c != nil:
		if err := c.handler.Opened(c, o.handshake); err != nil {
			return fmt.Errorf("channel %q: %w", c.name.protocol, err)
		}
	}
	return m.drain()
}

// takeOpen returns the channel that o completes, or the offer that it makes; neither when it is rejected, or answers an
// open of ours that is closed already.
func (m *Mux) takeOpen(o *open, wanted bool) (*Channel, *Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.number == 0 || o.number > m.highest+1 || m.remotes[o.number] != nil {
		return nil, nil, fmt.Errorf("%w: open of %d", ErrProtocol, o.number)
	}
	m.highest = max(m.highest, o.number)
	p := m.pairings[name{o.protocol, string(o.id)}]
	if wanted && p != nil && len(p.waiting) > 0 {
		c := m.channels[p.waiting[0]]
		p.waiting = p.waiting[1:]
		if c.closed {
			m.freeLocked(c)
			return nil, nil, nil
		}
		c.remote = o.number
		m.remotes[o.number] = &remote{channel: c}
		return c, nil, nil
	}
	if !wanted || p != nil || m.o.Offered == nil || m.offers >= m.o.MaxOffers || m.live+m.offers >= m.o.MaxChannels {
		m.controlLocked(controlReject, o.number)
		return nil, nil, nil
	}
	return nil, m.offerLocked(o), nil
}

func (m *Mux) offerLocked(o *open) *Offer {
	offer := &Offer{
		Protocol: o.protocol, ID: bytes.Clone(o.id), Handshake: bytes.Clone(o.handshake),
		mux: m, number: o.number, pairing: m.pairingLocked(o.id, o.protocol),
	}
	offer.pairing.incoming = offer
	m.remotes[o.number] = &remote{offer: offer}
	m.offers++
	return offer
}

// drain waits while the peer lets too many answers pile up.
func (m *Mux) drain() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.queue.control > maxControl && m.err == nil {
		m.moved.Wait()
	}
	return m.err
}

func (m *Mux) remoteReject(number uint64, d *compact.Decoder) error {
	if d.Err() != nil {
		return broken(d)
	}
	m.mu.Lock()
	c := m.channels[number]
	if c == nil || !c.pairing.answered(number) {
		m.mu.Unlock()
		return fmt.Errorf("%w: reject of %d", ErrProtocol, number)
	}
	told := !c.closed
	if told {
		m.endLocked(c)
	}
	m.freeLocked(c)
	m.mu.Unlock()
	if told {
		c.handler.Closed(c, ErrRejected)
	}
	return nil
}

func (m *Mux) remoteClose(number uint64, d *compact.Decoder) error {
	if d.Err() != nil {
		return broken(d)
	}
	if c := m.takeClose(number); c != nil {
		c.handler.Closed(c, ErrRemoteClosed)
	}
	return m.drain()
}

// takeClose returns the channel that is to be told of a close, nil when there is none.
func (m *Mux) takeClose(number uint64) *Channel {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.remotes[number]
	if r == nil {
		return nil
	}
	if r.offer != nil {
		m.rejectLocked(r.offer) // the peer's number is in use until it has an answer
		return nil
	}
	c := r.channel
	m.endLocked(c)
	if c.busy {
		c.end = ErrRemoteClosed
		return nil
	}
	return c
}
