package testnet

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// echoPackets sends back what comes, for the time of a test.
func echoPackets(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, maxPacket); ; {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			conn.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return conn.LocalAddr().String()
}

// returns sends packets through a proxy, and returns how many come back and how long the first took.
func returns(t *testing.T, p *PacketProxy, n int, patience time.Duration) (back int, first time.Duration) {
	t.Helper()
	c, err := net.Dial("udp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	for i := range n {
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SetReadDeadline(start.Add(patience)); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 10); back < n; back++ {
		if _, err := c.Read(b); errors.Is(err, os.ErrDeadlineExceeded) {
			return back, first
		} else if err != nil {
			t.Fatal(err)
		}
		if back == 0 {
			first = time.Since(start)
		}
	}
	return back, first
}

func TestPacketProxy(t *testing.T) {
	const delay = 20 * time.Millisecond
	p := NewPacketProxy(t, echoPackets(t), Shape{Delay: delay, Jitter: delay}, Shape{Delay: delay})
	if n, first := returns(t, p, 50, 10*time.Second); n != 50 || first < 2*delay {
		t.Errorf("%d packets, the first after %v", n, first)
	}
}

func TestPacketLoss(t *testing.T) {
	p := NewPacketProxy(t, echoPackets(t), Shape{Loss: 0.5, Seed: 3}, Shape{})
	if n, _ := returns(t, p, 100, 300*time.Millisecond); n < 10 || n > 90 {
		t.Errorf("%d of 100 packets came back, with a loss of half", n)
	}
}

func TestPacketBlock(t *testing.T) {
	p := NewPacketProxy(t, echoPackets(t), Shape{}, Shape{})
	p.Block(time.Minute)
	if n, _ := returns(t, p, 5, 100*time.Millisecond); n > 0 {
		t.Errorf("%d packets came through", n)
	}
}
