package replicate

import (
	"time"
)

// probeTime is how long the question after another history may stay without an answer.
const probeTime = 5 * time.Second

// tick looks after what is late at now: a block whose peer is slow is asked of others too, of one at first, then of twice as many
// each time: most of the peers may be as bad as the first.
func (s *scheduler) tick(now time.Time) {
	best := s.best()
	for p := range s.peers {
		slow := max(minSlow, 4*best, min(4*p.pace.usual, mostSlow))
		if !p.hold.IsZero() && !now.Before(p.hold) {
			p.hold = time.Time{}
		}
		if !p.probe.IsZero() && now.Sub(p.probe) > probeTime {
			p.fault = ErrBadPeer
			continue
		}
		if p.pace.rate == 0 && !p.gave {
			slow = max(slow, newSlow)
		}
		for _, a := range p.asks {
			if a.request.Upgrade != nil && p.pace.trip == 0 && now.Sub(a.at) >= s.newcomerTime() {
				s.late(p, a)
			}
			if now.Sub(a.at) < slow || now.Before(a.again) {
				continue
			}
			silent := now.Sub(p.heard) >= slow
			passedOver := p.reached[a.class()].Sub(a.at) >= slow
			if !silent && !passedOver && !p.pace.behind(p.bytes) {
				continue // behind others on a slow line
			}
			p.stalled = p.stalled || silent
			a.again = now.Add(slow)
			s.late(p, a)
		}
	}
	s.hurry(now)
}

// best is the usual time to an answer of the fastest peer. By its measure, and by a peer's own up to mostSlow, an answer is
// late.
func (s *scheduler) best() (best time.Duration) {
	for p := range s.peers {
		if u := p.pace.usual; u > 0 && (best == 0 || u < best) {
			best = u
		}
	}
	return best
}

// newcomerTime is how long a peer that has answered nothing yet keeps others from being asked for a head: the less, the more of
// them have given none one after the other.
func (s *scheduler) newcomerTime() time.Duration { return newcomer >> min(s.idlers, 2) }

func (s *scheduler) late(p *peer, a *ask) {
	if a.request.Upgrade != nil && s.upgrader == p {
		s.upgrader, s.dirty = nil, true
		p.noUpgrade = p.remote.Length
		s.idlers++
		return
	}
	if a.seek != nil {
		a.seek.seeking, s.dirty = false, true
		return
	}
	if !a.isBlock || s.hedged[a.block()] > 0 {
		return
	}
	for other := range s.peers {
		if other != p && s.canAsk(other) && !other.stalled && other.have.Has(a.block()) && other.blocks[a.block()] == nil {
			if !a.hedged {
				a.hedged = true
				p.owes++
			}
			s.hedged[a.block()] = s.flying[a.block()]
			s.urgent, s.dirty = append(s.urgent, a.block()), true
			return
		}
	}
}

// yields tells whether a peer that is not proven yet leaves something to another one: one that is, or has been here for longer.
func (s *scheduler) yields(p *peer, proven, suits func(p *peer) bool) bool {
	if proven(p) {
		return false
	}
	for other := range s.peers {
		if other != p && (proven(other) || other.turn < p.turn) && !other.stalled && s.canAsk(other) && suits(other) {
			return true
		}
	}
	return false
}

// answers tells whether a peer has answered anything, and gives whether it has given blocks and is late with none: some answer, and
// give none, or not all.
func (p *peer) answers() bool { return p.pace.trip > 0 }
func (p *peer) gives() bool   { return p.gave && p.owes == 0 }
