package datastore

import "sync"

// users counts the calls that are running, so that Close can wait for them. Unlike a sync.RWMutex it lets a call that
// runs within another one in while Close waits, or turns it away.
type users struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed when closed is set and n is 0
}

func (u *users) init() { u.idle = make(chan struct{}) }

func (u *users) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.n++
	return true
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n--
	if u.closed && u.n == 0 {
		close(u.idle)
	}
}

// close turns further calls away and waits for those that are running.
func (u *users) close() {
	u.mu.Lock()
	u.closed = true
	if u.n == 0 {
		close(u.idle)
	}
	u.mu.Unlock()
	<-u.idle
}
