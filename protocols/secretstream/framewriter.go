package secretstream

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// WriteMessages sends messages, as many of them as fit into 256 KiB by one Write of the stream. It keeps none of them. It
// blocks while the peer takes nothing, up to [Limits].Stall. A message above [MaxMessage] gives [ErrTooLarge], and nothing is
// sent; every other error ends the writing for good.
func (f *Frames) WriteMessages(msgs ...[]byte) error {
	for _, msg := range msgs {
		if len(msg) > MaxMessage {
			return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(msg))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writeLocked(msgs...)
}

func (f *Frames) writeLocked(msgs ...[]byte) error {
	if f.closed.Load() {
		return ErrClosed
	}
	if f.failed != nil {
		return f.failed
	}
	f.failed = f.sendLocked(msgs)
	if f.failed != nil && f.closed.Load() {
		return ErrClosed
	}
	return f.failed
}

func (f *Frames) sendLocked(msgs [][]byte) error {
	total := 0
	f.out.begin()
	for _, msg := range msgs {
		if held := len(f.out.pending()); held > 0 && held+lengthBytes+overhead+len(msg) > maxBuffer {
			total += held
			if err := f.flushLocked(); err != nil {
				return err
			}
		}
		if err := f.out.add(f.sealer, msg); err != nil {
			return err
		}
	}
	total += len(f.out.pending())
	err := f.flushLocked()
	f.out.written(total)
	return err
}

// flushLocked hands what is pending to the stream.
func (f *Frames) flushLocked() error {
	b := f.out.pending()
	for len(b) > 0 {
		if err := f.setWriteDeadline(); err != nil {
			return err
		}
		n, err := f.stream.Write(b)
		b = b[n:]
		if late := errors.Is(err, os.ErrDeadlineExceeded); late && n < minProgress {
			return fmt.Errorf("%w: %w", ErrStalled, err)
		} else if err != nil && !late {
			return err
		}
	}
	f.last = time.Now()
	f.out.begin()
	return nil
}

func (f *Frames) setWriteDeadline() error {
	s, ok := f.stream.(interface{ SetWriteDeadline(time.Time) error })
	if !ok || f.limits.Stall <= 0 {
		return nil
	}
	return s.SetWriteDeadline(time.Now().Add(f.limits.Stall))
}

func (f *Frames) startKeepAlive() {
	if f.limits.KeepAlive <= 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = time.Now()
	f.timer = time.AfterFunc(time.Hour, f.beat) // beat reads timer, so it is set before it may run
	f.timer.Reset(f.limits.KeepAlive)
}

// beat sends a keep-alive when nothing else was sent for a while. It runs on the timer's goroutine, which must not wait:
// a writer that is at work makes keep-alives needless.
func (f *Frames) beat() {
	if !f.mu.TryLock() {
		f.timer.Reset(f.limits.KeepAlive)
		if f.closed.Load() {
			f.timer.Stop()
		}
		return
	}
	defer f.mu.Unlock()
	left := f.limits.KeepAlive - time.Since(f.last)
	if left <= 0 {
		left = f.limits.KeepAlive
		if f.writeLocked(nil) != nil {
			return
		}
	}
	if !f.closed.Load() {
		f.timer.Reset(left)
	}
}
