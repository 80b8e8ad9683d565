package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/hypernode/hypernode/core"
)

// progress is how far a long work has come, as it is told.
type progress struct {
	Done, Total uint64 // blocks or files; Total 0 is not known yet
	Bytes       uint64
	TotalBytes  uint64 // 0 is not known, and then nothing is foretold by it
	Peers       int    // alone when none are to be expected
}

// alone is the number of peers of a work that has none.
const alone = -1

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
	var rate rater
	rate.describe(noun, now())
	for {
		select {
		case <-ctx.Done():
			if bar {
				fmt.Fprint(a.stderr, "\r\x1b[K")
			}
			return
		case <-tick.C:
			text := rate.describe(noun, now())
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
	if !ok {
		return a.onTerminal
	}
	return term.IsTerminal(int(f.Fd())) && a.getenv("TERM") != "dumb"
}

// rater measures how fast a work goes.
type rater struct{ meter core.Meter }

func (r *rater) describe(noun string, p progress) string {
	r.meter.Set(core.Progress{Blocks: p.Done, Total: p.Total, Bytes: p.Bytes, Peers: p.Peers})
	now := r.meter.Progress()
	if p.TotalBytes > 0 {
		return describeBytes(noun, p, float64(now.Rate)) + peersOf(p)
	}
	text := fmt.Sprintf("%s, %s", count(p.Done, noun), size(p.Bytes))
	if p.Total > 0 {
		text = fmt.Sprintf("%d of %s (%d %%), %s", p.Done, count(p.Total, noun), 100*p.Done/p.Total, size(p.Bytes))
	}
	text += fmt.Sprintf(", %s/s", size(uint64(now.Rate)))
	if now.Left > 0 {
		text += fmt.Sprintf(", %s left", now.Left.Round(time.Second))
	}
	return text + peersOf(p)
}

// describeBytes tells of a work of which it is known how many bytes it has: they tell more than the number of items.
func describeBytes(noun string, p progress, rate float64) string {
	done := min(p.Bytes, p.TotalBytes)
	text := fmt.Sprintf("%d of %s, %s of %s (%d %%), %s/s", p.Done, count(p.Total, noun), size(done), size(p.TotalBytes),
		100*done/p.TotalBytes, size(uint64(rate)))
	if left := p.TotalBytes - done; left > 0 && rate > 0 {
		text += fmt.Sprintf(", %s left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	return text
}

func peersOf(p progress) string {
	if p.Peers == alone {
		return ""
	}
	return ", " + count(uint64(p.Peers), "peer")
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
