package replicate

import (
	"time"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/protocols/wire"
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

// ownSync is what the peer is to know of this side. Both the fork and the length of the peer are acknowledged by it.
func (s *scheduler) ownSync(p *peer) wire.Sync {
	m := wire.Sync{
		Fork: s.head.Fork, Length: s.head.Length, Uploading: !p.refused, Downloading: true,
		// A JavaScript peer keeps over a truncation from where it pushes, and then answers upgrades from there.
		HasManifest: s.manifest, AllowPush: s.allowPush && s.head.Fork == 0 && p.remote.Fork == 0, CanUpgrade: s.canUpgrade(p),
	}
	if m.Fork == p.remote.Fork {
		m.RemoteLength = p.remote.Length
	}
	return m
}

func (s *scheduler) nextSync(p *peer) (m message, ok bool) {
	own := s.ownSync(p)
	if p.told && own == p.sent {
		return m, false
	}
	p.told, p.sent = true, own
	said := own // only what is sent is worth an allocation
	return message{sync: &said}, true
}

func (s *scheduler) nextNews(p *peer) (m message, ok bool) {
	if n := len(p.cancels); n > 0 {
		m.cancel = &wire.Cancel{Request: p.cancels[n-1]}
		p.cancels = p.cancels[:n-1]
		return m, true
	}
	if s.elsewhere(p) {
		return m, false
	}
	if len(p.news) > 0 {
		r := p.news[0]
		p.news = p.news[1:]
		return message{ranges: &r}, true
	}
	if p.fresh {
		p.fresh = false
		if n := s.contiguous(); n > 0 {
			return message{ranges: &wire.Range{Length: n}}, true
		}
	}
	return m, false
}

// elsewhere tells whether a peer is on another fork: it is told of blocks once it is on ours, as it would take them for those of
// its own.
func (s *scheduler) elsewhere(p *peer) bool {
	return p.synced && p.remote.Fork != s.head.Fork
}

// nextReply answers the wants of the peer.
func (s *scheduler) nextReply(p *peer) (m message, ok bool) {
	for len(p.replies) > 0 && !s.elsewhere(p) {
		w := p.replies[0]
		start, end, _ := w.Span()
		end = min(end, s.head.Length)
		n := s.contiguous()
		switch {
		case start >= end:
		case w.Any:
			if i, ok := s.held.NextSet(start); ok && i < end {
				p.replies = p.replies[1:]
				return message{ranges: &wire.Range{Start: i, Length: 1}}, true
			}
		case end <= n:
			p.replies = p.replies[1:]
			return message{ranges: &wire.Range{Length: n}}, true
		default:
			m.bitfield = s.bits(start, min(end, start+wire.MaxWant))
			if start += wire.MaxWant; start < end { // a want for everything goes on
				p.replies[0] = wire.Want{Start: start, Length: wire.MaxWant}
			} else {
				p.replies = p.replies[1:]
			}
			return m, true
		}
		p.replies = p.replies[1:]
	}
	return m, false
}

// bits is the held blocks of [start, end) as a bitfield.
func (s *scheduler) bits(start, end uint64) *wire.Bitfield {
	start -= start % 32
	b := &wire.Bitfield{Start: start}
	words := (end - start + 31) / 32
	b.Bits = make([]byte, words*4)
	for from, to := range s.held.Runs(start, end) {
		for i := from - start; i < to-start; {
			if i%8 == 0 && to-start-i >= 8 {
				b.Bits[i/8] = 0xff
				i += 8
				continue
			}
			b.Bits[i/8] |= 1 << (i % 8)
			i++
		}
	}
	return b
}

// send makes a request of q.
func (s *scheduler) send(p *peer, q *merkle.Request, now time.Time) *ask {
	a := &ask{request: q}
	s.sendAsk(p, a, now)
	return a
}

func (s *scheduler) sendAsk(p *peer, a *ask, now time.Time) {
	s.ids++
	a.request.ID, a.at = s.ids, now
	p.asks[s.ids] = a
	p.load.Add(1)
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
		p.heads++
	}
	return message{request: q}, true
}

func (s *scheduler) canAsk(p *peer) bool {
	return p.synced && !p.retired && p.remote.Uploading && p.probe.IsZero() && p.fault == nil && p.remote.Fork == s.head.Fork
}

func (s *scheduler) mayUpgrade(p *peer) bool {
	return s.canAsk(p) && p.remote.CanUpgrade && p.remote.Length > s.head.Length && p.noUpgrade < p.remote.Length
}

// nextUpgrade asks for a longer head, one peer at a time.
func (s *scheduler) nextUpgrade(p *peer, now time.Time) (m message, ok bool) {
	if s.upgrader != nil || p.target > 0 || !s.mayUpgrade(p) || s.yields(p, s.mayUpgrade) {
		return m, false
	}
	q := &merkle.Request{
		Fork: s.head.Fork, Manifest: !s.manifest,
		Upgrade: &merkle.UpgradeRequest{Start: s.head.Length, Length: p.remote.Length - s.head.Length},
	}
	s.upgrader, p.target, p.after = p, p.remote.Length, 0
	s.send(p, q, now)
	p.heads++
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
	if i, ok := s.takeUrgent(p); ok {
		return s.askBlock(p, i, 1, now), true
	}
	if p.full() || !p.hold.IsZero() {
		return m, false
	}
	if i, ok := s.takeBulk(p); ok {
		return s.askBlock(p, i, 0, now), true
	}
	return m, false
}

// reach is the length up to which the peer can be asked for blocks: also those that a head under way will cover.
func (s *scheduler) reach(p *peer) uint64 { return max(s.head.Length, p.target) }

// takeUrgent takes the first urgent block that the peer has off the list, and those that are wanted no more.
func (s *scheduler) takeUrgent(p *peer) (uint64, bool) {
	kept, reach := s.urgent[:0], s.reach(p)
	for k, i := range s.urgent {
		switch {
		case !s.wanted(i) || s.flying[i] > 0 && !s.hedged[i]:
		case s.hedged[i] && s.yields(p, func(other *peer) bool { return other.have.Has(i) && other.blocks[i] == nil }):
			kept = append(kept, i)
		case i < reach && (!s.exact[i] || i < s.head.Length) && p.have.Has(i) && p.blocks[i] == nil:
			s.urgent = append(kept, s.urgent[k+1:]...)
			delete(s.hedged, i)
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
		case s.exact[i] && i >= s.head.Length:
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
