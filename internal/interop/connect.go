package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Connection joins two sides.
type Connection struct{ listen, dial Link }

// Connect has the one side listen and the other dial it.
func Connect(ctx context.Context, f Framing, dials, listens Side) (*Connection, error) {
	return connect(ctx, f, dials, listens, func(port int) (int, error) { return port, nil })
}

func connect(ctx context.Context, f Framing, dials, listens Side, by func(port int) (int, error)) (*Connection, error) {
	c := &Connection{}
	var err error
	if c.listen, err = listens.Listen(ctx, f); err != nil {
		return nil, err
	}
	port, err := by(c.listen.Port())
	if err == nil {
		c.dial, err = dials.Dial(ctx, f, port)
	}
	if err != nil {
		return nil, errors.Join(err, c.listen.Close(ctx))
	}
	return c, nil
}

// Close ends the connection; both sides have let go of it when it returns.
func (c *Connection) Close(ctx context.Context) error {
	return errors.Join(c.dial.Close(ctx), c.listen.Close(ctx))
}

// Fuse is a connection in the middle of another one, which breaks it after some bytes.
type Fuse struct {
	*Connection
	listener net.Listener
	to       int
	loops    sync.WaitGroup

	mu    sync.Mutex // guards what follows
	left  int64
	conns []net.Conn
	blown chan struct{}
}

// ConnectFused is [Connect] by a connection that breaks once so many bytes have passed, both directions together.
func ConnectFused(ctx context.Context, f Framing, dials, listens Side, bytes int64) (*Fuse, error) {
	u := &Fuse{left: bytes, blown: make(chan struct{})}
	var err error
	u.Connection, err = connect(ctx, f, dials, listens, u.start)
	if err != nil {
		u.stop()
		return nil, err
	}
	return u, nil
}

// Blown is closed once the connection was broken.
func (u *Fuse) Blown() <-chan struct{} { return u.blown }

// Close ends the connection.
func (u *Fuse) Close(ctx context.Context) error {
	err := u.Connection.Close(ctx)
	u.stop()
	return err
}

func (u *Fuse) stop() {
	if u.listener != nil {
		u.listener.Close()
	}
	u.mu.Lock()
	u.breakLocked()
	u.mu.Unlock()
	u.loops.Wait()
}

// breakLocked closes what is open.
func (u *Fuse) breakLocked() {
	for _, c := range u.conns {
		c.Close()
	}
	u.conns = nil
}

func (u *Fuse) start(port int) (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	u.listener, u.to = listener, port
	u.loops.Go(u.accept)
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// accept takes the one connection there is.
func (u *Fuse) accept() {
	a, err := u.listener.Accept()
	if err != nil {
		return
	}
	b, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", u.to))
	if err != nil {
		a.Close()
		return
	}
	u.mu.Lock()
	u.conns = []net.Conn{a, b}
	u.mu.Unlock()
	u.loops.Go(func() { u.pass(a, b) })
	u.loops.Go(func() { u.pass(b, a) })
}

func (u *Fuse) pass(from, to net.Conn) {
	io.Copy(fusedWriter{u, to}, from)
	from.Close()
	to.Close()
}

// fusedWriter passes on what the fuse lets.
type fusedWriter struct {
	u  *Fuse
	to net.Conn
}

func (w fusedWriter) Write(b []byte) (int, error) {
	n := w.u.take(len(b))
	if _, err := w.to.Write(b[:n]); err != nil {
		return 0, err
	}
	if n < len(b) {
		w.u.blow()
		return n, io.ErrClosedPipe
	}
	return n, nil
}

// take counts bytes that pass and returns how many may.
func (u *Fuse) take(n int) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n = int(min(int64(n), u.left))
	u.left -= int64(n)
	return n
}

func (u *Fuse) blow() {
	u.mu.Lock()
	defer u.mu.Unlock()
	select {
	case <-u.blown:
	default:
		close(u.blown)
	}
	u.breakLocked()
}
