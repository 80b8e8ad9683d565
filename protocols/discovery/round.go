package discovery

import (
	"container/heap"
	"context"
	"time"
)

// gate is what waits for a network to have anybody to ask, or for this node to have an address to tell.
type gate struct {
	parked map[*duty]struct{}
	heard  bool          // nobody waits for what they do
	due    time.Duration // when it is looked next whether they can go, in the Finder's time
	pause  unready
}

// Pauses between looks whether a network has anybody to ask: the first one, then each time half as much again, to the last.
const (
	firstReady = 2 * time.Millisecond
	lastReady  = 250 * time.Millisecond
)

// idle is how long Run sleeps at most.
const idle = time.Hour

// unready is how long the last pause was.
type unready time.Duration

func (u *unready) next() time.Duration {
	*u = min(max(unready(firstReady), *u*3/2), unready(lastReady))
	return varied(time.Duration(*u))
}

// entry is a Router that can tell whether there will soon be somebody to ask.
type entry interface{ Entering() bool }

// addressed is a Router that can tell whether this node has an address which it may tell others there. To announce without one
// would be in vain.
type addressed interface{ Addressed() bool }

// presence is what can be done in a network: there is somebody to ask, or soon will be, and an address to tell.
type presence struct{ ready, entering, addressed bool }

// open tells whether duties of a kind can be done.
func (p presence) open(k kind) bool { return p.ready && (k == looking || p.addressed) }

func (f *Finder) presence() []presence {
	list := make([]presence, len(f.o.Routers))
	for i, r := range f.o.Routers {
		list[i] = presence{ready: r.Ready(), addressed: true}
		if e, ok := r.(entry); ok && !list[i].ready {
			list[i].entering = e.Entering()
		}
		if a, ok := r.(addressed); ok && list[i].ready {
			list[i].addressed = a.Addressed()
		}
	}
	return list
}

// round begins what is due, and returns how long there is nothing more to begin.
func (f *Finder) round(ctx context.Context) time.Duration {
	there := f.presence()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.gates {
		f.pollLocked(&f.gates[i], there[i])
	}
	for k := range f.queues {
		for f.free[k] > 0 {
			due, ok := f.queues[k].soonest()
			if !ok || due > f.now() {
				break
			}
			d := heap.Pop(&f.queues[k]).(*duty)
			if d.place = nowhere; there[d.router].open(d.kind) || !d.s.wants(d.kind) {
				f.beginLocked(ctx, d)
				continue
			}
			f.parkLocked(d, there[d.router])
		}
	}
	return f.pauseLocked()
}

// pauseLocked is how long there is nothing to begin.
func (f *Finder) pauseLocked() time.Duration {
	next := f.now() + idle
	for k, q := range f.queues {
		if due, ok := q.soonest(); ok && f.free[k] > 0 {
			next = min(next, due)
		}
	}
	for _, g := range f.gates {
		if len(g.parked) > 0 {
			next = min(next, g.due)
		}
	}
	return max(next-f.now(), 0)
}

// pollLocked lets those who wait at a gate go when it is open for them.
func (f *Finder) pollLocked(g *gate, there presence) {
	if len(g.parked) == 0 || !there.ready && g.due > f.now() {
		return
	}
	g.due = f.now() + g.pause.next()
	if !there.ready && (there.entering || g.heard) {
		return
	}
	for d := range g.parked {
		if there.open(d.kind) {
			f.queueLocked(d, 0)
		} else {
			f.heardLocked(d)
		}
	}
	g.heard = true
}

// parkLocked has a duty wait until there is somebody to ask.
func (f *Finder) parkLocked(d *duty, there presence) {
	g := &f.gates[d.router]
	if g.parked == nil {
		g.parked = map[*duty]struct{}{}
	}
	if len(g.parked) == 0 || d.done == 0 { // for what is new somebody is expected soon
		g.pause = 0
		g.due = f.now() + g.pause.next()
	}
	g.parked[d], d.place = struct{}{}, parked
	if there.entering {
		g.heard = false
	} else {
		f.heardLocked(d)
	}
}

// heardLocked notes that a duty had nobody to ask: who waits for it need not wait for that.
func (f *Finder) heardLocked(d *duty) {
	if d.done < d.s.asked[d.kind] {
		d.done = d.s.asked[d.kind]
		d.s.changedLocked()
	}
}
