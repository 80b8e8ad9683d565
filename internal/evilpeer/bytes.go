package evilpeer

import (
	"context"
	"crypto/rand"
	"net"
	"time"
)

// onBytes is what can be done below the messages.
func onBytes() []Misbehaviour {
	return []Misbehaviour{
		{Name: "garbage bytes", What: "random bytes in place of a handshake", Run: clones(4, garbage)},
		{Name: "slow handshake", What: "100 handshakes, a byte at a time", Run: clones(100, slowHandshake), Budget: Budget{Goroutines: 400}},
		{Name: "half open", What: "100 connections that say nothing", Run: clones(100, halfOpen), Budget: Budget{Goroutines: 400}},
		{Name: "idle streams", What: "100 handshakes and then silence", Run: clones(100, stay(idle)), Budget: Budget{Goroutines: 600, Heap: 32 << 20}},
		{Name: "connection churn", What: "a handshake and a reset, again and again", Run: clones(4, churn)},
		{Name: "slow frames", What: "20 frames of 16 MiB, a byte at a time", Run: clones(20, again(slowFrame)), Budget: Budget{Goroutines: 160}},
		{Name: "frame length bomb", What: "50 frames that claim 16 MiB and end there", Run: clones(50, again(claimFrame)), Budget: Budget{Goroutines: 320}},
		{Name: "unauthentic frame", What: "a frame that nobody encrypted", Run: clones(4, again(forgedFrame))},
		{Name: "empty frames", What: "keep-alives without end", Run: again(emptyFrames)},
		{Name: "half close", What: "20 streams that end one direction, and keep the other", Run: clones(20, again(halfClose)), Budget: Budget{Goroutines: 160}},
		{Name: "reset mid-frame", What: "half a frame and a reset", Run: clones(4, again(halfFrame))},
	}
}

// connections runs an attack over plain connections.
func connections(ctx context.Context, t *Target, attack func(c net.Conn) error) {
	for ctx.Err() == nil {
		if c, err := dial(ctx, t); err == nil {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			attack(c) // the target ends it
			stop()
			c.Close()
			t.struck(1)
		}
		rest(ctx, pause)
	}
}

func garbage(ctx context.Context, t *Target) {
	connections(ctx, t, func(c net.Conn) error {
		for b := make([]byte, 4<<10); ; {
			rand.Read(b)
			if _, err := c.Write(b); err != nil {
				return err
			}
		}
	})
}

func slowHandshake(ctx context.Context, t *Target) {
	connections(ctx, t, func(c net.Conn) error {
		t.struck(1)
		return drip(ctx, c, []byte{32, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	})
}

// drip writes b a byte at a time, and then zeros.
func drip(ctx context.Context, c net.Conn, b []byte) error {
	for i := 0; ctx.Err() == nil; i++ {
		next := []byte{0}
		if i < len(b) {
			next[0] = b[i]
		}
		if _, err := c.Write(next); err != nil {
			return err
		}
		rest(ctx, 100*time.Millisecond)
	}
	return nil
}

func halfOpen(ctx context.Context, t *Target) {
	connections(ctx, t, func(c net.Conn) error {
		t.struck(1)
		_, err := c.Read(make([]byte, 1))
		return err
	})
}

func idle(_ context.Context, s *Speaker) error {
	s.target.struck(1)
	return nil
}

func churn(ctx context.Context, t *Target) {
	for ctx.Err() == nil {
		once(ctx, t, func(_ context.Context, s *Speaker) error {
			t.struck(1)
			return s.reset()
		})
	}
}

// reset ends the connection with a reset.
func (s *Speaker) reset() error {
	if c, ok := s.raw.(*net.TCPConn); ok {
		if err := c.SetLinger(0); err != nil {
			return err
		}
	}
	return s.raw.Close()
}

func slowFrame(ctx context.Context, s *Speaker) error {
	s.target.struck(1)
	return drip(ctx, s.raw, []byte{0xff, 0xff, 0xff})
}

func claimFrame(_ context.Context, s *Speaker) error {
	s.target.struck(1)
	if _, err := s.raw.Write([]byte{0xff, 0xff, 0xff, 1, 2, 3}); err != nil {
		return err
	}
	return s.Listen(nil)
}

func forgedFrame(_ context.Context, s *Speaker) error {
	s.target.struck(1)
	if _, err := s.raw.Write(append([]byte{40, 0, 0}, make([]byte, 40)...)); err != nil {
		return err
	}
	return s.Listen(nil)
}

func emptyFrames(ctx context.Context, s *Speaker) error {
	frames := make([][]byte, 1000)
	for ctx.Err() == nil {
		if err := s.frames(len(frames), frames...); err != nil {
			return err
		}
	}
	return nil
}

func halfFrame(_ context.Context, s *Speaker) error {
	s.target.struck(1)
	if _, err := s.raw.Write([]byte{0, 1, 0, 5, 5, 5}); err != nil {
		return err
	}
	return s.reset()
}

func halfClose(_ context.Context, s *Speaker) error {
	s.target.struck(1)
	if c, ok := s.raw.(*net.TCPConn); ok {
		if err := c.CloseWrite(); err != nil {
			return err
		}
	}
	return s.Listen(nil)
}
