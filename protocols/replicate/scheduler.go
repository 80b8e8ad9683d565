package replicate

import (
	"slices"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/protocols/wire"
)

// scheduler decides what to tell and to ask the peers of one core. It is told of all that happens, and asked with next what
// to send to a peer that can take something. It is not safe for concurrent use.
type scheduler struct {
	// This side of the core, as peers may know it.
	loaded   bool
	head     core.Head
	held     bitfield.Bitfield
	manifest bool

	allowPush bool // gifts are taken
	tails     bool // and asked for with all that is new

	peers  map[*peer]struct{}
	coming map[*peer]struct{} // those whose channel is being opened
	turns  uint64             // given to peers so far

	// What is wanted.
	wants   map[*want]struct{}
	heads   map[*want]struct{} // those of the newest head
	lines   int                // how many of them are linear
	waiting map[uint64][]*want // by urgent block
	urgent  []uint64           // to be asked for before others; some may have come
	bulk    bitfield.Bitfield  // to be asked for
	flying  map[uint64]int     // how many peers are asked for a block
	exact   map[uint64]bool    // blocks whose path must not be predicted
	hedged  map[uint64]int     // of how many more peers a block is to be asked
	struck  map[uint64]int     // blocks that came to nothing, see strike
	dirty   bool               // what happened concerns other peers than the one that caused it

	ids      uint64
	upgrader *peer // is asked for a longer head
	idlers   int   // how many, one after the other, were asked and gave none in time
	tailer   *peer // is asked for new blocks
	beaten   int   // how many heads came from others since it gave one
	progress []report
	ended    []*want // that have all they asked for
	marked   []*want // whose meter is to be set
}

func newScheduler() *scheduler {
	return &scheduler{
		peers: map[*peer]struct{}{}, coming: map[*peer]struct{}{},
		wants: map[*want]struct{}{}, heads: map[*want]struct{}{}, waiting: map[uint64][]*want{},
		flying: map[uint64]int{}, exact: map[uint64]bool{}, hedged: map[uint64]int{}, struck: map[uint64]int{},
	}
}

// load takes in what the core has, before anything is told of it.
func (s *scheduler) load(head core.Head, held []core.Range, manifest bool) {
	s.loaded, s.head, s.manifest = true, head, manifest
	s.held = bitfield.Bitfield{}
	for _, r := range held {
		s.held.SetRange(r.Start, min(r.End, head.Length), true)
	}
	s.settle()
}

// contiguous is the number of leading blocks that are held.
func (s *scheduler) contiguous() uint64 { return s.held.NextUnset(0) }

// expect counts a peer among those that may come.
func (s *scheduler) expect(p *peer) {
	s.turns++
	p.turn = s.turns
	s.coming[p] = struct{}{}
}

// join takes in a peer, which was expected.
func (s *scheduler) join(p *peer) {
	delete(s.coming, p)
	p.speaks()
	s.peers[p] = struct{}{}
	s.markAll()
}

// leave forgets a peer; what it was asked is to be asked of others. That goes for what it has answered too: its stream may end
// before the answer is applied, and then nobody else would ever be asked for the head or the position.
func (s *scheduler) leave(p *peer) {
	delete(s.coming, p)
	if _, ok := s.peers[p]; !ok {
		s.settle()
		return
	}
	delete(s.peers, p)
	if s.tailer == p {
		s.tailer = nil
	}
	s.markAll()
	s.blameOldest(p)
	for _, a := range p.all() {
		s.drop(p, a)
		s.retry(a)
	}
	for a := range p.heads {
		s.drop(p, a)
		s.retry(a)
	}
	s.settle()
}

// land takes a request off those that wait for an answer.
func (s *scheduler) land(p *peer, a *ask) {
	if p.asks[a.request.ID] != a {
		return
	}
	delete(p.asks, a.request.ID)
	p.load.Add(-1)
	if a.request.Priority > 0 {
		p.haste.end()
	}
	p.bytes -= a.size
	if len(p.asks) == 0 {
		p.pace.idle()
		p.stalled = false // what it was late with came from elsewhere
	}
}

// drop ends a request, whatever came of it.
func (s *scheduler) drop(p *peer, a *ask) {
	if a.settled {
		return
	}
	s.land(p, a)
	a.settled = true
	if !a.isBlock {
		delete(p.heads, a)
		if a.request.Upgrade == nil {
			return
		}
		p.target = 0
		if s.upgrader == p {
			s.upgrader, s.dirty = nil, true
		}
		return
	}
	i := a.block()
	delete(p.blocks, i)
	if a.hedged {
		p.owes--
	}
	if s.flying[i]--; s.flying[i] <= 0 {
		delete(s.flying, i)
		delete(s.hedged, i)
	} else if a.hedged && !s.overdue(i) {
		delete(s.hedged, i) // who is asked now is in time
	}
}

// overdue tells whether a peer that is asked for a block is late with it.
func (s *scheduler) overdue(i uint64) bool {
	for p := range s.peers {
		if a := p.blocks[i]; a != nil && a.hedged {
			return true
		}
	}
	return false
}

// all returns what a peer was asked that is not settled, but for heads and nodes that it has answered.
func (p *peer) all() []*ask {
	list := make([]*ask, 0, len(p.asks))
	for _, a := range p.asks {
		list = append(list, a)
	}
	for _, a := range p.blocks {
		if a.arrived {
			list = append(list, a)
		}
	}
	return list
}

func (s *scheduler) retry(a *ask) {
	if a.seek != nil {
		a.seek.seeking = false
	}
	if a.isBlock {
		s.dirty = true
		s.again(a.block())
	}
}

// sync takes in a peer's sync.
func (s *scheduler) sync(p *peer, m wire.Sync) {
	if p.synced && (m.Fork != p.remote.Fork || m.Length < p.remote.Length) {
		p.have.Drop(m.Length, bitfield.Limit)
		s.lost(p, m.Length, bitfield.Limit)
	}
	if m.Fork != p.remote.Fork || m.Length != p.remote.Length || m.CanUpgrade && !p.remote.CanUpgrade {
		p.noUpgrade = 0
	}
	if m.Length != p.remote.Length || m.Fork != p.remote.Fork {
		p.provable = false
	}
	if m.Length < p.remote.Length || m.Fork != p.remote.Fork {
		p.tail.proven = 0
	}
	if !p.synced {
		p.speaks()
	}
	p.remote, p.synced = m, true
	s.settle()
}

// want takes in what a peer wants to hear of.
func (s *scheduler) want(p *peer, m wire.Want) {
	if _, _, ok := m.Span(); !ok || len(p.wants) >= wire.MaxWants || len(p.replies) >= wire.MaxWants {
		return
	}
	p.wants = append(p.wants, m)
	p.replies = append(p.replies, m)
}

func (s *scheduler) unwant(p *peer, m wire.Want) {
	for i, w := range p.wants {
		if w == m {
			p.wants = append(p.wants[:i], p.wants[i+1:]...)
			return
		}
	}
}

// changed takes in a commit. What it brought need not be asked for any more.
func (s *scheduler) changed(ch core.Change) {
	moved := ch.Head.Fork != s.head.Fork
	for _, r := range ch.Dropped {
		s.held.SetRange(r.Start, r.End, false)
		s.miss(r)
		if !moved {
			s.announce(wire.Range{Drop: true, Start: r.Start, Length: r.End - r.Start})
		}
	}
	if moved {
		s.announceAnew(ch.Dropped)
	}
	for _, r := range ch.Have {
		s.held.SetRange(r.Start, r.End, true)
	}
	s.held.SetRange(ch.Head.Length, bitfield.Limit, false)
	s.head = ch.Head
	s.manifest = s.manifest || ch.Head.Length > 0 // without it nothing could have been checked
	for _, r := range ch.Have {
		s.announce(wire.Range{Start: r.Start, Length: r.End - r.Start})
		s.appended(r)
		for i := r.Start; i < r.End && len(s.wants)+len(s.flying) > 0; i++ {
			s.arrived(i)
		}
	}
	if moved {
		s.restart()
	}
	s.settle()
}

// miss makes blocks that went wanted again by those that still want their range.
func (s *scheduler) miss(r core.Range) {
	for p := range s.peers {
		p.pushed.SetRange(r.Start, r.End, false)
	}
	for w := range s.wants {
		if w.lose(r) {
			s.unplan(w)
		}
	}
}

// announceAnew has all peers be told of everything once they have come to our fork, and first of what went, now or before.
func (s *scheduler) announceAnew(dropped []core.Range) {
	for p := range s.peers {
		p.news = slices.DeleteFunc(p.news, func(r wire.Range) bool { return !r.Drop })
		for _, r := range dropped {
			p.tell(wire.Range{Drop: true, Start: r.Start, Length: r.End - r.Start})
		}
		p.fresh, p.replies = true, append([]wire.Want(nil), p.wants...)
	}
}

// announce tells of a range the peers that are to know and do not.
func (s *scheduler) announce(r wire.Range) {
	whole := s.contiguous() >= s.head.Length
	end := r.Start + r.Length
	for p := range s.peers {
		switch {
		case r.Drop:
			p.tell(r)
		case p.remote.Fork == s.head.Fork && p.have.NextUnset(r.Start) >= end:
			p.leaveOut(core.Range{Start: r.Start, End: end})
		case whole:
			p.tell(wire.Range{Length: s.head.Length})
		case end+256 > s.head.Length, p.wanting(r.Start, end):
			p.tell(r)
		}
	}
}

// arrived ends what is under way for a block that is here.
func (s *scheduler) arrived(i uint64) {
	delete(s.exact, i)
	delete(s.hedged, i)
	delete(s.struck, i)
	if s.flying[i] == 0 {
		s.came(i, 0)
		return
	}
	size := 0
	for p := range s.peers {
		if a := p.blocks[i]; a != nil {
			if !a.arrived {
				p.cancels = append(p.cancels, a.request.ID)
			}
			size = max(size, a.value)
			s.drop(p, a)
		}
	}
	s.came(i, size)
}

// restart forgets what is under way for another fork.
func (s *scheduler) restart() {
	for p := range s.peers {
		for _, a := range p.all() {
			s.drop(p, a)
			s.retry(a)
		}
		p.follow, p.noUpgrade = nil, 0
		p.tail.blocks, p.tail.proven = nil, 0
	}
	clear(s.exact)
	clear(s.struck)
}
