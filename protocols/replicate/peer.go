package replicate

import (
	"sync/atomic"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/internal/bitfield"
	"github.com/hypernode/hypernode/protocols/wire"
)

// peer is what the scheduler knows of one peer of a core.
type peer struct {
	// What the peer said.
	remote wire.Sync
	synced bool
	have   wire.Have
	wants  []wire.Want

	// What it was asked.
	asks    map[uint64]*ask   // by id, until the answer comes
	load    *atomic.Int64     // such requests to the same peer, for all cores
	haste   *haste            // the urgent ones among them
	blocks  map[uint64]*ask   // those for blocks, until the answer is applied
	heads   map[*ask]struct{} // those for a head or for nodes, likewise
	bytes   int               // expected from asks
	turn    uint64            // which one it was to come
	heard   time.Time         // its last answer
	reached [2]time.Time      // when the last request that it has answered was made, and the last urgent one
	stalled bool              // it has not answered for long: it is asked for no more
	gave    bool              // a block that was asked for was right
	owes    int               // late blocks that others are asked for too
	filled  bool              // the window was filled up; it is used again once it is half empty
	pace    pace
	after   uint64 // the block behind the one asked last
	target  uint64 // the length that it was asked to prove, 0 for none

	// What it may have and give.
	refused  bool              // it gets nothing
	retired  bool              // nothing new is asked of it
	checked  [3]uint64         // its length, our length and prefix when provable was found out
	provable bool              // the way from its length to our head can be proven, where that is not sure
	credit   int               // bytes of gifts that are taken
	pushed   bitfield.Bitfield // blocks that it was sent as gifts
	hold     time.Time         // until when nothing is asked that is not urgent, and what is until urgentDebt before; zero is not at all

	// What it did wrong.
	noUpgrade uint64    // the length that it could not prove
	moved     move      // what it was asked last about a later fork
	misses    int       // answers that did not fit the tree
	detains   time.Time // since when it keeps the newest head from being known
	mute      bool      // it did so for too long: it is not waited for
	probe     time.Time
	fault     error // why it is to be left

	// What it is to be told.
	sent    wire.Sync
	told    bool
	fresh   bool // all that is held is to be announced anew
	news    []wire.Range
	unsaid  core.Range // within it lies what it was not told, since it seemed to have it
	replies []wire.Want
	asked   map[uint64]bool // stretches that it was asked to announce
	cancels []uint64
	follow  []*merkle.Request
	tail    tail
}

func newPeer() *peer {
	return &peer{
		fresh: true, credit: giftCredit, load: new(atomic.Int64), haste: new(haste),
		asks: map[uint64]*ask{}, blocks: map[uint64]*ask{}, heads: map[*ask]struct{}{}, asked: map[uint64]bool{},
	}
}

// ask is a request that was sent.
type ask struct {
	request   *merkle.Request
	own       merkle.Request // is request, for a block: one allocation instead of three
	ownBlock  merkle.BlockRequest
	isBlock   bool
	seek      *want     // what it was sent for, when that is a byte position
	predicted bool      // its path rests on answers that had not come
	hedged    bool      // another peer is asked too
	again     time.Time // when to look again whether it is late
	arrived   bool      // its answer came and is being applied
	settled   bool
	size      int // expected
	value     int // of the block that came
	at        time.Time
}

func (a *ask) block() uint64 { return a.request.Block.Index }

// class is 1 for what is urgent: it is answered before the rest, and else peers answer in the order in which they were asked.
func (a *ask) class() int { return priority(a.request.Priority > 0) }

// message is what is to be sent to a peer next; one field is set.
type message struct {
	sync     *wire.Sync
	ranges   *wire.Range
	bitfield *wire.Bitfield
	want     *wire.Want
	cancel   *wire.Cancel
	request  *merkle.Request
	tail     []byte
	measure  bool // Nodes of request's block are to be filled in
	locate   *ask // is the request when its Hash is to be filled in, for a seek
}

// tell adds an announcement, joined to the one before it where they touch. It returns false when that was too much: the peer is
// then told of everything.
func (p *peer) tell(r wire.Range) bool {
	if n := len(p.news); n > 0 {
		last := &p.news[n-1]
		switch {
		case last.Drop == r.Drop && last.Start+last.Length == r.Start:
			last.Length += r.Length
			return true
		case !last.Drop && !r.Drop && last.Start == r.Start:
			last.Length = max(last.Length, r.Length)
			return true
		}
	}
	p.news = append(p.news, r)
	if len(p.news) <= maxNews {
		return true
	}
	p.news, p.fresh, p.replies = dropped(p.news), true, append([]wire.Want(nil), p.wants...)
	return false
}

// dropped is one announcement in the place of all of blocks that went: of those in it that are held nothing is said.
func dropped(news []wire.Range) []wire.Range {
	var start, end uint64
	for _, r := range news {
		if !r.Drop {
			continue
		}
		if start == end {
			start = r.Start
		}
		start, end = min(start, r.Start), max(end, r.Start+r.Length)
	}
	if start == end {
		return nil
	}
	return []wire.Range{{Drop: true, Start: start, Length: end - start}}
}

// wanting tells whether the peer has asked for announcements about any of [start, end).
func (p *peer) wanting(start, end uint64) bool {
	for _, w := range p.wants {
		if from, to, ok := w.Span(); ok && start < to && from < end {
			return true
		}
	}
	return false
}

// full tells whether the peer has enough to answer. It goes by turns from empty to full, so that requests go out many
// at a time.
func (p *peer) full(now time.Time) bool {
	window := p.pace.window(p.haste.is(now))
	switch {
	case len(p.asks) >= maxAsks || p.bytes >= window || p.load.Load() >= maxStreamAsks:
		p.filled = true
	case len(p.asks) <= maxAsks*3/4 && p.bytes <= window*3/4:
		p.filled = false
	}
	return p.filled
}
