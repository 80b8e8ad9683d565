package main

import (
	"context"
	"fmt"
	"os"
	"strings"
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
	jsonEvery = time.Second
)

// report tells how far the work that runs is until ctx ends: as a bar that is drawn over when standard error is a terminal, else as
// a line every few seconds; with --json as a document on standard error every second.
func (a *app) report(ctx context.Context, noun string, now func() progress) {
	if a.quiet {
		return
	}
	every := lineEvery
	switch {
	case a.json:
		every = jsonEvery
	case a.terminal():
		every = barEvery
		defer a.draw("")
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var rate rater
	rate.describe(noun, now())
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			switch p := now(); {
			case a.json:
				a.tell(progressReport{rate.report(p)})
			case a.terminal():
				a.draw(bar(p, rate.describe(noun, p), a.width()))
			default:
				a.say("%s", rate.describe(noun, p))
			}
		}
	}
}

// eraseLine goes to the beginning of a terminal's line and empties it.
const eraseLine = "\r\x1b[K"

// draw puts a text in the place of the last line of the terminal, where the next one goes too. An empty one takes it away.
func (a *app) draw(line string) {
	a.talk.Lock()
	defer a.talk.Unlock()
	if line != "" || a.drawn {
		fmt.Fprint(a.stderr, eraseLine+line)
	}
	a.drawn = line != ""
}

// progressReport is how far a work is, with --json.
type progressReport struct {
	Progress progressDocument `json:"progress"`
}

type progressDocument struct {
	Done       uint64  `json:"done"`
	Total      uint64  `json:"total,omitempty"` // left out while it is not known
	Bytes      uint64  `json:"bytes"`
	TotalBytes uint64  `json:"total_bytes,omitempty"`
	Rate       uint64  `json:"rate"` // bytes a second
	Left       float64 `json:"seconds_left,omitempty"`
	Peers      *int    `json:"peers,omitempty"` // left out for a work that has none
}

// foreseeable is the longest time that is foretold: what stands still would take years.
const foreseeable = 100 * time.Hour

// barWidth is the most characters of a bar.
const barWidth = 20

// bar puts a bar before what is told of a work, and cuts it so that the line fits: one that does not could not be drawn over.
func bar(p progress, text string, width int) string {
	done, total := p.Done, p.Total
	if p.TotalBytes > 0 {
		done, total = min(p.Bytes, p.TotalBytes), p.TotalBytes
	}
	if total > 0 && width > 3*barWidth {
		full := int(float64(barWidth) * float64(min(done, total)) / float64(total))
		text = "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + text
	}
	if line := []rune(text); len(line) >= width {
		return string(line[:max(width-1, 0)])
	}
	return text
}

// width is the width of the terminal that standard error is.
func (a *app) width() int {
	const usual = 80
	if f, ok := a.stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return usual
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

// count takes what is done now, and returns the rate in bytes a second and the time that is left, 0 when nothing is known.
func (r *rater) count(p progress) (rate float64, left time.Duration) {
	r.meter.Set(core.Progress{Blocks: p.Done, Total: p.Total, Bytes: p.Bytes, Peers: p.Peers})
	now := r.meter.Progress()
	if left = now.Left; p.TotalBytes > 0 {
		left = 0
	}
	if rest := p.TotalBytes - min(p.Bytes, p.TotalBytes); rest > 0 && now.Rate > 0 {
		left = time.Duration(min(float64(rest)/float64(now.Rate), foreseeable.Seconds()+1) * float64(time.Second))
	}
	if left > foreseeable {
		left = 0
	}
	return float64(now.Rate), left
}

func (r *rater) report(p progress) progressDocument {
	rate, left := r.count(p)
	d := progressDocument{Done: p.Done, Total: p.Total, Bytes: p.Bytes, TotalBytes: p.TotalBytes, Rate: uint64(rate), Left: left.Round(time.Second).Seconds()}
	if p.Peers != alone {
		d.Peers = &p.Peers
	}
	return d
}

func (r *rater) describe(noun string, p progress) string {
	rate, left := r.count(p)
	text := fmt.Sprintf("%s, %s", count(p.Done, noun), size(p.Bytes))
	switch {
	case p.TotalBytes > 0: // which tell more than the number of items
		done := min(p.Bytes, p.TotalBytes)
		text = fmt.Sprintf("%d of %s, %s of %s (%d %%)", p.Done, count(p.Total, noun), size(done), size(p.TotalBytes), 100*done/p.TotalBytes)
	case p.Total > 0:
		text = fmt.Sprintf("%d of %s (%d %%), %s", p.Done, count(p.Total, noun), 100*p.Done/p.Total, size(p.Bytes))
	}
	text += fmt.Sprintf(", %s/s", size(uint64(rate)))
	if left > 0 {
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text + peersOf(p)
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
