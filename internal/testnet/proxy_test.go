package testnet

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// echo listens for the time of a test, and sends back what comes until it ends.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}

func TestProxy(t *testing.T) {
	const delay = 20 * time.Millisecond
	p := NewProxy(t, echo(t), Shape{Delay: delay}, Shape{Delay: delay})
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if d := passes(t, c, c, bytes.Repeat([]byte("abc"), 1000)); d < 2*delay {
		t.Errorf("took %v", d)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestProxyCut(t *testing.T) {
	p := NewProxy(t, echo(t), Shape{}, Shape{})
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	passes(t, c, c, []byte("once"))
	p.Stall(time.Minute)
	p.Cut()
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes of what was cut", n)
	}
}
