package replicate

import (
	"time"

	"github.com/hypernode/hypernode/core/merkle"
)

// next returns what to send to a peer now; ok is false when there is nothing, or nothing it can take yet.
func (s *scheduler) next(p *peer, now time.Time) (m message, ok bool) {
	if _, joined := s.peers[p]; !joined || !s.loaded {
		return m, false
	}
	if m, ok = s.nextSync(p); ok {
		return m, true
	}
	if m, ok = s.nextNews(p); ok {
		return m, true
	}
	if m, ok = s.nextReply(p); ok {
		return m, true
	}
	if m, ok = s.nextTail(p); ok {
		return m, true
	}
	if p.retired || !p.probe.IsZero() && len(p.follow) == 0 {
		return m, false
	}
	return s.nextAsk(p, now)
}

// nextAsk returns the next request.
func (s *scheduler) nextAsk(p *peer, now time.Time) (m message, ok bool) {
	if m, ok = s.nextFollow(p, now); ok {
		return m, true
	}
	if m, ok = s.nextFork(p, now); ok {
		return m, true
	}
	if m, ok = s.nextUpgrade(p, now); ok {
		return m, true
	}
	if m, ok = s.nextSeek(p, now); ok {
		return m, true
	}
	if m, ok = s.nextWant(p, now); ok {
		return m, true
	}
	return s.nextBlock(p, now)
}

// unsureOf returns the length of a peer from which it is not sure that the way to our head can be proven. The caller finds out.
func (s *scheduler) unsureOf(p *peer) (length uint64, unsure bool) {
	n := p.remote.Length
	unsure = p.synced && s.loaded && !p.provable && p.remote.Fork == s.head.Fork && n > s.contiguous() && n < s.head.Length
	now := [3]uint64{n, s.head.Length, s.contiguous()}
	if unsure = unsure && p.checked != now; unsure {
		p.checked = now
	}
	return n, unsure
}

// canUpgrade tells whether the way from the peer's length to our head can be proven.
func (s *scheduler) canUpgrade(p *peer) bool {
	n := p.remote.Length
	if s.head.Fork != p.remote.Fork || n >= s.head.Length && n > 0 {
		return false
	}
	return n <= s.contiguous() || p.provable
}

// send makes a request of q, which is for a head or for nodes.
func (s *scheduler) send(p *peer, q *merkle.Request, now time.Time) *ask {
	a := &ask{request: q}
	s.sendAsk(p, a, now)
	p.heads[a] = struct{}{}
	return a
}

func (s *scheduler) sendAsk(p *peer, a *ask, now time.Time) {
	s.ids++
	a.request.ID, a.at = s.ids, now
	p.asks[s.ids] = a
	p.load.Add(1)
	if a.request.Priority > 0 {
		p.haste.begin(now)
	}
}

// nextFollow sends what the verdict on a proof asks for, and conflict probes, whose number is 0.
func (s *scheduler) nextFollow(p *peer, now time.Time) (m message, ok bool) {
	if len(p.follow) == 0 {
		return m, false
	}
	q := p.follow[0]
	p.follow = p.follow[1:]
	if p.probe.IsZero() {
		s.send(p, q, now)
	}
	return message{request: q}, true
}

func (s *scheduler) canAsk(p *peer) bool {
	return p.synced && !p.retired && p.remote.Uploading && p.probe.IsZero() && p.fault == nil && p.remote.Fork == s.head.Fork
}

func (s *scheduler) mayUpgrade(p *peer) bool {
	return s.canAsk(p) && p.remote.CanUpgrade && p.remote.Length > s.head.Length && p.noUpgrade < p.remote.Length
}
