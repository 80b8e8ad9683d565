package mux

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"testing"
)

// fake is a Conn whose other side is the test.
type fake struct {
	in     chan []byte
	closed chan struct{}
	once   sync.Once

	mu  sync.Mutex
	out [][]byte
}

func newFake() *fake { return &fake{in: make(chan []byte, 1024), closed: make(chan struct{})} }

func (f *fake) ReadMessage() ([]byte, error) {
	select {
	case b, ok := <-f.in:
		if !ok {
			return nil, io.EOF
		}
		return b, nil
	case <-f.closed:
		return nil, io.ErrClosedPipe
	}
}

func (f *fake) WriteMessages(msgs ...[]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range msgs {
		f.out = append(f.out, bytes.Clone(m))
	}
	return nil
}

func (f *fake) HandshakeHash() [64]byte { return [64]byte{1} }
func (f *fake) Initiator() bool         { return true }
func (f *fake) RemoteKey() []byte       { return []byte("peer") }

func (f *fake) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

// events is a Handler that notes what it is told.
type events struct {
	mu   sync.Mutex
	list []string
	fail map[string]error // by event
	hook func(c *Channel, event string)
}

func (e *events) note(c *Channel, event string) error {
	e.mu.Lock()
	e.list = append(e.list, event)
	err, hook := e.fail[event], e.hook
	e.mu.Unlock()
	if hook != nil {
		hook(c, event)
	}
	return err
}

func (e *events) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

func (e *events) Opened(c *Channel, handshake []byte) error {
	return e.note(c, "opened "+string(handshake))
}

func (e *events) Message(c *Channel, typ uint64, payload []byte) error {
	return e.note(c, "message "+string(rune('0'+typ))+" "+string(payload))
}

func (e *events) Closed(c *Channel, err error) { e.note(c, "closed "+err.Error()) }

// rig is a Mux whose peer is written by hand.
type rig struct {
	t      *testing.T
	conn   *fake
	mux    *Mux
	offers []*Offer
}

func newRig(t *testing.T, o Options) *rig {
	r := &rig{t: t, conn: newFake()}
	if o.Offered == nil {
		o.Offered = func(o *Offer) { r.offers = append(r.offers, o) }
	}
	r.mux = New(r.conn, o)
	t.Cleanup(func() { r.mux.Close() })
	return r
}

// say gives the Mux messages of the peer, in one frame, and returns what it makes of them.
func (r *rig) say(messages ...Message) error {
	r.t.Helper()
	if len(messages) == 1 {
		r.conn.in <- AppendMessage(nil, messages[0])
	} else {
		r.conn.in <- AppendBatch(nil, messages)
	}
	return r.mux.ReadFrame()
}

// heard returns what the Mux has sent since the last call.
func (r *rig) heard() (messages []Message) {
	r.t.Helper()
	if _, err := r.mux.Flush(); err != nil {
		r.t.Fatal(err)
	}
	for _, frame := range r.conn.out {
		for m, err := range Messages(frame) {
			if err != nil {
				r.t.Fatal(err)
			}
			messages = append(messages, m)
		}
	}
	r.conn.out = nil
	return messages
}

// expect compares what the Mux has sent with what it should have.
func (r *rig) expect(want ...Message) {
	r.t.Helper()
	got := r.heard()
	if !slices.EqualFunc(got, want, func(a, b Message) bool {
		return a.Channel == b.Channel && a.Type == b.Type && bytes.Equal(a.Payload, b.Payload)
	}) {
		r.t.Errorf("sent %v, want %v", got, want)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func opening(number uint64, protocol, id, handshake string) Message {
	o := open{number, protocol, []byte(id), []byte(handshake)}
	return Message{0, controlOpen, o.append(nil)}
}

func rejecting(number byte) Message { return Message{0, controlReject, []byte{number}} }
func closing(number byte) Message   { return Message{0, controlClose, []byte{number}} }

func message(channel, typ uint64, payload string) Message {
	return Message{channel, typ, []byte(payload)}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
