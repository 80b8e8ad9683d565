package testnet

import (
	"math/rand/v2"
	"time"
)

// Shape is what one direction of a network does to what passes. The zero value passes everything at once.
type Shape struct {
	// Delay is the time from one end to the other. Up to Jitter is added to it, by chance.
	Delay, Jitter time.Duration

	// Rate is how many bytes a second pass; 0 is no limit.
	Rate int

	// Loss is the chance of each segment, or packet, to be lost: from 0 to 1. A lost segment of a stream comes Retry
	// later; the default is 200 ms and twice the delay.
	Loss  float64
	Retry time.Duration

	// Unsent is how many bytes may wait for the line, when it has a Rate, until a write blocks. The default is 128 KiB.
	Unsent int

	// Window is how many bytes of a stream may be written and not read until a write blocks. The default is 4 MiB.
	Window int

	// Seed is where chance begins.
	Seed uint64
}

const (
	defaultRetry  = 200 * time.Millisecond
	defaultUnsent = 128 << 10
	defaultWindow = 4 << 20

	// segment is the most bytes that pass a stream as one.
	segmentBytes = 16 << 10
)

func (s Shape) withDefaults() Shape {
	if s.Retry <= 0 {
		s.Retry = defaultRetry + 2*s.Delay
	}
	if s.Unsent <= 0 {
		s.Unsent = defaultUnsent
	}
	if s.Window <= 0 {
		s.Window = defaultWindow
	}
	return s
}

// line is the state of one direction: when the next bytes can be sent and will arrive. It is not safe for concurrent use.
type line struct {
	Shape
	rng  *rand.Rand
	free time.Time // when all that was given to it has been sent
}

func newLine(s Shape) line {
	return line{Shape: s.withDefaults(), rng: rand.New(rand.NewPCG(s.Seed, 0))}
}

// send takes n bytes at now, and returns when they arrive and whether they got lost.
func (l *line) send(now time.Time, n int) (arrival time.Time, lost bool) {
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(l.takes(n))
	arrival = l.free.Add(l.Delay)
	if l.Jitter > 0 {
		arrival = arrival.Add(time.Duration(l.rng.Int64N(int64(l.Jitter))))
	}
	return arrival, l.Loss > 0 && l.rng.Float64() < l.Loss
}

// takes is how long n bytes occupy the line.
func (l *line) takes(n int) time.Duration {
	if l.Rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(l.Rate) * float64(time.Second))
}

// until is how long a write has to wait at now, because too much waits for the line.
func (l *line) until(now time.Time) time.Duration {
	if l.Rate <= 0 || !l.free.After(now) {
		return 0
	}
	return l.free.Sub(now) - l.takes(l.Unsent)
}
