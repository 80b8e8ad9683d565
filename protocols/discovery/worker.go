package discovery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// need is what is to be done for a topic.
type need struct{ any, announce, lookup bool }

// worker does what one topic needs, in all networks.
type worker struct {
	topic     Topic
	announced chan struct{} // closed after the first announcement
	looked    chan struct{} // closed after the first lookup

	// Guarded by the Finder's lock.
	need   need
	wake   chan struct{} // closed when need changes
	kicked chan struct{} // closed when a lookup is to be made at once
}

func newWorker(t Topic) *worker {
	return &worker{
		topic: t, announced: make(chan struct{}), looked: make(chan struct{}),
		wake: make(chan struct{}), kicked: make(chan struct{}),
	}
}

func (w *worker) changedLocked(n need) {
	if n == w.need {
		return
	}
	w.need = n
	close(w.wake)
	w.wake = make(chan struct{})
}

func (w *worker) kickLocked() {
	close(w.kicked)
	w.kicked = make(chan struct{})
}

func (f *Finder) state(w *worker) (n need, wake, kicked <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return w.need, w.wake, w.kicked
}

// tend does what a topic needs until nobody wants it any more.
func (f *Finder) tend(ctx context.Context, w *worker) {
	for ctx.Err() == nil {
		n, wake, _ := f.state(w)
		if !n.any {
			return
		}
		f.serve(ctx, w, n, wake)
	}
}

// serve looks and announces, in all networks side by side, until the need changes or ctx ends. A topic that is announced
// and not looked for costs no more goroutine then than the one that waits here.
func (f *Finder) serve(ctx context.Context, w *worker, n need, wake <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	routers := f.o.Routers
	if n.lookup {
		looked := countdown(len(routers), func() { closeOnce(f, w.looked) })
		for _, r := range routers {
			parts.Go(func() { f.look(ctx, w, r, sync.OnceFunc(looked)) })
		}
	}
	if n.announce {
		announced := countdown(len(routers), func() { closeOnce(f, w.announced) })
		for _, r := range routers {
			parts.Go(func() { f.announce(ctx, w, r, sync.OnceFunc(announced)) })
		}
	}
	select {
	case <-wake:
	case <-ctx.Done():
	}
	cancel()
	parts.Wait()
	if now, _, _ := f.state(w); n.announce && !now.announce {
		for _, r := range routers {
			r.Withdraw(w.topic)
		}
	}
}

// countdown calls done when what it returns was called n times.
func countdown(n int, done func()) func() {
	if n == 0 {
		done()
	}
	var left atomic.Int64
	left.Store(int64(n))
	return func() {
		if left.Add(-1) == 0 {
			done()
		}
	}
}

// look repeats lookups in one network. first is called after the first one, or when there is nobody to ask.
func (f *Finder) look(ctx context.Context, w *worker, r Router, first func()) {
	defer first()
	pause := f.o.Again
	var unready unready
	for ctx.Err() == nil {
		found := 0
		ready := r.Ready()
		if ready && f.enter(ctx, looking) {
			found = f.lookOnce(ctx, w.topic, r)
			f.leave(looking)
		}
		if ready || !entering(r) {
			first()
		}
		_, _, kicked := f.state(w)
		wait := varied(pause)
		switch {
		case !ready:
			wait = min(wait, unready.next()) // there may be somebody at any moment
		case found > 0:
			pause = min(4*pause, f.o.Seldom)
		default:
			pause = min(2*pause, f.o.Seldom)
		}
		if rest(ctx, wait, kicked) {
			pause = f.o.Again
		}
	}
}

// Pauses between looks whether a network has anybody to ask: the first one, then each time half as much again, to the last.
const (
	firstReady = 2 * time.Millisecond
	lastReady  = 250 * time.Millisecond
)

// unready is how long the last pause was.
type unready time.Duration

func (u *unready) next() time.Duration {
	*u = min(max(unready(firstReady), *u*3/2), unready(lastReady))
	return varied(time.Duration(*u))
}

// entry is a Router that can tell whether there will soon be somebody to ask.
type entry interface{ Entering() bool }

func entering(r Router) bool {
	e, ok := r.(entry)
	return ok && e.Entering()
}

// lookOnce makes one lookup and returns how many peers it found.
func (f *Finder) lookOnce(ctx context.Context, t Topic, r Router) (found int) {
	ctx, cancel := context.WithTimeout(ctx, f.o.Lookup)
	defer cancel()
	for p := range r.Find(ctx, t) {
		found++
		f.found(t, p)
	}
	return found
}

// announce tells others of the topic and leaves the rest to the network, or tells them again when that does not go on by
// itself. first is called after the first announcement, or when there is nobody to tell.
func (f *Finder) announce(ctx context.Context, w *worker, r Router, first func()) {
	for {
		f.announceOnce(ctx, w, r, first)
		l, ok := r.(lasting)
		if !ok {
			return
		}
		if rest(ctx, varied(l.Lasts()), nil); ctx.Err() != nil {
			return
		}
	}
}

// announceOnce goes on until somebody was told, or ctx ends.
func (f *Finder) announceOnce(ctx context.Context, w *worker, r Router, first func()) {
	defer first()
	var unready unready
	for pause := f.o.Again; ctx.Err() == nil; {
		if !r.Ready() {
			if !entering(r) {
				first()
			}
			rest(ctx, unready.next(), nil)
			continue
		}
		if f.enter(ctx, announcing) {
			err := r.Announce(ctx, w.topic)
			f.leave(announcing)
			if err == nil {
				return
			}
			f.o.Logger.Debug("announcing failed", "network", r.Name(), "reason", err)
		}
		first()
		rest(ctx, varied(pause), nil)
		pause = min(2*pause, f.o.Seldom)
	}
}

// enter waits for its turn.
func (f *Finder) enter(ctx context.Context, k kind) bool {
	select {
	case f.slots[k] <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f *Finder) leave(k kind) { <-f.slots[k] }

// rest waits, and tells whether it was kicked.
func rest(ctx context.Context, d time.Duration, kicked <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-kicked:
		return true
	}
	return false
}

// closeOnce closes a channel that may be closed already.
func closeOnce(f *Finder, c chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}
