package mux

import (
	"sync"

	"github.com/hypernode/hypernode/internal/compact"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// Conn is a stream of messages to an authenticated peer.
type Conn interface {
	// ReadMessage returns the next message, which is not empty. It is valid until the next call. One goroutine calls it.
	ReadMessage() ([]byte, error)

	// WriteMessages sends messages in order and keeps none of them. It blocks while the peer takes nothing.
	WriteMessages(...[]byte) error

	// HandshakeHash is the same on both sides, and different for every stream.
	HandshakeHash() [64]byte

	// Initiator tells whether this side dialled.
	Initiator() bool

	// RemoteKey is what the peer has proven to be.
	RemoteKey() []byte

	// Close ends the stream; calls that wait return an error. It may be called more than once.
	Close() error
}

// Mux is a set of channels over one Conn. Its methods may be called from any goroutine, if nothing else is said.
type Mux struct {
	conn Conn
	o    Options
	wake chan struct{} // holds a token when there is something to write
	done chan struct{} // closed when err is set

	mu       sync.Mutex // guards what follows
	moved    sync.Cond  // told when something has left the queue or the backlog, and at the end
	err      error      // why the stream is over
	numbers  numbers
	channels map[uint64]*Channel // by own number: those open, or whose open is unanswered
	remotes  map[uint64]*remote  // by the peer's number
	highest  uint64              // of the peer's numbers so far
	pairings map[name]*pairing
	offers   int   // unanswered
	live     int   // channels that are not closed
	backlog  int   // bytes of messages that channels cannot take yet
	queue    queue // what is to be written next
	spare    queue // the one before, to be used again
	inflight int   // bytes of messages that are being written
}

// remote is what one number of the peer's stands for: either a channel or an offer.
type remote struct {
	channel *Channel
	offer   *Offer
}

// New returns a Mux over conn, which it takes over.
func New(conn Conn, o Options) *Mux {
	m := &Mux{
		conn: conn, o: o.withDefaults(), wake: make(chan struct{}, 1), done: make(chan struct{}),
		channels: map[uint64]*Channel{}, remotes: map[uint64]*remote{}, pairings: map[name]*pairing{},
	}
	m.moved.L = &m.mu
	return m
}

// Conn returns the stream below.
func (m *Mux) Conn() Conn { return m.conn }

// Loan is the memory of a message that is kept.
type Loan = secretstream.Loan

// Keep has n bytes of a message's payload stay as they are beyond the call of the Handler that was given it, until the Loan is
// released. It returns nil when the bytes are to be copied instead. It is called within [Handler].Message or Options.Frame, by
// the goroutine that reads.
func (m *Mux) Keep(n int) *Loan {
	if k, ok := m.conn.(interface{ Keep(int) *Loan }); ok {
		return k.Keep(n)
	}
	return nil
}

// Buffered returns how many bytes have come that are not read yet, as far as the stream knows. The goroutine that reads calls
// it.
func (m *Mux) Buffered() int {
	if c, ok := m.conn.(interface{ Buffered() int }); ok {
		return c.Buffered()
	}
	return 0
}

// Done returns a channel that is closed when the stream is over; [Mux.Err] then tells why.
func (m *Mux) Done() <-chan struct{} { return m.done }

// Err returns why the stream is over, nil while it is not: [ErrClosed] after Close, [io.EOF] when the peer has ended it.
func (m *Mux) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Close ends the stream with all its channels. What is queued is lost. The channels are told by the goroutine that
// reads, when it finds the stream ended.
func (m *Mux) Close() error { return m.fail(ErrClosed) }

// fail ends the stream because of err, unless it is over already.
func (m *Mux) fail(err error) error {
	m.mu.Lock()
	if m.err == nil {
		m.err = err
		close(m.done)
	}
	m.moved.Broadcast()
	m.mu.Unlock()
	return m.conn.Close()
}

// Wake makes the writer call Options.Fill, when something to be sent has turned up.
func (m *Mux) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Unsent returns how many bytes of messages wait to be sent or are being written.
func (m *Mux) Unsent() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queue.unsent + m.inflight
}

// controlLocked queues a control message about a channel's number.
func (m *Mux) controlLocked(typ, number uint64) {
	m.queue.add(0, typ, func(b []byte) []byte { return compact.AppendUint(b, number) })
	m.Wake()
}

// numbers gives out this side's numbers of channels.
type numbers struct {
	highest uint64
	free    []uint64
}

func (n *numbers) take() uint64 {
	if k := len(n.free); k > 0 {
		number := n.free[k-1]
		n.free = n.free[:k-1]
		return number
	}
	n.highest++
	return n.highest
}

func (n *numbers) give(number uint64) { n.free = append(n.free, number) }
