package core

import (
	"math"
	"sync"
	"time"
)

// Meter tells how far a Want is: put one into Want.Meter, and look at it from any goroutine while the download runs and
// after it. The zero value is ready. A meter is for one Want at a time.
type Meter struct {
	mu     sync.Mutex // guards what follows
	now    Progress   // but for Left
	blocks float64    // per second of late

	at    time.Time // when the rates were measured last
	since Progress  // what had come by then
}

// Progress is how far a download has come.
type Progress struct {
	// Blocks have come of the Total that were missing at the start. Total is 0 while the download has not begun, and
	// beyond 2^53 for one without an end.
	Blocks, Total uint64

	// Bytes is the size of the blocks that came, as they are stored: encrypted ones with their padding.
	Bytes uint64

	// Rate is how many bytes a second came of late, over some seconds.
	Rate float64

	// Left is how long the rest takes if it goes on like that: 0 when all is here, less than 0 when nobody can tell.
	Left time.Duration

	// Peers is with how many the core is exchanged.
	Peers int
}

const (
	// meterSpan is about how many seconds the rates of a Meter look back.
	meterSpan = 3.0

	// meterEvery is how long they are measured at least.
	meterEvery = 100 * time.Millisecond
)

// Set takes in how far the download is, and begins it: a Source calls it when something has changed. Rate and Left of p
// are ignored.
func (m *Meter) Set(p Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at.IsZero() || p.Blocks < m.now.Blocks || p.Bytes < m.now.Bytes {
		m.at, m.since = time.Now(), p
	}
	p.Rate = m.now.Rate
	m.now = p
	m.measureLocked()
}

// Progress returns how far the download is.
func (m *Meter) Progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.measureLocked()
	p := m.now
	switch left := float64(p.Total - min(p.Blocks, p.Total)); {
	case left == 0 && p.Total > 0:
	case left > 1<<53 || left >= m.blocks*1e9 || p.Total == 0:
		p.Left = -1
	default:
		p.Left = time.Duration(left / m.blocks * float64(time.Second))
	}
	return p
}

// measureLocked brings the rates up to date: what came since they were measured counts the more, the longer that is ago.
func (m *Meter) measureLocked() {
	if m.at.IsZero() {
		return
	}
	now := time.Now()
	d := now.Sub(m.at)
	if d < meterEvery {
		return
	}
	weight := 1 - math.Exp(-d.Seconds()/meterSpan)
	if m.now.Rate == 0 && m.blocks == 0 {
		weight = 1
	}
	m.now.Rate += (float64(m.now.Bytes-m.since.Bytes)/d.Seconds() - m.now.Rate) * weight
	m.blocks += (float64(m.now.Blocks-m.since.Blocks)/d.Seconds() - m.blocks) * weight
	m.at, m.since = now, m.now
}
