package testnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// passes writes b into one end, reads it at the other, and returns how long that took.
func passes(t *testing.T, from, to net.Conn, b []byte) time.Duration {
	t.Helper()
	start := time.Now()
	var work sync.WaitGroup
	work.Go(func() {
		if _, err := from.Write(b); err != nil {
			t.Error(err)
		}
	})
	got := make([]byte, len(b))
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, b) {
		t.Errorf("other bytes arrived, %v", err)
	}
	work.Wait()
	return time.Since(start)
}

func TestShape(t *testing.T) {
	for _, c := range []struct {
		name     string
		shape    Shape
		size     int
		min, max time.Duration
	}{
		{"at once", Shape{}, 3 << 20, 0, 0},
		{"delay", Shape{Delay: 70 * time.Millisecond}, 1 << 20, 70 * time.Millisecond, 70 * time.Millisecond},
		{"rate", Shape{Rate: 1 << 20}, 2 << 20, 2 * time.Second, 2*time.Second + time.Millisecond},
		{"both", Shape{Rate: 1 << 20, Delay: time.Second}, 2 << 20, 3 * time.Second, 3*time.Second + time.Millisecond},
		{"jitter", Shape{Delay: time.Second, Jitter: time.Second}, 1 << 20, time.Second, 2 * time.Second},
		{"window", Shape{Delay: time.Second, Window: 1 << 20}, 3 << 20, 3 * time.Second, 3 * time.Second},
		{"lossy", Shape{Loss: 1, Retry: 3 * time.Second}, 10, 3 * time.Second, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := NewLink(c.shape, Shape{}).Ends()
				data := bytes.Repeat([]byte("0123456789"), c.size/10)
				if d := passes(t, a, b, data); d < c.min-time.Millisecond || d > c.max {
					t.Errorf("took %v, want from %v to %v", d, c.min, c.max)
				}
				if d := passes(t, b, a, data); d != 0 {
					t.Errorf("the other way took %v", d)
				}
			})
		})
	}
}

func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLink(Shape{}, Shape{})
		a, b := l.Ends()
		l.Stall(5 * time.Second)
		if d := passes(t, a, b, []byte("late")); d != 5*time.Second {
			t.Errorf("took %v", d)
		}
		if d := passes(t, a, b, []byte("not late")); d != 0 {
			t.Errorf("took %v", d)
		}
	})
}

func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLink(Shape{Delay: time.Second}, Shape{})
		a, b := l.Ends()
		if _, err := a.Write([]byte("is lost")); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Millisecond, l.Cut)
		if _, err := b.Read(make([]byte, 9)); !errors.Is(err, ErrCut) {
			t.Error(err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, ErrCut) {
			t.Error(err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := NewLink(Shape{Window: 1}, Shape{}).Ends()
		start := time.Now()
		if err := b.SetDeadline(start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := a.SetWriteDeadline(start.Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := a.Write([]byte("xy")); n != 1 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("%d bytes, %v after %v", n, err, time.Since(start))
		}
		var ne net.Error
		if _, err := b.Read(make([]byte, 1)); !errors.As(err, &ne) || !ne.Timeout() {
			t.Error(err)
		}
		if err := b.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := NewLink(Shape{Delay: time.Second}, Shape{}).Ends()
		if _, err := a.Write([]byte("last")); err != nil {
			t.Fatal(err)
		}
		a.Close()
		a.Close()
		if _, err := a.Read(nil); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		if got, err := io.ReadAll(b); string(got) != "last" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestCloseWakesReaderAndWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := NewLink(Shape{Window: 1}, Shape{}).Ends()
		var work sync.WaitGroup
		work.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
		work.Go(func() {
			if _, err := a.Write(make([]byte, 2)); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		a.Close()
		work.Wait()
	})
}
