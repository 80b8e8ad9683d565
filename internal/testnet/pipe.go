package testnet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipe is one direction of a link.
type pipe struct {
	mu       sync.Mutex    // guards what follows
	moved    chan struct{} // closed, and replaced, when something below has changed
	line     line
	segments []segment
	unread   int       // bytes of segments
	last     time.Time // when the last segment arrives
	stalled  time.Time // nothing arrives before
	readBy   time.Time // deadlines, zero for none
	writeBy  time.Time
	shut     bool  // by the writer: there is no more to come
	left     bool  // by the reader
	broken   error // the link was cut
}

type segment struct {
	bytes   []byte
	arrival time.Time
}

func newPipe(s Shape) *pipe { return &pipe{line: newLine(s), moved: make(chan struct{})} }

// change lets fn change the pipe, and wakes who waits.
func (p *pipe) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	p.movedLocked()
}

func (p *pipe) movedLocked() {
	close(p.moved)
	p.moved = make(chan struct{})
}

// errAgain tells that an attempt is to be made again: when the pipe has moved, or at a time.
var errAgain = errors.New("testnet: not yet")

// attempt is one try to read or write under mu. With errAgain it returns the time, zero for none.
type attempt func(now time.Time) (n int, again time.Time, err error)

// try makes attempts until one is done, or the deadline is over.
func (p *pipe) try(deadline *time.Time, do attempt) (int, error) {
	for {
		p.mu.Lock()
		now := time.Now()
		if !deadline.IsZero() && !now.Before(*deadline) {
			p.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		n, again, err := do(now)
		moved, by := p.moved, *deadline
		p.mu.Unlock()
		if !errors.Is(err, errAgain) {
			return n, err
		}
		if again.IsZero() || !by.IsZero() && by.Before(again) {
			again = by
		}
		wait(moved, again)
	}
}

// wait returns when moved is closed, or at a time that is not zero.
func wait(moved <-chan struct{}, at time.Time) {
	if at.IsZero() {
		<-moved
		return
	}
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-moved:
	case <-timer.C:
	}
}

func (p *pipe) read(b []byte) (int, error) {
	return p.try(&p.readBy, func(now time.Time) (int, time.Time, error) {
		switch {
		case p.left:
			return 0, now, net.ErrClosed
		case p.broken != nil:
			return 0, now, p.broken
		case len(b) == 0:
			return 0, now, nil
		case len(p.segments) == 0 && p.shut:
			return 0, now, io.EOF
		case len(p.segments) == 0:
			return 0, time.Time{}, errAgain
		}
		if at := later(p.segments[0].arrival, p.stalled); at.After(now) {
			return 0, at, errAgain
		}
		return p.takeLocked(b, now), now, nil
	})
}

// takeLocked fills b with what has arrived.
func (p *pipe) takeLocked(b []byte, now time.Time) (n int) {
	for len(p.segments) > 0 && n < len(b) && !p.segments[0].arrival.After(now) {
		s := &p.segments[0]
		k := copy(b[n:], s.bytes)
		n += k
		if s.bytes = s.bytes[k:]; len(s.bytes) == 0 {
			p.segments = p.segments[1:]
		}
	}
	p.unread -= n
	p.movedLocked()
	return n
}

func (p *pipe) write(b []byte) (n int, err error) {
	for n < len(b) || len(b) == 0 {
		k, err := p.writeSome(b[n:])
		if n += k; err != nil || len(b) == 0 {
			return n, err
		}
	}
	return n, nil
}

// writeSome writes up to a segment.
func (p *pipe) writeSome(b []byte) (int, error) {
	return p.try(&p.writeBy, func(now time.Time) (int, time.Time, error) {
		room := min(len(b), segmentBytes, p.line.Window-p.unread)
		switch {
		case p.shut:
			return 0, now, net.ErrClosed
		case p.broken != nil:
			return 0, now, p.broken
		case p.left:
			return 0, now, io.ErrClosedPipe
		case len(b) == 0:
			return 0, now, nil
		case room <= 0:
			return 0, time.Time{}, errAgain
		}
		if d := p.line.until(now); d > 0 {
			return 0, now.Add(d), errAgain
		}
		p.putLocked(b[:room], now)
		return room, now, nil
	})
}

// putLocked sends a segment. None overtakes another.
func (p *pipe) putLocked(b []byte, now time.Time) {
	arrival, lost := p.line.send(now, len(b))
	if lost {
		arrival = arrival.Add(p.line.Retry)
	}
	p.last = later(p.last, arrival)
	p.segments = append(p.segments, segment{append([]byte(nil), b...), p.last})
	p.unread += len(b)
	p.movedLocked()
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
