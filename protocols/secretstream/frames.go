package secretstream

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lengthBytes is the length of a frame's length.
const lengthBytes = 3

// Frames carries messages over a byte stream, each in a frame: a length of 3 bytes, little-endian, and that many bytes.
// It is for streams that are encrypted and authenticated by other means; a [Conn] is the same with a cipher.
//
// One goroutine may read while others write. When the stream has SetReadDeadline and SetWriteDeadline, as a [net.Conn]
// has, they serve to find peers that stall.
type Frames struct {
	stream io.ReadWriteCloser
	limits Limits
	closed atomic.Bool
	capped atomic.Int64 // see SetMaxMessage

	// The reader's.
	in       buffer
	lender   lender
	most     int  // bytes of a frame's body
	opener   *box // nil for plain frames
	deadline time.Time
	mark     time.Time // since when progress within a frame is due, zero when it is not
	progress int       // bytes since mark
	ended    error     // what ended the reading

	// The writers', guarded by mu.
	mu     sync.Mutex
	out    outbox
	sealer *box  // nil for plain frames
	failed error // what ended the writing
	last   time.Time
	timer  *time.Timer // sends keep-alives; nil without, and never changed after the start
}

// NewFrames returns frames over stream, which it takes over.
func NewFrames(stream io.ReadWriteCloser, l Limits) *Frames {
	f := &Frames{stream: stream, limits: l.withDefaults()}
	f.most = f.limits.MaxMessage
	f.startKeepAlive()
	return f
}

// ReadMessage returns the next message that is not empty. It is valid until the next call, and may be written to. At the
// end of the stream between two messages the error is [io.EOF].
// Every error ends the reading for good.
func (f *Frames) ReadMessage() ([]byte, error) {
	for f.ended == nil {
		msg, err := f.next()
		if err != nil {
			f.ended = f.readError(err)
		} else if len(msg) > 0 {
			return msg, nil
		}
	}
	return nil, f.ended
}

// next returns the next message, empty ones too.
func (f *Frames) next() ([]byte, error) {
	for {
		held, need := f.in.held(), lengthBytes
		if len(held) >= lengthBytes {
			n := int(held[0]) | int(held[1])<<8 | int(held[2])<<16
			if n > f.largest() {
				return nil, fmt.Errorf("%w: %d", ErrFrame, n)
			}
			if need += n; len(held) >= need {
				return f.take(need)
			}
		}
		if err := f.fill(need, len(held)); err != nil {
			return nil, err
		}
	}
}

// Buffered returns how many bytes have come behind the message that was read last. The goroutine that reads calls it.
func (f *Frames) Buffered() int { return len(f.in.held()) }

// SetMaxMessage bounds the messages that are read to n bytes, from the next frame on that has not begun. 0 or less, or more than
// the limit that the stream was made with, stands for that limit. It may be called by any goroutine.
func (f *Frames) SetMaxMessage(n int) { f.capped.Store(int64(max(n, 0))) }

// largest is how many bytes the body of a frame may have.
func (f *Frames) largest() int {
	n := int(min(f.capped.Load(), maxFrame))
	switch {
	case n == 0:
		return f.most
	case f.opener != nil:
		n += overhead
	}
	return min(f.most, n)
}

// take consumes a frame of n bytes.
func (f *Frames) take(n int) ([]byte, error) {
	at, end := f.in.start+lengthBytes, f.in.start+n
	f.in.start, f.mark = end, time.Time{}
	if f.opener == nil {
		return f.in.b[at:end:end], nil
	}
	if n < minLoan || n > maxBuffer {
		f.lender.rest()
		return f.opener.open(f.in.b[:end:end], at)
	}
	return f.opener.openTo(f.lender.borrow(room+n), f.in.b[:end:end], at)
}

// fill reads some bytes; held are there of a frame of need bytes.
func (f *Frames) fill(need, held int) error {
	space := f.in.space(need)
	if err := f.setDeadline(held > 0); err != nil {
		return err
	}
	n, err := f.stream.Read(space)
	f.in.filled(n)
	if f.progress += n; f.progress >= minProgress {
		f.mark = time.Time{}
	}
	switch {
	case n > 0 || err == nil:
		return nil // an error comes again
	case errors.Is(err, io.EOF) && held > 0:
		return io.ErrUnexpectedEOF
	case errors.Is(err, os.ErrDeadlineExceeded) && held > 0:
		return fmt.Errorf("%w: %w", ErrStalled, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrIdle, err)
	}
	return err
}

// setDeadline sets until when the next bytes must come, within a frame or between two.
func (f *Frames) setDeadline(within bool) error {
	s, ok := f.stream.(interface{ SetReadDeadline(time.Time) error })
	if !ok {
		return nil
	}
	var deadline time.Time
	switch {
	case within && f.limits.Stall > 0:
		if f.mark.IsZero() {
			f.mark, f.progress = time.Now(), 0
		}
		deadline = f.mark.Add(f.limits.Stall)
	case !within && f.limits.Idle > 0:
		deadline = time.Now().Add(f.limits.Idle)
	}
	if deadline.Equal(f.deadline) {
		return nil
	}
	f.deadline = deadline
	return s.SetReadDeadline(deadline)
}

// readError is what a failure to read is to the caller.
func (f *Frames) readError(err error) error {
	if f.closed.Load() {
		return ErrClosed
	}
	return err
}

// Close ends the stream in both directions; reads and writes that wait return [ErrClosed]. What WriteMessages has
// returned for was handed to the stream. It may be called more than once.
func (f *Frames) Close() error {
	if f.closed.Swap(true) {
		return nil
	}
	err := f.stream.Close() // a writer that holds mu comes back
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		f.timer.Stop()
	}
	return err
}
