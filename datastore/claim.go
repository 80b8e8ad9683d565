package datastore

import "sync"

// claims are the names that somebody in this process holds.
type claims struct {
	mu   sync.Mutex
	held map[string]struct{}
}

// Claim takes a name for the caller until release is called; ok is false when it is taken already. It lets packages
// above see to it that what must be open once is open once. Nothing is stored, and release may be called twice.
func (db *DB) Claim(name string) (release func(), ok bool) {
	c := &db.claims
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.held[name]; taken {
		return nil, false
	}
	if c.held == nil {
		c.held = make(map[string]struct{})
	}
	c.held[name] = struct{}{}
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.held, name)
	}), true
}
