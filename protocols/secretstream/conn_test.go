package secretstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/keys"
)

func TestConn(t *testing.T) {
	a, b := tcp(t)
	alice, bob := keys.PairFromSeed([32]byte{1}), keys.PairFromSeed([32]byte{2})
	c, s := shake(t, a, b, Options{Static: alice}, Options{Static: bob})
	if c.HandshakeHash() != s.HandshakeHash() || !c.Initiator() || s.Initiator() {
		t.Error("the two sides differ")
	}
	if !bytes.Equal(c.RemoteKey(), bob.Public[:]) || !bytes.Equal(s.RemoteKey(), alice.Public[:]) {
		t.Error("wrong keys")
	}
	if c.RemoteAddr().String() != a.RemoteAddr().String() {
		t.Error("wrong address")
	}
	must(t, c.WriteMessages([]byte("one"), nil, []byte("two"))) // the empty one is a keep-alive
	must(t, s.WriteMessages([]byte("three")))
	for _, want := range []string{"one", "two"} {
		if got, err := s.ReadMessage(); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got, err := c.ReadMessage(); err != nil || string(got) != "three" {
		t.Errorf("%q, %v", got, err)
	}
	must(t, c.Close())
	must(t, c.Close())
	if _, err := s.ReadMessage(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if err := c.WriteMessages([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("written after the close: %v", err)
	}
	if _, err := c.ReadMessage(); err == nil {
		t.Error("read after the close")
	}
}

// Messages of all sizes, in both directions at once, arrive as they were sent.
func TestRandomMessages(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	a, b := tcp(t)
	c, s := shake(t, a, b, Options{}, Options{})
	var wg sync.WaitGroup
	wg.Go(func() { talk(t, c, s, seed) })
	wg.Go(func() { talk(t, s, c, seed+1) })
	wg.Wait()
}

// talk sends random messages from one side to the other and compares.
func talk(t *testing.T, from, to *Conn, seed uint64) {
	batches := func(yield func([][]byte) bool) {
		r := rand.New(rand.NewPCG(seed, 0))
		for range 60 {
			var msgs [][]byte
			for range r.IntN(20) {
				msgs = append(msgs, bytes.Repeat([]byte{byte(r.Uint32())}, 1+r.IntN(1<<r.IntN(18))))
			}
			if !yield(msgs) {
				return
			}
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for msgs := range batches {
			if err := from.WriteMessages(msgs...); err != nil {
				t.Error(err)
			}
		}
	})
	for msgs := range batches {
		for _, want := range msgs {
			got, err := to.ReadMessage()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
				to.Close()
				wg.Wait()
				return
			}
		}
	}
	wg.Wait()
}

func TestLargestMessage(t *testing.T) {
	a, b := tcp(t)
	c, s := shake(t, a, b, Options{}, Options{})
	if err := c.WriteMessages(make([]byte, MaxMessage+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("above the limit: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- c.WriteMessages(make([]byte, MaxMessage), []byte("after")) }()
	if got, err := s.ReadMessage(); err != nil || len(got) != MaxMessage {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := s.ReadMessage(); err != nil || string(got) != "after" {
		t.Errorf("%q, %v", got, err)
	}
	must(t, <-done)
}

func TestReceiverLimit(t *testing.T) {
	a, b := tcp(t)
	c, s := shake(t, a, b, Options{}, Options{Limits: Limits{MaxMessage: 100}})
	must(t, c.WriteMessages(make([]byte, 100), make([]byte, 101)))
	if _, err := s.ReadMessage(); err != nil {
		t.Error(err)
	}
	if _, err := s.ReadMessage(); !errors.Is(err, ErrFrame) {
		t.Errorf("above the limit: %v", err)
	}
}

func TestVerify(t *testing.T) {
	refused := errors.New("not a friend")
	for _, who := range []string{"client", "server"} {
		a, b := tcp(t)
		var oa, ob Options
		refuse := func(k keys.PublicKey) error { return refused }
		if who == "client" {
			oa.Verify = refuse
		} else {
			ob.Verify = refuse
		}
		done := make(chan error, 1)
		go func() {
			s, err := Server(context.Background(), b, ob)
			if err == nil {
				s.Close()
			}
			done <- err
		}()
		c, err := Client(context.Background(), a, oa)
		if err == nil {
			c.Close()
		}
		if other := <-done; who == "client" && !errors.Is(err, refused) || who == "server" && !errors.Is(other, refused) {
			t.Errorf("refused by the %s: %v, %v", who, err, other)
		}
	}
}

// Any bit that changes on the way ends the stream for one side at least, in the handshake and after.
func TestTampering(t *testing.T) {
	for at := 0; at < 35+99+67+59+59+60+60; at += 7 {
		flip := &flipper{at: at}
		if errs := relay(t, flip); errs == nil && flip.seen > at {
			t.Errorf("byte %d is changed and nobody minds", at)
		}
	}
}

// relay lets both sides exchange a message through f and returns what they found wrong.
func relay(t *testing.T, f *flipper) error {
	a, b := tcp(t)
	x, y := tcp(t)
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { f.copy(x, b); x.Close() })
	wg.Go(func() { f.copy(b, x); b.Close() })
	wg.Go(func() {
		s, err := Server(context.Background(), y, Options{Handshake: 300 * time.Millisecond})
		failed = greet(s, err)
		y.Close()
	})
	c, err := Client(context.Background(), a, Options{Handshake: 300 * time.Millisecond})
	err = greet(c, err)
	a.Close()
	wg.Wait()
	return errors.Join(err, failed)
}

func greet(c *Conn, err error) error {
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.WriteMessages(make([]byte, 40)); err != nil {
		return err
	}
	_, err = c.ReadMessage()
	return err
}

// flipper changes one bit of what passes, counted over both directions.
type flipper struct {
	mu       sync.Mutex
	at, seen int
}

func (f *flipper) copy(to, from net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		f.mu.Lock()
		if i := f.at - f.seen; i >= 0 && i < n {
			b[i] ^= 1 << (f.at % 8)
		}
		f.seen += n
		f.mu.Unlock()
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

func TestContextEndsTheHandshake(t *testing.T) {
	for _, f := range []func(context.Context, net.Conn, Options) (*Conn, error){Client, Server} {
		a, b := net.Pipe()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := f(ctx, a, Options{})
			done <- err
		}()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		b.Close()
	}
}

func TestGarbageHandshake(t *testing.T) {
	for name, in := range map[string][]byte{
		"nothing":        nil,
		"short frame":    {2, 0, 0, 1, 2},
		"empty frame":    {0, 0, 0},
		"huge frame":     {0xff, 0xff, 0xff},
		"zero key":       frame(make([]byte, 32)),
		"identity":       frame(append([]byte{1}, make([]byte, 31)...)),
		"cut off":        {32, 0, 0, 1, 2, 3},
		"http":           []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"plain message ": frame(bytes.Repeat([]byte{9}, 96)),
	} {
		for _, initiator := range []bool{true, false} {
			r := &replay{in: bytes.NewReader(in)}
			if c, err := open(context.Background(), r, initiator, Options{}, nil); err == nil {
				c.Close()
				t.Errorf("%s: accepted", name)
			} else if !errors.Is(err, ErrHandshake) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestWrongHeader(t *testing.T) {
	s := load(t).Sessions[0]
	heard, _ := side(s.Raw, "responder")
	heard = bytes.Clone(heard)
	heard[99+lengthBytes+5] ^= 1
	d := &dice{ephemeral: pair(t, s.InitiatorEphemeralSeed), header: [headerBytes]byte(s.InitiatorHeader)}
	c, err := open(context.Background(), &replay{in: bytes.NewReader(heard)}, true, Options{Static: pair(t, s.InitiatorStaticSeed)}, d)
	must(t, err)
	defer c.Close()
	if _, err := c.ReadMessage(); !errors.Is(err, ErrHandshake) {
		t.Errorf("%v", err)
	}
	if err := c.WriteMessages([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

// After what is not authentic nothing is read any more.
func TestReadErrorStays(t *testing.T) {
	r := &replay{in: bytes.NewReader([]byte("\x02\x00\x00hi\xff\xff\xff\x02\x00\x00hi"))}
	f := NewFrames(r, Limits{KeepAlive: -1, MaxMessage: 9})
	defer f.Close()
	if _, err := f.ReadMessage(); err != nil {
		t.Error(err)
	}
	for range 3 {
		if _, err := f.ReadMessage(); !errors.Is(err, ErrFrame) {
			t.Errorf("%v", err)
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	for b.Loop() {
		x, y := net.Pipe()
		go func() {
			if s, err := Server(context.Background(), y, Options{}); err == nil {
				s.Close()
			}
		}()
		c, err := Client(context.Background(), x, Options{})
		must(b, err)
		c.ReadMessage()
		c.Close()
	}
}
