package replicate

import (
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/protocols/wire"
)

// nextUpgrade asks for a longer head, one peer at a time.
func (s *scheduler) nextUpgrade(p *peer, now time.Time) (m message, ok bool) {
	if s.upgrader != nil || p.target > 0 || !s.mayUpgrade(p) || s.tailComes(s.tailer) || s.yields(p, (*peer).answers, s.mayUpgrade) {
		return m, false
	}
	q := &merkle.Request{
		Fork: s.head.Fork, Manifest: !s.manifest,
		Upgrade: &merkle.UpgradeRequest{Start: s.head.Length, Length: p.remote.Length - s.head.Length},
	}
	s.upgrader, p.target, p.after = p, p.remote.Length, 0
	s.send(p, q, now)
	return message{request: q}, true
}

// nextWant asks to be told of blocks that are wanted and of which the peer has said nothing.
func (s *scheduler) nextWant(p *peer, _ time.Time) (m message, ok bool) {
	if !s.canAsk(p) || len(p.asked) >= wire.MaxWants {
		return m, false
	}
	for _, i := range s.urgent {
		if m, ok := s.askAbout(p, i); ok {
			return m, true
		}
	}
	for i, ok := s.bulk.NextSet(0); ok && i < p.remote.Length; i, ok = s.bulk.NextSet(i) {
		if p.have.Has(i) {
			i = p.have.NextUnset(i)
			continue
		}
		if m, ok := s.askAbout(p, i); ok {
			return m, true
		}
		i = (i/wire.MaxWant + 1) * wire.MaxWant
	}
	return m, false
}

func (s *scheduler) askAbout(p *peer, i uint64) (m message, ok bool) {
	k := i / wire.MaxWant
	if i >= p.remote.Length || p.asked[k] || p.have.Has(i) {
		return m, false
	}
	p.asked[k] = true
	return message{want: &wire.Want{Start: k * wire.MaxWant, Length: wire.MaxWant}}, true
}

// nextBlock asks for a block: an urgent one, else one of the bulk as long as the window is not full.
func (s *scheduler) nextBlock(p *peer, now time.Time) (m message, ok bool) {
	if !s.canAsk(p) || len(p.asks) >= maxAsks || p.stalled && len(p.asks) > 0 {
		return m, false
	}
	if p.hold.Sub(now) <= urgentDebt {
		if i, ok := s.takeUrgent(p); ok {
			return s.askBlock(p, i, 1, now), true
		}
	}
	if p.full(now) || !p.hold.IsZero() {
		return m, false
	}
	i, ok := s.takeBulk(p)
	if !ok && s.stuck() && s.passHoles(p) {
		i, ok = s.takeBulk(p)
	}
	if !ok {
		i, ok = s.takeShunned(p)
	}
	if !ok {
		return m, false
	}
	return s.askBlock(p, i, 0, now), true
}

// reach is the length up to which the peer can be asked for blocks: also those that a head under way will cover.
func (s *scheduler) reach(p *peer) uint64 { return max(s.head.Length, p.target) }

// takeUrgent takes the first urgent block that the peer has off the list, and those that are wanted no more.
func (s *scheduler) takeUrgent(p *peer) (uint64, bool) {
	kept, reach := s.urgent[:0], s.reach(p)
	for k, i := range s.urgent {
		switch {
		case !s.wanted(i) || s.flying[i] > 0 && s.hedged[i] == 0:
		case s.hedged[i] > 0 && s.yields(p, (*peer).gives, func(other *peer) bool { return other.have.Has(i) && other.blocks[i] == nil }):
			kept = append(kept, i)
		case s.shunned(i):
			kept = append(kept, i)
		case i < reach && (!s.exact[i] || i < s.head.Length) && p.have.Has(i) && p.blocks[i] == nil:
			if s.hedged[i]--; s.hedged[i] > 0 {
				kept = append(kept, i)
			} else {
				delete(s.hedged, i)
			}
			s.urgent = append(kept, s.urgent[k+1:]...)
			return i, true
		default:
			kept = append(kept, i)
		}
	}
	s.urgent = kept
	return 0, false
}

func (s *scheduler) wanted(i uint64) bool {
	if len(s.waiting[i]) > 0 || s.bulk.Has(i) {
		return true
	}
	for w := range s.wants {
		if w.todo.Has(i) {
			return true
		}
	}
	return false
}

func (s *scheduler) takeBulk(p *peer) (uint64, bool) {
	reach := s.reach(p)
	for i, ok := s.bulk.NextSet(0); ok && i < reach; i, ok = s.bulk.NextSet(i) {
		there, some := p.have.NextSet(i)
		switch {
		case !some:
			return 0, false
		case there > i:
			i = there
		case s.exact[i] && i >= s.head.Length, s.shunned(i):
			i++
		default:
			return i, true
		}
	}
	return 0, false
}

// askBlock asks for block i. When the block before it was asked for just now the answers to come will have proven the tree
// up to where the two blocks' paths meet; and behind our head, the roots of the head that is under way.
func (s *scheduler) askBlock(p *peer, i uint64, priority uint64, now time.Time) message {
	s.bulk.SetRange(i, i+1, false)
	a := new(ask)
	a.ownBlock.Index = i
	a.own = merkle.Request{Fork: s.head.Fork, Block: &a.ownBlock, Priority: priority}
	a.request = &a.own
	q := a.request
	s.sendAsk(p, a, now)
	a.isBlock, a.size = true, s.blockSize()
	a.predicted = !s.exact[i] && (i >= s.head.Length || i > 0 && p.after == i)
	switch {
	case !a.predicted:
	case i > 0 && p.after == i:
		q.Block.Nodes = min(ascent(i), merkle.MaxMissingNodes(2*i, s.reach(p)))
	default:
		q.Block.Nodes = merkle.MaxMissingNodes(2*i, s.reach(p))
	}
	p.blocks[i] = a
	p.bytes += a.size
	p.after = i + 1
	s.flying[i]++
	return message{request: q, measure: !a.predicted}
}

// ascent is how many levels above leaf i the node is whose left neighbour ends at block i-1: the sibling on that one's path.
func ascent(i uint64) (n uint64) {
	for ; i%2 == 0; i /= 2 {
		n++
	}
	return n
}

// blockSize is what a block has on average, with what goes with it.
func (s *scheduler) blockSize() int {
	const beside, unknown = 128, 16 << 10
	if s.head.Length == 0 || s.head.ByteLength > bitfield.Limit {
		return unknown
	}
	return int(min(s.head.ByteLength/s.head.Length, 1<<24)) + beside
}
