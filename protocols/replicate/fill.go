package replicate

import (
	"context"
	"slices"
	"time"
)

// fill gives the stream what is to be sent next, until there is no more room or nothing more to send: first, of all channels,
// what must not wait; then answers, each channel in turn.
func (st *stream) fill(ctx context.Context) {
	st.openAll()
	for !st.fillFirst(ctx) {
		l := st.takeBulk(time.Now())
		if l == nil {
			return
		}
		more, full := l.fillBulk(ctx)
		if more {
			st.queueBulk(l)
		}
		if full {
			return
		}
	}
}

// fillFirst returns true when there is no more room.
func (st *stream) fillFirst(ctx context.Context) (full bool) {
	for l := st.takeReady(); l != nil; l = st.takeReady() {
		more, full := l.fillFirst(ctx)
		if l.requests.waits(false) || len(l.bulk) > 0 {
			st.queueBulk(l)
		}
		if more {
			st.queue(l)
		}
		if full {
			return true
		}
	}
	return false
}

func (st *stream) takeReady() *link {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.ready) == 0 {
		return nil
	}
	l := st.ready[0]
	st.ready = slices.Delete(st.ready, 0, 1)
	l.queued = false
	return l
}

// takeBulk returns nil also while the rate is used up.
func (st *stream) takeBulk(now time.Time) *link {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.bulk) == 0 {
		return nil
	}
	if now.Before(st.resume) {
		st.arm()
		return nil
	}
	l := st.bulk[0]
	st.bulk = slices.Delete(st.bulk, 0, 1)
	l.bulking = false
	return l
}

// queue has a channel looked at when the stream takes something.
func (st *stream) queue(l *link) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !l.queued {
		l.queued = true
		st.ready = append(st.ready, l)
	}
}

func (st *stream) queueBulk(l *link) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !l.bulking {
		l.bulking = true
		st.bulk = append(st.bulk, l)
	}
}

// mayAnswer tells whether urgent answers may be sent. Else the stream is looked after until they may.
func (st *stream) mayAnswer(now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.resume.Sub(now) <= urgentDebt {
		return true
	}
	st.arm()
	return false
}

// pause holds back answers that are not urgent for a time.
func (st *stream) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	st.mu.Lock()
	st.resume = time.Now().Add(d)
	st.mu.Unlock()
	st.arm()
}

// wakeAll has all channels looked at.
func (st *stream) wakeAll() {
	st.mu.Lock()
	for _, l := range st.links {
		if !l.queued {
			l.queued = true
			st.ready = append(st.ready, l)
		}
	}
	st.mu.Unlock()
	st.mux.Wake()
}
