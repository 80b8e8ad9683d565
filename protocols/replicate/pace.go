package replicate

import "time"

// pace measures how fast one peer answers, and says how much to ask of it at once.
type pace struct {
	trip  time.Duration // lowest from request to answer
	usual time.Duration // the same on average
	rate  float64       // bytes per second, the highest of late
	bytes int           // that came since
	since time.Time
}

const (
	firstWindow = 32 << 10 // until the first block
	minWindow   = 1 << 20
	slackTime   = 20 * time.Millisecond // for which a peer has enough to do while nothing is asked: others may have the CPU
	slackWindow = 8 << 20               // the most for that
	slowWindow  = 64 << 10              // of a peer that would take longer than slowTime for minWindow
	slowTime    = 500 * time.Millisecond
	maxWindow   = 32 << 20
	minSample   = 50 * time.Millisecond
	newcomer    = 300 * time.Millisecond // a peer that has answered nothing yet keeps others from being asked for a head
	mostSlow    = 5 * time.Second
	newSlow     = 2 * time.Second // for one that has not shown its rate, and has given no block
	minSlow     = time.Second
)

// answered takes in that what was asked at asked was answered at now.
func (p *pace) answered(asked, now time.Time) {
	trip := max(now.Sub(asked), time.Microsecond)
	if p.trip == 0 || trip < p.trip {
		p.trip = trip
	}
	if p.usual == 0 {
		p.usual = trip
	}
	p.usual += (trip - p.usual) / 8
}

// came takes in that size bytes came at now for what was asked at asked.
func (p *pace) came(size int, asked, now time.Time) {
	if p.since.IsZero() {
		p.since = asked
	}
	p.bytes += size
	if d := now.Sub(p.since); d >= max(minSample, p.trip) {
		p.rate = max(p.rate*0.9, float64(p.bytes)/d.Seconds())
		p.bytes, p.since = 0, now
	}
}

// idle says that nothing is asked, so that the time that passes says nothing of the rate.
func (p *pace) idle() { p.bytes, p.since = 0, time.Time{} }

// window is how many bytes may be asked for and not have come: twice what is under way when the peer is never idle, and what
// comes in slackTime unless in haste.
func (p *pace) window(haste bool) int {
	if p.rate == 0 && p.bytes == 0 {
		return firstWindow
	}
	least := float64(minWindow)
	if p.rate > 0 {
		least = max(slowWindow, min(least, p.rate*slowTime.Seconds()))
		if !haste {
			least = max(least, min(slackWindow, p.rate*slackTime.Seconds()))
		}
	}
	return int(min(max(2*p.rate*p.trip.Seconds(), least), maxWindow))
}

// behind tells whether a peer will take very long for the bytes that it was asked for.
func (p *pace) behind(bytes int) bool {
	return p.rate > 0 && float64(bytes)/p.rate > mostSlow.Seconds()
}
