package testnet

import (
	"errors"
	"net"
	"time"
)

// ErrCut is what both ends of a link get that was cut.
var ErrCut = errors.New("testnet: the link was cut")

// Link joins two ends in memory. Its methods may be called from any goroutine.
type Link struct {
	there, back *pipe
	a, b        *Conn
}

// NewLink returns a link whose first end sends by the shape there, and whose second end by the shape back.
func NewLink(there, back Shape) *Link {
	l := &Link{there: newPipe(there), back: newPipe(back)}
	l.a = &Conn{in: l.back, out: l.there, local: "a", remote: "b"}
	l.b = &Conn{in: l.there, out: l.back, local: "b", remote: "a"}
	return l
}

// Ends returns the two ends.
func (l *Link) Ends() (a, b *Conn) { return l.a, l.b }

// Stall lets nothing arrive for a time, in either direction. It comes after it.
func (l *Link) Stall(d time.Duration) {
	for _, p := range []*pipe{l.there, l.back} {
		p.change(func() { p.stalled = later(p.stalled, time.Now().Add(d)) })
	}
}

// Cut breaks the link, and loses what is under way.
func (l *Link) Cut() {
	for _, p := range []*pipe{l.there, l.back} {
		p.change(func() { p.broken, p.segments = ErrCut, nil })
	}
}

// Conn is an end of a link.
type Conn struct {
	in, out       *pipe
	local, remote addr
}

var _ net.Conn = (*Conn)(nil)

// Read implements [net.Conn]. After the other end was closed it returns the rest and then io.EOF.
func (c *Conn) Read(b []byte) (int, error) { return c.in.read(b) }

// Write implements [net.Conn]. It fails with io.ErrClosedPipe once the other end is closed.
func (c *Conn) Write(b []byte) (int, error) { return c.out.write(b) }

// CloseWrite ends what this end sends; it can still read.
func (c *Conn) CloseWrite() error {
	c.out.change(func() { c.out.shut = true })
	return nil
}

// Close implements [net.Conn]. What was written still arrives.
func (c *Conn) Close() error {
	c.in.change(func() { c.in.left, c.in.segments = true, nil })
	return c.CloseWrite()
}

// LocalAddr implements [net.Conn].
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements [net.Conn].
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.change(func() { c.in.readBy = t })
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements [net.Conn].
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.change(func() { c.in.readBy = t })
	return nil
}

// SetWriteDeadline implements [net.Conn].
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.change(func() { c.out.writeBy = t })
	return nil
}

// addr is the address of an end.
type addr string

// Network implements [net.Addr].
func (addr) Network() string { return "testnet" }

// String implements [net.Addr].
func (a addr) String() string { return string(a) }
