package replicate

import "time"

// headPatience is how long a want of the newest head waits for a peer that brings it no nearer.
const headPatience = 5 * time.Second

// newest tells whether no peer that was there when a head was wanted has, or may turn out to have, a later one. Peers that come
// later are not waited for: they may come without an end.
func (s *scheduler) newest(w *want) bool {
	for p := range s.coming {
		if p.turn <= w.turn && !p.mute {
			return false
		}
	}
	for p := range s.peers {
		if p.turn <= w.turn && !p.mute && s.mayLead(p) {
			return false
		}
	}
	return true
}

// mayLead tells whether a peer may have a later head than ours.
func (s *scheduler) mayLead(p *peer) bool {
	if !p.synced || len(p.heads) > 0 || len(p.follow) > 0 || !p.probe.IsZero() || s.mayUpgrade(p) || s.moving(p) {
		return true
	}
	acknowledged := p.remote.RemoteLength == s.head.Length || p.noUpgrade >= p.remote.Length
	return p.remote.Fork == s.head.Fork && p.remote.Length > s.head.Length && !acknowledged
}

// detains tells whether a head is wanted that a peer keeps from being the newest.
func (s *scheduler) detains(p *peer) bool {
	if p.mute {
		return false
	}
	if _, coming := s.coming[p]; !coming && !s.mayLead(p) {
		return false
	}
	for w := range s.heads {
		if p.turn <= w.turn {
			return true
		}
	}
	return false
}

// hurry has wants of the newest head wait no longer for peers that have kept them waiting for too long at now.
func (s *scheduler) hurry(now time.Time) {
	lost := false
	check := func(p *peer) {
		switch {
		case !s.detains(p):
			p.detains = time.Time{}
		case p.detains.IsZero():
			p.detains = now
		case now.Sub(p.detains) >= headPatience:
			p.mute, lost = true, true
		}
	}
	for p := range s.coming {
		check(p)
	}
	for p := range s.peers {
		check(p)
	}
	if lost {
		s.settle()
	}
}

// speaks says that a peer has brought a head nearer, and so is worth waiting for.
func (p *peer) speaks() { p.mute, p.detains = false, time.Time{} }
