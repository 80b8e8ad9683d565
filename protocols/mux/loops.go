package mux

import (
	"context"
	"errors"
	"io"
)

// ReadLoop reads frames until the stream ends, and returns why: nil for the peer's orderly end and for Close. The end of
// ctx ends the stream, with its cause.
func (m *Mux) ReadLoop(ctx context.Context) error {
	defer m.bind(ctx)()
	for {
		if err := m.ReadFrame(); err != nil {
			return orderly(err)
		}
	}
}

// WriteLoop writes what is queued, and what Options.Fill adds, until the stream ends, and returns as ReadLoop does. One
// goroutine calls it.
func (m *Mux) WriteLoop(ctx context.Context) error {
	defer m.bind(ctx)()
	for {
		wrote, err := m.Flush()
		if err != nil {
			return orderly(err)
		}
		if wrote {
			continue
		}
		select {
		case <-m.wake:
		case <-m.done:
			return orderly(m.Err())
		}
	}
}

// bind ends the stream when ctx ends, until the function that it returns is called.
func (m *Mux) bind(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { m.fail(context.Cause(ctx)) })
}

func orderly(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// Flush calls Options.Fill and writes all that is queued then, at once. It tells whether there was anything. It is what
// WriteLoop does, for callers with a loop of their own; one goroutine calls it.
func (m *Mux) Flush() (wrote bool, err error) {
	if m.o.Fill != nil {
		m.o.Fill()
	}
	q, err := m.take()
	if err != nil || len(q.entries) == 0 {
		return false, err
	}
	err = m.conn.WriteMessages(q.pack()...)
	m.mu.Lock()
	q.reset()
	m.spare, m.inflight = q, 0
	m.mu.Unlock()
	if err != nil {
		m.fail(err)
		return true, m.Err()
	}
	return true, nil
}

// take takes the queue to write it, and puts the spare one in its place.
func (m *Mux) take() (queue, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || len(m.queue.entries) == 0 {
		return queue{}, m.err
	}
	q := m.queue
	m.queue, m.spare = m.spare, queue{}
	m.inflight = q.unsent
	m.moved.Broadcast()
	return q, nil
}
