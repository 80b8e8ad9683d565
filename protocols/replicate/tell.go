package replicate

import (
	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/protocols/wire"
)

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

// tellsAhead has a peer told of a head before the scheduler hears of it, unless it knows of one as long.
func (s *scheduler) tellsAhead(p *peer, head core.Head) bool {
	if !p.told || head.Fork != s.head.Fork || head.Fork != p.sent.Fork || head.Length <= p.sent.Length {
		return false
	}
	p.sent = s.ownSync(p)
	p.sent.Length, p.sent.HasManifest = head.Length, true // without it there would be no such head
	return true
}

func (s *scheduler) nextSync(p *peer) (m message, ok bool) {
	own := s.ownSync(p)
	if p.told && own.Fork == p.sent.Fork {
		own.Length = max(own.Length, p.sent.Length) // of which we have not heard yet, see tellsAhead
	}
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
	if r, ok := s.takeNews(p); ok {
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

// takeNews takes the next announcement off the list. Of what went and has come again meanwhile the peer is not told that it
// went: it would take back its requests for it, whose answers may be on their way.
func (s *scheduler) takeNews(p *peer) (r wire.Range, ok bool) {
	for len(p.news) > 0 {
		r = p.news[0]
		end := r.Start + r.Length
		gone, next := r.Start, end
		if r.Drop {
			gone = min(s.held.NextUnset(r.Start), end)
			if held, ok := s.held.NextSet(gone); ok {
				next = min(held, end)
			}
		}
		if p.news[0].Start, p.news[0].Length = next, end-next; next == end {
			p.news = p.news[1:]
		}
		if r.Start, r.Length = gone, next-gone; r.Length > 0 {
			return r, true
		}
	}
	return r, false
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
