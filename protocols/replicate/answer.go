package replicate

import (
	"errors"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/wire"
)

// maxMisses is how many answers of a peer may not fit the tree before it is blamed. Honest ones do not when the tree has moved
// between request and answer.
const maxMisses = 64

// data takes in that an answer came. It returns the request, nil when there was none, and what is to be done with the answer;
// verdict is called after that.
func (s *scheduler) data(p *peer, proof *merkle.Proof, size int, now time.Time) (a *ask, o outcome) {
	if proof.Request == 0 {
		return nil, s.unasked(p, proof, size)
	}
	a = p.asks[proof.Request]
	if a == nil {
		return nil, takeNot
	}
	p.credit = min(p.credit+size, giftMost)
	s.land(p, a)
	a.arrived = true
	p.pace.answered(a.at, now)
	if a.isBlock {
		p.pace.came(size, a.at, now)
		if proof.Block != nil {
			a.value = len(proof.Block.Value)
		}
	}
	p.heard, p.stalled = now, false
	if r := &p.reached[a.class()]; a.at.After(*r) {
		*r = a.at
	}
	if proof.Answers(a.request) {
		return a, takeAnswer
	}
	s.drop(p, a)
	s.retry(a)
	s.blame(p, now)
	return nil, takeNot
}

// noData takes in that a peer does not answer a request.
// It returns the later fork about which the peer could not tell more, 0 for other requests.
func (s *scheduler) noData(p *peer, m wire.NoData) (stuck uint64) {
	a := p.asks[m.Request]
	if a == nil {
		return 0
	}
	if a.request.Fork > s.head.Fork && a.request.Hash != nil {
		stuck = a.request.Fork
	}
	if a.request.Upgrade != nil && a.request.Fork == s.head.Fork {
		p.noUpgrade = p.remote.Length
	}
	s.drop(p, a)
	switch {
	case a.seek != nil:
		a.seek.refused[p]++
	case !a.isBlock:
	case m.Reason == wire.ReasonInvalid && a.predicted:
		s.exact[a.block()] = true
	default:
		p.have.Drop(a.block(), a.block()+1)
		if m.Reason == wire.ReasonInvalid {
			s.strike(a.block(), maxStrikes)
		}
	}
	s.retry(a)
	s.settle()
	return stuck
}

// verdict takes in what became of an answer; a is nil for one that was not asked for.
func (s *scheduler) verdict(p *peer, a *ask, v core.Verdict, now time.Time) {
	if v.Applied && v.Err == nil && (a == nil || a.request.Upgrade != nil || a.request.Manifest) {
		s.manifest = true
	}
	if a == nil {
		s.probed(p, v)
		s.settle()
		return
	}
	s.drop(p, a)
	if !a.isBlock && v.Err == nil && (v.Applied || v.Next != nil) {
		p.speaks()
	}
	p.gave = p.gave || a.isBlock && v.Err == nil && v.Applied
	if a.request.Upgrade != nil && v.Err == nil {
		p.noUpgrade, s.idlers = 0, 0 // it was only late, and may have been overtaken by a shorter one
		if v.Upgraded {
			s.leads(p)
		}
	}
	switch {
	case errors.Is(v.Err, core.ErrConflict):
		s.retry(a)
	case v.Err != nil:
		s.refused(p, a, v.Err, now)
	case v.Next != nil:
		p.follow = append(p.follow, v.Next)
	case !v.Applied:
		s.retry(a)
	case a.seek != nil:
		a.seek.found = true
	case a.isBlock && (len(s.waiting[a.block()]) > 0 || s.flying[a.block()] == 0):
		s.came(a.block(), a.value)
	}
	s.settle()
}

// refused asks again for what a proof that did not hold was to bring. One that does not fit the tree may be nobody's fault.
func (s *scheduler) refused(p *peer, a *ask, err error, now time.Time) {
	if a.isBlock {
		s.exact[a.block()] = true
	} else if a.seek != nil {
		a.seek.refused[p]++
	} else if a.request.Upgrade != nil {
		p.noUpgrade = p.remote.Length
	}
	if errors.Is(err, merkle.ErrInvalidOperation) && (a.predicted || p.misses < maxMisses) {
		if !a.predicted {
			p.misses++
		}
		s.retry(a)
		return
	}
	s.blame(p, now)
	s.retry(a)
}

// blame leaves a peer whose data was bad, but for one question first: does it know another history of the core? Then not the
// peer is to blame.
func (s *scheduler) blame(p *peer, now time.Time) {
	n := min(s.head.Length, p.remote.Length)
	if !p.probe.IsZero() {
		return
	}
	if n == 0 || p.remote.Fork != s.head.Fork {
		p.fault = ErrBadPeer
		return
	}
	p.probe = now
	p.follow = []*merkle.Request{{Fork: s.head.Fork, Upgrade: &merkle.UpgradeRequest{Length: n}}}
	for _, a := range p.all() {
		s.drop(p, a)
		s.retry(a)
	}
}

// probed takes in the answer to that question, or a proof that the peer has sent for others to see.
func (s *scheduler) probed(p *peer, v core.Verdict) {
	if !p.probe.IsZero() && !errors.Is(v.Err, core.ErrConflict) {
		p.fault = ErrBadPeer
	}
}
