package replicate

import (
	"sync"
	"time"
)

// Limiter bounds a rate. Its methods are called from several goroutines and must not block.
type Limiter interface {
	// Take counts bytes that were sent or received just now, and returns how long to stop, 0 for not at all.
	Take(bytes int) time.Duration
}

// urgentDebt is how far what is urgent goes beyond a rate: what passes in that time. Single blocks do not wait behind a copy; many
// of them do not make a rate void.
const urgentDebt = time.Second

// Rate is a Limiter of so many bytes per second, which lets a burst through after a pause. Urgent answers and requests are
// counted, and held back only once they are a second ahead of the rate.
type Rate struct {
	perSecond float64
	burst     float64

	mu   sync.Mutex
	debt float64 // bytes beyond the rate; below 0 is room for a burst
	at   time.Time
}

// NewRate returns a Rate. A rate of 0 or less is no limit.
func NewRate(bytesPerSecond, burst int) *Rate {
	return &Rate{perSecond: float64(bytesPerSecond), burst: float64(max(burst, 0))}
}

// Take implements [Limiter].
func (r *Rate) Take(bytes int) time.Duration {
	if r.perSecond <= 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.at.IsZero() {
		r.debt = -r.burst
	} else {
		r.debt = max(r.debt-now.Sub(r.at).Seconds()*r.perSecond, -r.burst)
	}
	r.at = now
	if r.debt += float64(bytes); r.debt <= 0 {
		return 0
	}
	return time.Duration(r.debt / r.perSecond * float64(time.Second))
}
