package mux

import "fmt"

// Offer is a channel that the peer has opened and this side has not. It is answered once, by Accept or Reject, from any
// goroutine; messages that come for it meanwhile are kept. It must be answered, as the reader waits when they are many.
type Offer struct {
	Protocol  string
	ID        []byte
	Handshake []byte // the peer's

	mux    *Mux
	number uint64 // the peer's

	// Guarded by mux.mu.
	pairing  *pairing
	answered bool
	backlog  []Message
}

// Accept opens the channel with the given handshake. Before it returns it calls h.Opened, and h.Message for what has come
// since. [ErrAnswered] tells that it is too late, or that the peer has closed the channel meanwhile.
func (o *Offer) Accept(handshake []byte, h Handler) (*Channel, error) {
	if len(handshake) > MaxHandshake {
		return nil, fmt.Errorf("accepting %q: %w", o.Protocol, ErrLimit)
	}
	m := o.mux
	m.mu.Lock()
	if o.answered {
		m.mu.Unlock()
		return nil, fmt.Errorf("accepting %q: %w", o.Protocol, ErrAnswered)
	}
	c, _, err := m.openLocked(Spec{Protocol: o.Protocol, ID: o.ID, Handshake: handshake}, h)
	m.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("accepting %q: %w", o.Protocol, err)
	}
	c.begin(o.Handshake)
	return c, nil
}

// Reject tells the peer that the channel is not wanted. After an answer it does nothing.
func (o *Offer) Reject() {
	o.mux.mu.Lock()
	defer o.mux.mu.Unlock()
	o.mux.rejectLocked(o)
}

func (m *Mux) rejectLocked(o *Offer) {
	if o.answered || m.err != nil {
		return
	}
	m.answerLocked(o)
	m.backlog -= cost(o.backlog)
	o.backlog = nil
	delete(m.remotes, o.number)
	m.dropLocked(o.pairing)
	m.controlLocked(controlReject, o.number)
}

// takeLocked makes a channel of an offer.
func (m *Mux) takeLocked(o *Offer, c *Channel) {
	m.answerLocked(o)
	c.remote, c.busy = o.number, true
	c.backlog, o.backlog = o.backlog, nil
	m.remotes[o.number] = &remote{channel: c}
}

func (m *Mux) answerLocked(o *Offer) {
	o.answered = true
	o.pairing.incoming = nil
	m.offers--
	m.moved.Broadcast()
}
