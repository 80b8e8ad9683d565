package datastore

import (
	"fmt"
	"time"
)

// space keeps updates from filling the medium up. It belongs to the leader.
type space struct {
	spacer  Spacer // nil when the engine does not know
	reserve int64
	now     func() time.Time

	asked time.Time
	left  int64 // bytes above the reserve when last asked, less what was written since
	trust int64 // bytes that may be written before asking again
	err   error // of the last time that asked
}

const (
	askEvery = 100 * time.Millisecond
	askShare = 8 // ask again when this part of what is left has been written
)

func (s *space) init(e Engine, reserve int64) {
	s.spacer, _ = e.(Spacer)
	s.reserve = reserve
	s.now = time.Now
}

// admit returns ErrNoSpace when there is no room for an update of n bytes. One that only removes is let into the
// reserve: it is how space comes back.
func (s *space) admit(n int, removes bool) error {
	if s.spacer == nil || removes {
		return nil
	}
	if now := s.now(); s.asked.IsZero() || now.Sub(s.asked) >= askEvery || s.trust < int64(n) && s.left >= int64(n) {
		s.ask(now)
	}
	if s.err != nil {
		return s.err
	}
	if s.left < int64(n) {
		return fmt.Errorf("%w: %d bytes are left above the reserve", ErrNoSpace, max(s.left, 0))
	}
	s.left -= int64(n)
	s.trust -= int64(n)
	return nil
}

func (s *space) ask(now time.Time) {
	free, total, err := s.spacer.Free()
	s.asked, s.err = now, nil
	if err != nil {
		s.err = fmt.Errorf("asking for free space: %w", err)
		return
	}
	const most = 1 << 62 // keeps the differences within an int64
	s.left = int64(min(free, most)) - s.reserved(int64(min(total, most)))
	s.trust = s.left / askShare
}

func (s *space) reserved(total int64) int64 {
	switch {
	case s.reserve < 0:
		return 0
	case s.reserve == 0:
		return min(DefaultReserve, total/10)
	}
	return s.reserve
}
