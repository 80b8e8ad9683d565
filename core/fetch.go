package core

import (
	"context"
	"errors"
	"fmt"
)

// flight is a block that is being fetched: one caller asks the source, the others wait for it.
type flight struct {
	done chan struct{}
	err  error // once done is closed
}

func (l *log) source() Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

// fetchBlock returns when block i has come in. Many callers may ask for one block; the source is asked once. One that is
// corrupt is asked for even if it counts as held: a store that is read-only cannot drop it.
func (l *log) fetchBlock(ctx context.Context, i uint64, corrupt bool) error {
	for {
		f, session, err := l.takeOff(i)
		switch {
		case err != nil:
			return err
		case session != nil:
			return l.fly(ctx, session, i, f, corrupt)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.err
		} // the caller that asked gave up: ask in its place
	}
}

// takeOff joins the flight of a block, or begins one: then the session to ask comes with it.
func (l *log) takeOff(i uint64) (*flight, Session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usableLocked(); err != nil {
		return nil, nil, err
	}
	if l.session == nil {
		return nil, nil, notHeld(i)
	}
	if f := l.flights[i]; f != nil {
		return f, nil, nil
	}
	f := &flight{done: make(chan struct{})}
	if l.flights == nil {
		l.flights = make(map[uint64]*flight)
	}
	l.flights[i] = f
	return f, l.session, nil
}

// fly asks the source, unless the block came in before the flight began, and ends the flight.
func (l *log) fly(ctx context.Context, session Session, i uint64, f *flight, corrupt bool) error {
	here, err := l.has(ctx, i)
	if err == nil && (corrupt || !here) {
		err = l.ask(ctx, session, Want{Blocks: []uint64{i}, Anew: corrupt, Priority: 1})
	}
	if err != nil {
		err = fmt.Errorf("core: fetching block %d: %w", i, err)
	}
	l.mu.Lock()
	delete(l.flights, i)
	if len(l.flights) == 0 {
		l.flights = nil
	}
	l.mu.Unlock()
	f.err = err
	close(f.done)
	return err
}

// fetch asks the source for anything else, or fails with ErrNotAvailable without one. For a snapshot that is cut meanwhile it
// fails with ErrTruncated.
func (c *Core) fetch(ctx context.Context, w Want) error {
	ctx, done := c.whileWhole(ctx)
	defer done()
	err := c.log.fetch(ctx, w)
	if cut := c.whole(); cut != nil {
		return cut
	}
	return err
}

// fetch is that for all handles.
func (l *log) fetch(ctx context.Context, w Want) error {
	if err := errors.Join(l.usable(), ctx.Err()); err != nil {
		return err
	}
	session := l.source()
	if session == nil {
		return fmt.Errorf("%w: no source", ErrNotAvailable)
	}
	return l.ask(ctx, session, w)
}

// ask gives the session a want that names what was missing a moment ago.
func (l *log) ask(ctx context.Context, session Session, w Want) error {
	if err := l.tellAll(ctx); err != nil {
		return err
	}
	return session.Fetch(ctx, w)
}

// Update asks the source for the newest head that a peer can prove, and returns when it came or there is none. Without a
// source it does nothing.
func (c *Core) Update(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.log.source() == nil {
		return nil
	}
	return c.log.fetch(ctx, Want{Head: true})
}

// Download fetches what w asks for and returns when all of it is here. Blocks that are here already are not asked for.
func (c *Core) Download(ctx context.Context, w Want) error {
	if err := c.check(); err != nil {
		return err
	}
	asked := len(w.Blocks) + len(w.Ranges)
	w, err := c.Missing(ctx, w)
	if err != nil {
		return err
	}
	if asked > 0 && len(w.Blocks)+len(w.Ranges) == 0 && w.Seek == nil && !w.Head {
		return nil
	}
	return c.fetch(ctx, w)
}

// Missing returns w without the blocks that are here. The core's session knows that the others are not: it can be given what is
// returned.
func (c *Core) Missing(ctx context.Context, w Want) (Want, error) {
	if err := c.check(); err != nil {
		return w, err
	}
	var blocks []uint64
	for _, i := range w.Blocks {
		ok, err := c.log.has(ctx, i)
		if err != nil {
			return w, err
		}
		if !ok {
			blocks = append(blocks, i)
		}
	}
	var ranges []Range
	for _, r := range w.Ranges {
		held, err := c.Held(ctx, r.Start, max(r.End, r.End-1)) // End 0 has no end
		if err != nil {
			return w, err
		}
		ranges = append(ranges, without(r, held)...)
	}
	w.Blocks, w.Ranges = blocks, ranges
	return w, c.log.tellAll(ctx)
}

// without returns the parts of r between the ranges of a list, which lie in it. An End of 0 has no end.
func without(r Range, list []Range) (rest []Range) {
	for _, h := range list {
		if r.Start < h.Start {
			rest = append(rest, Range{r.Start, h.Start})
		}
		r.Start = h.End
	}
	if r.Start < r.End || r.End == 0 {
		rest = append(rest, r)
	}
	return rest
}
