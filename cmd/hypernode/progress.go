package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is how far a long work has come, as it is told.
type progress struct {
	Done, Total uint64 // blocks or files; Total 0 is not known yet
	Bytes       uint64
	Peers       int
}

const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 3 * time.Second
)

// report tells how far the work that runs is until ctx ends: as a line that is drawn over when standard error is a
// terminal, else as a line every few seconds.
func (a *app) report(ctx context.Context, noun string, now func() progress) {
	if a.quiet || a.json {
		return
	}
	bar := a.terminal()
	every := lineEvery
	if bar {
		every = barEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	rate := rater{at: time.Now()}
	for {
		select {
		case <-ctx.Done():
			if bar {
				fmt.Fprint(a.stderr, "\r\x1b[K")
			}
			return
		case at := <-tick.C:
			text := rate.describe(at, noun, now())
			if bar {
				fmt.Fprintf(a.stderr, "\r\x1b[K%s", text)
			} else {
				a.say("%s", text)
			}
		}
	}
}

// terminal tells whether standard error is one.
func (a *app) terminal() bool {
	f, ok := a.stderr.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && a.getenv("TERM") != "dumb"
}

// rater measures bytes and items per second, smoothed over a few seconds.
type rater struct {
	at           time.Time
	bytes, items uint64
	byteRate     float64
	itemRate     float64
}

func (r *rater) describe(at time.Time, noun string, p progress) string {
	if s := at.Sub(r.at).Seconds(); s > 0 {
		r.byteRate = smooth(r.byteRate, float64(p.Bytes-min(r.bytes, p.Bytes))/s, s)
		r.itemRate = smooth(r.itemRate, float64(p.Done-min(r.items, p.Done))/s, s)
		r.at, r.bytes, r.items = at, p.Bytes, p.Done
	}
	text := fmt.Sprintf("%s, %s", count(p.Done, noun), size(p.Bytes))
	if p.Total > 0 {
		text = fmt.Sprintf("%d of %s (%d %%), %s", p.Done, count(p.Total, noun), 100*p.Done/p.Total, size(p.Bytes))
	}
	text += fmt.Sprintf(", %s/s", size(uint64(r.byteRate)))
	if left := p.Total - min(p.Done, p.Total); left > 0 && r.itemRate > 0 {
		text += fmt.Sprintf(", %s left", time.Duration(float64(left)/r.itemRate*float64(time.Second)).Round(time.Second))
	}
	return text + ", " + count(uint64(p.Peers), "peer")
}

// smooth is an average in which what was measured over the last seconds s counts the more, the longer it was.
func smooth(old, now, s float64) float64 {
	if old == 0 {
		return now
	}
	w := min(1, s/5)
	return old*(1-w) + now*w
}

// size is a number of bytes for people.
func size(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, names := float64(n)/unit, []string{"KiB", "MiB", "GiB", "TiB"}
	for f >= unit && len(names) > 1 {
		f, names = f/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %s", f, names[0])
}
