package replicate

import (
	"context"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// A reader that wants all that will be appended says so to one peer, which sends new blocks as gifts, with the head that they
// need, ahead of its announcement: they are here after half a round trip instead of one and a half. What is not sent so, or
// cannot be applied, is asked for as ever.

const (
	// tailName is the extension by which a peer is asked for its new blocks: a message is one byte, 1 to send them, 0 to stop.
	tailName = "hypernode/tail"

	// tailMost is how many new blocks wait to be sent to one peer. When more come at a time, asking for them is as good.
	tailMost = 16

	// tailBeaten is how often others must have had a longer head first, before one of them is asked for new blocks instead.
	tailBeaten = 4
)

// tail is what two peers know of each other's wish for new blocks.
type tail struct {
	// Of this side as a reader.
	asked  bool // the peer was asked to send them
	before bool // or was once
	coming int  // gifts with a longer head that are being applied

	// Of this side as a server.
	wanted bool     // the peer asks for them
	blocks []uint64 // to be sent
	proven uint64   // the length that the peer has once it has taken in what it was sent, if that is more than it says
}

// nextTail asks the peer that gave the last head for what comes next, if that is wanted, or has it stop. Who lags behind has
// more of the rest to get than the line may carry, and does not ask.
func (s *scheduler) nextTail(p *peer) (m message, ok bool) {
	on := s.tailer == p && s.tails && s.canAsk(p) && p.remote.AllowPush && s.soon(s.head.Length)
	if on == p.tail.asked || on && s.head.Length > 0 && !s.held.Has(s.head.Length-1) {
		return m, false
	}
	p.tail.asked, p.tail.before = on, true
	return message{tail: []byte{byte(priority(on))}}, true
}

// tailUnwanted tells whether a gift is a new block that is not wanted any more: the peer does not know yet.
func (s *scheduler) tailUnwanted(p *peer, proof *merkle.Proof) bool {
	return p.tail.before && proof.Upgrade != nil && proof.Block != nil && !s.soon(proof.Block.Index)
}

// soon tells whether a block is wanted that is asked for as soon as it is there. It is what wanted tells, but for wants that
// go in line, and costs nothing where there are many wants.
func (s *scheduler) soon(i uint64) bool {
	return s.bulk.Has(i) || len(s.waiting[i]) > 0 || s.flying[i] > 0
}

// tailEnds tells whether the peer that sends new blocks is to be told that they are not wanted any more.
func (s *scheduler) tailEnds() bool {
	return s.tailer != nil && s.tailer.tail.asked && !s.soon(s.head.Length)
}

// leads takes in that a peer gave a longer head when it was asked.
func (s *scheduler) leads(p *peer) {
	if !p.remote.AllowPush {
		return
	}
	if s.tailer != nil && s.tailer != p && s.tailer.tail.asked {
		if s.beaten++; s.beaten < tailBeaten {
			return
		}
	}
	s.tailer, s.beaten = p, 0
}

// tailComes tells whether a longer head that was asked for with all that is new is here and being applied.
func (s *scheduler) tailComes(p *peer) bool { return p != nil && p == s.tailer && p.tail.coming > 0 }

// tailWanted takes in that a peer wants new blocks, or no more.
func (s *scheduler) tailWanted(p *peer, on bool) {
	p.tail.wanted = on
	if !on {
		p.tail.blocks = nil
	}
}

// appended has new blocks sent to the peers that want them.
func (s *scheduler) appended(r core.Range) {
	for p := range s.peers {
		start := max(r.Start, p.remote.Length)
		if !p.tail.wanted || start >= r.End {
			continue
		}
		if uint64(len(p.tail.blocks))+r.End-start > tailMost {
			p.tail.blocks = nil
			continue
		}
		for i := start; i < r.End; i++ {
			p.tail.blocks = append(p.tail.blocks, i)
		}
	}
}

// takeTail returns what the peer would ask to get the new blocks, one after the other, when head is what is served.
func (s *scheduler) takeTail(p *peer, head core.Head) (list []*merkle.Request) {
	blocks := p.tail.blocks
	p.tail.blocks = nil
	if head.Fork != s.head.Fork || p.retired {
		return nil
	}
	list, p.tail.proven = s.gifts(p, blocks, head, max(p.remote.Length, p.tail.proven))
	return list
}

// sendTail adds the new blocks that the peer wants to what is sent first.
func (l *link) sendTail(ctx context.Context) {
	r, p := l.replicator, l.peer
	r.mu.Lock()
	some := len(p.tail.blocks) > 0
	r.mu.Unlock()
	if !some || !l.stream.mayAnswer(time.Now()) {
		return
	}
	head := r.core.Served()
	r.mu.Lock()
	requests := r.sched.takeTail(p, head)
	r.mu.Unlock()
	for _, a := range r.core.ProveAll(ctx, requests) {
		if a.Err != nil || a.Proof.Size() > freshGift {
			r.mu.Lock()
			p.tail.proven = 0 // what follows would rest on it
			r.mu.Unlock()
			return
		}
		l.first = append(l.first, data(a.Proof))
	}
}
