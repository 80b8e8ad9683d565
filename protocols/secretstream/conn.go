package secretstream

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hypernode/hypernode/core/keys"
)

// Options are the settings of a [Conn]. The zero value is usable.
type Options struct {
	// Static is the pair by which the peer knows this side. The default is a new one for each connection.
	Static keys.Pair

	// Verify is asked whether to talk to the holder of a key, once the peer has proven that it is. An error ends the
	// handshake. The default is to talk to all.
	Verify func(remote keys.PublicKey) error

	// Handshake is how long the handshake may take, up to the peer's header frame. The default is 10 s.
	Handshake time.Duration

	// Limits are those after the handshake.
	Limits Limits
}

// frames are embedded without becoming a field that others see.
type frames = Frames

// Conn is a secret stream. One goroutine may read while others write.
type Conn struct {
	*frames
	conn      net.Conn
	initiator bool
	hash      [hashBytes]byte
	remote    keys.PublicKey

	late *time.Timer // closes the stream when the peer's header does not come

	// The reader's, until the peer's header is there.
	rx      [keyBytes]byte
	started bool
}

// Client makes a secret stream of conn, which this side dialled, and takes conn over: it is closed when an error is
// returned, or ctx ends before. It returns one round trip later, when messages may already be sent.
func Client(ctx context.Context, conn net.Conn, o Options) (*Conn, error) {
	return open(ctx, conn, true, o, nil)
}

// Server makes a secret stream of conn, which this side accepted. It is otherwise as [Client].
func Server(ctx context.Context, conn net.Conn, o Options) (*Conn, error) {
	return open(ctx, conn, false, o, nil)
}

// dice are what a handshake draws by chance.
type dice struct {
	ephemeral keys.Pair
	header    [headerBytes]byte
}

func roll() (*dice, error) {
	pair, err := keys.NewPair()
	if err != nil {
		return nil, err
	}
	d := &dice{ephemeral: pair}
	_, err = rand.Read(d.header[:])
	return d, err
}

func open(ctx context.Context, conn net.Conn, initiator bool, o Options, d *dice) (*Conn, error) {
	if o.Handshake <= 0 {
		o.Handshake = defaultHandshake
	}
	ctx, cancel := context.WithTimeout(ctx, o.Handshake)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c := &Conn{frames: &Frames{stream: conn}, conn: conn, initiator: initiator}
	err := c.handshake(o, d)
	if !stop() {
		err = ctx.Err() // conn is closed, whatever came of the handshake
	}
	if err != nil {
		c.frames.Close()
		return nil, fmt.Errorf("secret stream: %w", err)
	}
	tune(conn)
	deadline, _ := ctx.Deadline()
	c.late = time.AfterFunc(time.Until(deadline), func() { c.frames.Close() })
	c.startKeepAlive()
	return c, nil
}

// handshake speaks the three messages, sends the own header, and makes ready for the peer's.
func (c *Conn) handshake(o Options, d *dice) (err error) {
	if o.Static.IsZero() {
		if o.Static, err = keys.NewPair(); err != nil {
			return err
		}
	}
	if d == nil {
		if d, err = roll(); err != nil {
			return err
		}
	}
	c.most = message2Bytes // and no other limits: the deadline is enough
	x := newNoise(o.Static, d.ephemeral)
	last, err := c.exchange(x)
	if err != nil {
		return err
	}
	c.hash, c.remote = x.hash, x.remoteStatic
	if o.Verify != nil {
		if err := o.Verify(c.remote); err != nil {
			return handshakeError("refused %v: %w", c.remote, err)
		}
	}
	tx, rx := x.split()
	if !c.initiator {
		tx, rx = rx, tx
	}
	if err := c.sendHeader(last, &tx, &d.header); err != nil {
		return err
	}
	c.rx, c.limits = rx, o.Limits.withDefaults()
	return nil
}

// exchange speaks the handshake up to where both sides' keys are known. What it returns goes out with the header.
func (c *Conn) exchange(x *noise) (last [][]byte, err error) {
	if c.initiator {
		if err := c.WriteMessages(x.write1()); err != nil {
			return nil, err
		}
		if err := c.hear(x.read2); err != nil {
			return nil, err
		}
		msg, err := x.write3()
		return [][]byte{msg}, err
	}
	if err := c.hear(x.read1); err != nil {
		return nil, err
	}
	msg, err := x.write2()
	if err != nil {
		return nil, err
	}
	if err := c.WriteMessages(msg); err != nil {
		return nil, err
	}
	return nil, c.hear(x.read3)
}

// hear reads one message of the handshake. An end of the stream is none of the peer's good ones.
func (c *Conn) hear(read func([]byte) error) error {
	msg, err := c.next()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return handshakeError("%w", err)
	}
	return read(msg)
}

// sendHeader sends what is left of the handshake together with this side's header, from where on it is encrypted.
func (c *Conn) sendHeader(last [][]byte, key *[keyBytes]byte, header *[headerBytes]byte) error {
	id := streamID(&c.hash, c.initiator)
	if err := c.WriteMessages(append(last, append(id[:], header[:]...))...); err != nil {
		return err
	}
	box, err := newBox(key, header)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealer = box
	return err
}

// streamID names one direction of a stream: a constant for the role of its sender, hashed with the handshake hash as key.
func streamID(hash *[hashBytes]byte, initiator bool) [32]byte {
	roles := keys.Namespace("hyperswarm/secret-stream", 2)
	role := roles[1]
	if initiator {
		role = roles[0]
	}
	return keys.HashKeyed(hash[:], role[:])
}

// ReadMessage returns the next message that is not empty. It is valid until the next call, and may be written to. At the
// end of the stream between two messages the error is [io.EOF]. A peer that fails to show its header in time, or shows a
// wrong one, gives [ErrHandshake] at the first call.
func (c *Conn) ReadMessage() ([]byte, error) {
	if !c.started {
		if err := c.hear(c.readHeader); err != nil {
			c.Close()
			return nil, err
		}
		c.late.Stop()
		c.started, c.most = true, c.limits.MaxMessage+overhead
	}
	return c.frames.ReadMessage()
}

// WriteMessages sends messages, as many of them as fit into 256 KiB by one Write of the connection. It keeps none of them.
// It blocks while the peer takes nothing, up to [Limits].Stall. A message above [MaxMessage] gives [ErrTooLarge], and nothing
// is sent; every other error ends the writing for good.
func (c *Conn) WriteMessages(msgs ...[]byte) error { return c.frames.WriteMessages(msgs...) }

func (c *Conn) readHeader(b []byte) (err error) {
	id := streamID(&c.hash, !c.initiator)
	if len(b) != len(id)+headerBytes || subtle.ConstantTimeCompare(b[:len(id)], id[:]) != 1 {
		return handshakeError("wrong header")
	}
	c.opener, err = newBox(&c.rx, (*[headerBytes]byte)(b[len(id):]))
	return err
}

// Close ends the stream in both directions; reads and writes that wait return [ErrClosed]. What WriteMessages has
// returned for was handed to conn. It may be called more than once.
func (c *Conn) Close() error {
	c.late.Stop()
	return c.frames.Close()
}

// HandshakeHash names this stream: no other one has the same.
func (c *Conn) HandshakeHash() [64]byte { return c.hash }

// Initiator tells whether this side dialled.
func (c *Conn) Initiator() bool { return c.initiator }

// RemoteKey returns the 32 bytes of the peer's public key, which it has proven to hold.
func (c *Conn) RemoteKey() []byte { return c.remote[:] }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }
