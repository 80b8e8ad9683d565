package secretstream

import "time"

const (
	// MaxMessage is the most bytes of a message on a secret stream: a frame has a length of 24 bits.
	MaxMessage = maxFrame - overhead

	maxFrame = 1<<24 - 1

	// minBuffer is what an idle direction keeps, maxBuffer up to what a busy one grows. A single larger frame makes it
	// grow beyond, with the bytes that arrive.
	minBuffer = 4 << 10
	maxBuffer = 256 << 10

	// smallUse is how much of a buffer counts as little use, and calmUses after how many such uses it shrinks.
	smallUse = 2 << 10
	calmUses = 8

	// minProgress is how much of a frame must pass within a Limits.Stall, when the frame is longer.
	minProgress = 16 << 10
)

// Limits bound what a peer may do to a stream. The zero value has the defaults.
type Limits struct {
	// MaxMessage is the most bytes of a message that is read. The default, and the most, is MaxMessage.
	MaxMessage int

	// Stall is how long a frame that has begun may take for its end or the next 16 KiB to come, and what is sent for
	// its end or the next 16 KiB to be taken. The default is 30 s; less than 0 is no limit.
	Stall time.Duration

	// Idle is how long the peer may be silent between frames. The default is no limit.
	Idle time.Duration

	// KeepAlive is after how long without a message an empty one is sent. The default is 15 s; less than 0 is never.
	KeepAlive time.Duration
}

const (
	defaultStall     = 30 * time.Second
	defaultKeepAlive = 15 * time.Second
	defaultHandshake = 10 * time.Second
)

func (l Limits) withDefaults() Limits {
	if l.MaxMessage <= 0 || l.MaxMessage > MaxMessage {
		l.MaxMessage = MaxMessage
	}
	l.Stall = orDefault(l.Stall, defaultStall)
	l.KeepAlive = orDefault(l.KeepAlive, defaultKeepAlive)
	return l
}

// orDefault returns def for 0 and 0 for less.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return max(d, 0)
}
