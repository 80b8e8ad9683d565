package discovery

import (
	"context"
	"time"
)

// lasting is a Router whose announcements must be made anew from time to time.
type lasting interface{ Lasts() time.Duration }

// beginLocked begins an attempt at a duty, or takes back what was told when nobody wants that any more.
func (f *Finder) beginLocked(ctx context.Context, d *duty) {
	ctx, d.stop = context.WithCancel(ctx)
	d.place, d.begun = underway, d.s.asked[d.kind]
	if d.withdraw = !d.s.wants(d.kind); !d.withdraw {
		d.told = d.kind == announcing
	}
	f.free[d.kind]--
	pause := d.pause
	f.running.Go(func() { f.attempt(ctx, d, pause) })
}

// attempt makes one query, of which d says what it is for.
func (f *Finder) attempt(ctx context.Context, d *duty, pause time.Duration) {
	r := f.o.Routers[d.router]
	found, err := 0, error(nil)
	switch {
	case d.withdraw:
		r.Withdraw(d.s.topic)
	case d.kind == looking:
		found = f.lookOnce(ctx, d.s.topic, r, 2*pause)
	default:
		if err = r.Announce(ctx, d.s.topic); err != nil {
			f.o.Logger.Debug("announcing failed", "network", r.Name(), "reason", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d.stop()
	d.place, d.stop = nowhere, nil
	f.free[d.kind]++
	if d.withdraw {
		d.told = false
	} else {
		d.done = max(d.done, d.begun)
	}
	f.goOnLocked(d, found, err)
	d.s.changedLocked()
	f.dropLocked(d.s)
	f.poke()
}

// goOnLocked says when a duty is to be done again, if it is.
func (f *Finder) goOnLocked(d *duty, found int, err error) {
	switch l, again := f.o.Routers[d.router].(lasting); {
	case !d.s.wants(d.kind):
		if d.told {
			f.queueLocked(d, 0)
		}
	case d.s.asked[d.kind] > d.begun:
		d.pause = f.o.Again
		f.queueLocked(d, 0)
	case d.kind == looking:
		f.queueLocked(d, varied(d.pause))
		factor, most := time.Duration(2), f.o.Seldom
		switch {
		case found > 0:
			factor = 4
		case d.s.hurried(looking):
			most = f.o.Waiting
		}
		d.pause = min(factor*d.pause, max(most, time.Duration(f.looked)*f.o.Apart))
	case err != nil:
		f.queueLocked(d, varied(d.pause))
		d.pause = min(2*d.pause, f.o.Seldom)
	case again:
		f.queueLocked(d, varied(l.Lasts()))
	}
}

// lookOnce makes one lookup and returns how many peers it found. One that has found nobody for a time is given up: it waits for
// nodes that are gone, of which the next one knows.
func (f *Finder) lookOnce(ctx context.Context, t Topic, r Router, barren time.Duration) (found int) {
	ctx, cancel := context.WithTimeout(ctx, f.o.Lookup)
	defer cancel()
	giveUp := time.AfterFunc(barren, cancel)
	defer giveUp.Stop()
	for p := range r.Find(ctx, t) {
		giveUp.Stop()
		found++
		f.found(t, p)
	}
	return found
}
