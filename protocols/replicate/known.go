package replicate

import (
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/protocols/wire"
)

// What a peer seems to have it is not told of. That may be wrong: it is of a fork before, and the peer has not said yet what
// went. So what was left out is remembered, and the peer is told of it once it turns out not to have it.

// ranged takes in an announcement. What the peer was asked for and has no more is asked of others; and what it has no more and
// is here it is told of.
func (s *scheduler) ranged(p *peer, m wire.Range) {
	p.have.Range(m)
	if !m.Drop {
		return
	}
	s.remind(p, m.Start, m.Start+m.Length)
	for i, a := range p.blocks {
		if i >= m.Start && i-m.Start < m.Length && !a.arrived {
			p.cancels = append(p.cancels, a.request.ID)
			s.drop(p, a)
			s.retry(a)
		}
	}
}

// mapped takes in a bitfield, which says of all its blocks whether the peer has them.
func (s *scheduler) mapped(p *peer, m wire.Bitfield) {
	p.have.Bitfield(m)
	s.lost(p, m.Start, m.Start+8*uint64(len(m.Bits)))
}

// leaveOut remembers that the peer was not told of a range: as part of the shortest one that has all of them.
func (p *peer) leaveOut(r core.Range) {
	if p.unsaid.Start == p.unsaid.End {
		p.unsaid = r
		return
	}
	p.unsaid = core.Range{Start: min(p.unsaid.Start, r.Start), End: max(p.unsaid.End, r.End)}
}

// lost tells a peer that may have [start, end) no more of what it was not told there.
func (s *scheduler) lost(p *peer, start, end uint64) {
	if start, end = max(start, p.unsaid.Start), min(end, p.unsaid.End); start < end && p.have.NextUnset(start) < end {
		s.remind(p, start, end)
	}
}

// remind tells a peer again which blocks of [start, end) are held.
func (s *scheduler) remind(p *peer, start, end uint64) {
	if n := s.head.Length; start < n && s.contiguous() >= n {
		p.tell(wire.Range{Length: n})
		return
	}
	for from, to := range s.held.Runs(start, end) {
		if !p.tell(wire.Range{Start: from, Length: to - from}) {
			return
		}
	}
}
