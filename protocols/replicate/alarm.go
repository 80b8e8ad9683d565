package replicate

import (
	"context"
	"time"
)

// applyLoop applies what comes in until ctx ends, and looks after what is late. Its timer runs only while something may get
// late.
func (st *stream) applyLoop(ctx context.Context) {
	defer st.inbox.close()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	armed := false
	for {
		var err error
		select {
		case <-st.inbox.some:
			err = st.applyAll(ctx)
		case <-st.alarm:
			if !armed {
				armed = true
				timer.Reset(tickEvery)
			}
		case now := <-timer.C:
			st.applying.take()
			armed, err = st.tick(ctx, now)
			st.applying.pass()
			if armed {
				timer.Reset(tickEvery)
			}
		case <-ctx.Done():
			return
		}
		if err != nil {
			st.fail(err)
			return
		}
	}
}

// tick does what is due at now, and tells whether there is more to come. The goroutine that applies calls it.
func (st *stream) tick(ctx context.Context, now time.Time) (more bool, err error) {
	more = st.rejectDue(now)
	links, paused := st.snapshot(now)
	for _, l := range links {
		more = l.tick(now) || more
		if l.requests.waits(true) { // for what the rate allows
			more = true
			st.queue(l)
		}
		if err := l.retryParked(ctx); err != nil {
			return more, err
		}
	}
	if st.retiring.Load() && !st.retire(links, now) {
		more = true
	}
	if !paused {
		st.mux.Wake()
	}
	return more || paused, nil
}

// snapshot returns the links, and whether answers are being held back.
func (st *stream) snapshot(now time.Time) (links []*link, paused bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, l := range st.links {
		links = append(links, l)
	}
	return links, len(st.bulk) > 0 && now.Before(st.resume)
}

// retireTime is how long a stream that is given up goes on at most.
const retireTime = 10 * time.Second

// retire ends a stream that is given up, once nothing is under way on it, and returns true then.
func (st *stream) retire(links []*link, now time.Time) bool {
	st.mu.Lock()
	late := now.Sub(st.retired) > retireTime
	st.mu.Unlock()
	for _, l := range links {
		if !late && !l.idle() {
			return false
		}
	}
	if !late && st.mux.Unsent() > 0 {
		return false
	}
	st.mux.Close()
	return true
}
