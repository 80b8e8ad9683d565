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
	for _, step := range []func(*peer) (message, bool){s.nextSync, s.nextNews, s.nextReply} {
		if m, ok = step(p); ok {
			return m, true
		}
	}
	if !p.probe.IsZero() && len(p.follow) == 0 {
		return m, false
	}
	for _, step := range []func(*peer, time.Time) (message, bool){s.nextFollow, s.nextFork, s.nextUpgrade, s.nextSeek, s.nextWant, s.nextBlock} {
		if m, ok = step(p, now); ok {
			return m, true
		}
	}
	return m, false
}

// ownSync is what the peer is to know of this side. Both the fork and the length of the peer are acknowledged by it.
func (s *scheduler) ownSync(p *peer) wire.Sync {
	m := wire.Sync{
		Fork: s.head.Fork, Length: s.head.Length, Uploading: true, Downloading: true, HasManifest: s.manifest,
		CanUpgrade: s.head.Fork == p.remote.Fork && (p.remote.Length == 0 || p.remote.Length < s.head.Length),
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
	return message{sync: &own}, true
}

func (s *scheduler) nextNews(p *peer) (m message, ok bool) {
	if n := len(p.cancels); n > 0 {
		m.cancel = &wire.Cancel{Request: p.cancels[n-1]}
		p.cancels = p.cancels[:n-1]
		return m, true
	}
	if p.fresh {
		p.fresh = false
		if n := s.contiguous(); n > 0 {
			return message{ranges: &wire.Range{Length: n}}, true
		}
	}
	if len(p.news) > 0 {
		r := p.news[0]
		p.news = p.news[1:]
		return message{ranges: &r}, true
	}
	return m, false
}

// nextReply answers the wants of the peer.
func (s *scheduler) nextReply(p *peer) (m message, ok bool) {
	for len(p.replies) > 0 {
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
	s.ids++
	q.ID = s.ids
	a := &ask{request: q, at: now}
	p.asks[q.ID] = a
	return a
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

func (s *scheduler) laterFork(p *peer) bool {
	return p.synced && p.remote.Uploading && p.remote.Fork > s.head.Fork && p.remote.Length > 0 && p.fork < p.remote.Fork
}

// nextFork asks for the tree of a later fork, each peer once.
func (s *scheduler) nextFork(p *peer, now time.Time) (m message, ok bool) {
	if !s.laterFork(p) {
		return m, false
	}
	p.fork = p.remote.Fork
	q := &merkle.Request{Fork: p.fork, Upgrade: &merkle.UpgradeRequest{Length: p.remote.Length}, Manifest: !s.manifest}
	p.target = p.remote.Length
	s.send(p, q, now)
	p.heads++
	return message{request: q}, true
}

func (s *scheduler) canAsk(p *peer) bool {
	return p.synced && p.remote.Uploading && p.probe.IsZero() && p.fault == nil && p.remote.Fork == s.head.Fork
}

func (s *scheduler) mayUpgrade(p *peer) bool {
	return s.canAsk(p) && p.remote.CanUpgrade && p.remote.Length > s.head.Length && p.noUpgrade < p.remote.Length
}

// nextUpgrade asks for a longer head, one peer at a time.
func (s *scheduler) nextUpgrade(p *peer, now time.Time) (m message, ok bool) {
	if s.upgrader != nil || p.target > 0 || !s.mayUpgrade(p) {
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
	if !s.canAsk(p) || len(p.asks) >= maxAsks {
		return m, false
	}
	if i, ok := s.takeUrgent(p); ok {
		return s.askBlock(p, i, 1, now), true
	}
	if p.full() {
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
		case !s.wanted(i) || s.flying[i] > 1 || s.flying[i] == 1 && !s.hedged[i]:
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
	q := &merkle.Request{Fork: s.head.Fork, Block: &merkle.BlockRequest{Index: i}, Priority: priority}
	a := s.send(p, q, now)
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
