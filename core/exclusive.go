package core

import (
	"context"
)

// Exclusive waits until no other handle is exclusive, and makes this one so until it is closed. Handles that did not
// ask are not kept from appending: writers that must not interleave all ask.
func (c *Core) Exclusive(ctx context.Context) error {
	for {
		changed := c.log.waitChange()
		token, err := c.token()
		if err != nil || token == nil {
			return err
		}
		select {
		case token <- struct{}{}:
			return c.holdToken()
		case <-changed: // perhaps the log was closed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// token returns the channel that takes one token, or nil when the handle holds it.
func (c *Core) token() (chan struct{}, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.exclusive {
		return nil, nil
	}
	if l.exclusive == nil {
		l.exclusive = make(chan struct{}, 1)
	}
	return l.exclusive, nil
}

// holdToken makes the token that was taken the handle's, unless it was closed meanwhile.
func (c *Core) holdToken() error {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	if c.exclusive || c.closed.Load() {
		<-c.log.exclusive
		if c.exclusive {
			return nil
		}
		return ErrClosed
	}
	c.exclusive = true
	return nil
}
