package mux

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/hypernode/hypernode/protocols/secretstream"
)

// streams returns the two ends of a secret stream over the loopback device.
func streams(t testing.TB) (client, server *secretstream.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		a, err := l.Accept()
		if err == nil {
			server, err = secretstream.Server(context.Background(), a, secretstream.Options{})
		}
		done <- err
	}()
	d, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err = secretstream.Client(context.Background(), d, secretstream.Options{})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// running runs the loops of a Mux until the end of the test. A side that closes with something unread resets the connection.
func running(t testing.TB, m *Mux) {
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := m.ReadLoop(context.Background()); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := m.WriteLoop(context.Background()); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	})
	t.Cleanup(func() { m.Close(); wg.Wait() })
}

// source sends numbered messages of a size whenever there is room.
type source struct {
	c    *Channel
	next uint64
	end  uint64
	size int
}

func (s *source) fill() {
	for s.c != nil && s.next < s.end {
		err := s.c.Append(1, s.size, func(b []byte) []byte {
			b = binary.LittleEndian.AppendUint64(b, s.next)
			return append(b, make([]byte, s.size-8)...)
		})
		if err != nil {
			return
		}
		s.next++
	}
}

// sink counts numbered messages, which must come in order.
type sink struct {
	mu   sync.Mutex
	next uint64
	end  uint64
	done chan struct{}
}

func (s *sink) Opened(*Channel, []byte) error { return nil }
func (s *sink) Closed(*Channel, error)        {}

func (s *sink) Message(_ *Channel, _ uint64, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := binary.LittleEndian.Uint64(payload); n != s.next {
		return errors.New("out of order")
	}
	if s.next++; s.next == s.end {
		close(s.done)
	}
	return nil
}

// transfer sends count messages of size from one side to the other, and a few the other way.
func transfer(t testing.TB, count uint64, size int) {
	a, b := streams(t)
	src := &source{end: count, size: size}
	in := &sink{end: count, done: make(chan struct{})}
	server := New(b, Options{Fill: src.fill})
	client := New(a, Options{Offered: func(o *Offer) {
		if _, err := o.Accept(nil, in); err != nil {
			t.Error(err)
		}
	}})
	c, err := server.Open(Spec{Protocol: "test"}, &events{})
	if err != nil {
		t.Fatal(err)
	}
	src.c = c
	running(t, client)
	running(t, server)
	server.Wake()
	<-in.done
	if n := server.Unsent(); n > defaultUnsent {
		t.Errorf("%d bytes unsent", n)
	}
}

func TestTransfer(t *testing.T) {
	transfer(t, 20000, 100)
	transfer(t, 300, 64<<10)
}

// Many goroutines open, send on and close channels of one stream while it runs.
func TestManyChannels(t *testing.T) {
	a, b := streams(t)
	echo := New(b, Options{Offered: func(o *Offer) {
		if _, err := o.Accept(o.Handshake, echoing{}); err != nil && !errors.Is(err, ErrAnswered) {
			t.Error(err)
		}
	}})
	client := New(a, Options{})
	running(t, echo)
	running(t, client)
	var wg sync.WaitGroup
	for g := range byte(8) {
		wg.Go(func() {
			for i := range byte(50) {
				h := &waiting{got: make(chan string, 4)}
				c, err := client.Open(Spec{Protocol: "echo", ID: []byte{g, i}, Handshake: []byte{g}}, h)
				if err != nil {
					t.Error(err)
					return
				}
				if err := c.Send(7, []byte{i}); err != nil {
					t.Error(err)
				}
				if opened, msg := <-h.got, <-h.got; opened != string([]byte{g}) || msg != string([]byte{i}) {
					t.Errorf("%q, %q", opened, msg)
				}
				c.Close()
			}
		})
	}
	wg.Wait()
}

type echoing struct{}

func (echoing) Opened(*Channel, []byte) error { return nil }
func (echoing) Closed(*Channel, error)        {}
func (echoing) Message(c *Channel, typ uint64, payload []byte) error {
	return c.Send(typ, payload)
}

type waiting struct{ got chan string }

func (w *waiting) Opened(_ *Channel, handshake []byte) error {
	w.got <- string(handshake)
	return nil
}

func (w *waiting) Message(_ *Channel, _ uint64, payload []byte) error {
	w.got <- string(payload)
	return nil
}

func (w *waiting) Closed(_ *Channel, err error) { w.got <- err.Error() }

// Offers may be answered by other goroutines while messages come.
func TestAcceptElsewhere(t *testing.T) {
	const count = 2000
	a, b := streams(t)
	var wg sync.WaitGroup
	accepted := make(chan struct{}, 4)
	server := New(b, Options{Offered: func(o *Offer) {
		s := &sink{end: count, done: make(chan struct{})}
		wg.Go(func() {
			if _, err := o.Accept(nil, s); err != nil {
				t.Error(err)
			}
			<-s.done
			accepted <- struct{}{}
		})
	}})
	var sources []*source
	client := New(a, Options{Fill: func() {
		for _, s := range sources {
			s.fill()
		}
	}})
	for i := range byte(4) {
		c, err := client.Open(Spec{Protocol: "test", ID: []byte{i}}, &events{})
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &source{c: c, end: count, size: 50})
	}
	running(t, client)
	running(t, server)
	for range sources {
		<-accepted
	}
	wg.Wait()
}

func TestContextEndsTheLoops(t *testing.T) {
	a, b := streams(t)
	defer b.Close()
	m := New(a, Options{})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { errs[0] = m.ReadLoop(ctx) })
	wg.Go(func() { errs[1] = m.WriteLoop(ctx) })
	cancel(why)
	wg.Wait()
	if !errors.Is(errs[0], why) || !errors.Is(errs[1], why) {
		t.Errorf("%v", errs)
	}
}

func TestPeerLeaves(t *testing.T) {
	a, b := streams(t)
	m := New(a, Options{})
	running(t, m) // whose loops must end without an error
	if err := b.WriteMessages([]byte{0, 9}); err != nil {
		t.Fatal(err)
	}
	b.Close()
	<-m.Done()
}

func BenchmarkTransfer(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"100B", 100}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(c.size))
			transfer(b, uint64(max(b.N, 1)), c.size)
		})
	}
}
