package secretstream

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// piped makes secret streams over a pipe inside a bubble.
func piped(t *testing.T, oa, ob Options) (client, server *Conn, raw net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		server, err = Server(context.Background(), b, ob)
		must(t, err)
	})
	client, err := Client(context.Background(), a, oa)
	must(t, err)
	hear := func(c *Conn, from string) {
		wg.Go(func() {
			if got, err := c.ReadMessage(); err != nil || string(got) != from {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	hear(client, "server") // and takes the header that the server writes
	synctest.Wait()
	hear(server, "client")
	must(t, client.WriteMessages([]byte("client")))
	must(t, server.WriteMessages([]byte("server")))
	wg.Wait()
	return client, server, a
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Limits: Limits{KeepAlive: 5 * time.Second, Idle: 12 * time.Second}}
		c, s, _ := piped(t, o, o)
		var wg sync.WaitGroup
		got := make([]string, 2)
		for i, x := range []*Conn{c, s} {
			wg.Go(func() {
				if msg, err := x.ReadMessage(); err == nil {
					got[i] = string(msg)
				}
			})
		}
		time.Sleep(time.Minute) // in the bubble's time: both live, by keep-alives alone
		synctest.Wait()
		wg.Go(func() { c.WriteMessages([]byte("to s")) })
		wg.Go(func() { s.WriteMessages([]byte("to c")) })
		wg.Wait()
		if got[0] != "to c" || got[1] != "to s" {
			t.Errorf("%q", got)
		}
		c.Close()
		s.Close()
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := Options{Limits: Limits{KeepAlive: -1}}
		c, s, _ := piped(t, Options{Limits: Limits{KeepAlive: -1, Idle: 12 * time.Second}}, never)
		start := time.Now()
		if _, err := c.ReadMessage(); !errors.Is(err, ErrIdle) {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d != 12*time.Second {
			t.Errorf("after %v", d)
		}
		c.Close()
		s.Close()
	})
}

// A frame that has begun must go on; one that goes on slowly, but not too slowly, may take its time.
func TestStalledFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Limits: Limits{KeepAlive: -1, Stall: 10 * time.Second}}
		c, s, raw := piped(t, o, o)
		sealed := new(outbox)
		sealed.begin()
		must(t, sealed.add(c.sealer, make([]byte, 5*minProgress)))
		wire := sealed.pending()
		must(t, raw.SetWriteDeadline(time.Time{})) // the client has left one
		go func() {
			for len(wire) > 0 {
				n := min(minProgress, len(wire))
				raw.Write(wire[:n])
				wire = wire[n:]
				time.Sleep(9 * time.Second)
			}
			raw.Write([]byte{200, 0})
		}()
		if msg, err := s.ReadMessage(); err != nil || len(msg) != 5*minProgress {
			t.Errorf("%d bytes, %v", len(msg), err)
		}
		start := time.Now()
		if _, err := s.ReadMessage(); !errors.Is(err, ErrStalled) {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("after %v", d)
		}
		c.Close()
		s.Close()
	})
}

// A peer that takes nothing ends the writing.
func TestStalledWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Limits: Limits{KeepAlive: -1, Stall: 10 * time.Second}}
		c, s, _ := piped(t, o, o)
		start := time.Now()
		if err := c.WriteMessages(make([]byte, 1000)); !errors.Is(err, ErrStalled) {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("after %v", d)
		}
		if err := c.WriteMessages([]byte("x")); !errors.Is(err, ErrStalled) {
			t.Errorf("later: %v", err)
		}
		c.Close()
		s.Close()
	})
}

func TestSlowHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, x := range frame(make([]byte, 32)) {
				b.Write([]byte{x})
				time.Sleep(time.Second)
			}
		})
		start := time.Now()
		_, err := Server(context.Background(), a, Options{Handshake: 5 * time.Second})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		b.Close()
		wg.Wait()
	})
}

// A peer that never shows its header is as late as one that never finishes the handshake.
func TestLateHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := load(t).Sessions[0]
		d := &dice{ephemeral: pair(t, s.InitiatorEphemeralSeed), header: [headerBytes]byte(s.InitiatorHeader)}
		heard, _ := side(s.Raw, "responder")
		a, b := net.Pipe()
		go func() {
			buf := make([]byte, 1024)
			b.Read(buf)
			b.Write(heard[:99])
			b.Read(buf)
		}()
		start := time.Now()
		c, err := open(context.Background(), a, true, Options{Static: pair(t, s.InitiatorStaticSeed), Handshake: 5 * time.Second}, d)
		must(t, err)
		if _, err := c.ReadMessage(); !errors.Is(err, ErrHandshake) || time.Since(start) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		b.Close()
	})
}

func TestCloseWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _ := piped(t, Options{}, Options{})
		done := make(chan error, 1)
		go func() { done <- c.WriteMessages(make([]byte, 1000)) }()
		synctest.Wait()
		must(t, c.Close())
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		s.Close()
	})
}
