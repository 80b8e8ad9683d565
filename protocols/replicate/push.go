package replicate

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
)

// Gifts are blocks that are sent before they are asked for, as answers to request 0.
const (
	// maxGifts is how many blocks wait to be pushed to one peer: what a long scan is about to need. giftGroup is how many are
	// pushed at a time.
	maxGifts  = 2304
	giftGroup = 16

	// giftCredit is how many bytes of gifts are taken from a peer for one core, beside as many as it was asked for. giftMost
	// is the most that this adds up to, and freshGift the largest gift.
	giftCredit = 4 << 20
	giftMost   = 64 << 20
	freshGift  = 1 << 20
)

// Push implements [core.Extender]: blocks that are here are sent to a peer, or with peer "" to all, that takes gifts and has
// not said that it has them. What does not fit is left out.
func (r *Replicator) Push(peer string, blocks []uint64) {
	for _, l := range r.list() {
		if peer != "" && peer != string(l.stream.remote) {
			continue
		}
		l.mu.Lock()
		room := max(0, maxGifts-len(l.gift))
		l.gift = append(l.gift, blocks[:min(room, len(blocks))]...)
		l.mu.Unlock()
		l.wake()
	}
}

// gifts adds blocks to be pushed to what is sent first.
func (l *link) gifts(ctx context.Context) {
	l.mu.Lock()
	n := min(len(l.gift), giftGroup)
	blocks := l.gift[:n:n]
	if l.gift = l.gift[n:]; len(l.gift) == 0 {
		l.gift = nil
	}
	l.mu.Unlock()
	if n == 0 || !l.stream.uploads(l.replicator) {
		return
	}
	r := l.replicator
	r.mu.Lock()
	requests := r.sched.push(l.peer, blocks)
	r.mu.Unlock()
	for _, a := range r.core.ProveAll(ctx, requests) {
		if a.Err != nil || a.Proof.Size() > freshGift {
			continue
		}
		if a.Proof.Upgrade != nil {
			l.first = l.syncFirst(l.first)
		}
		l.first = append(l.first, data(a.Proof))
	}
}

// push returns what a peer would ask to get blocks that it lacks, as far as they may be pushed. It knows the roots of its
// own length, and after the first gift those of ours.
func (s *scheduler) push(p *peer, blocks []uint64) []*merkle.Request {
	var fresh []uint64
	for _, i := range blocks {
		if !p.pushed.Has(i) && !slices.Contains(fresh, i) {
			fresh = append(fresh, i)
		}
	}
	list, _ := s.gifts(p, fresh, s.head, p.remote.Length)
	for _, q := range list {
		p.pushed.Set(q.Block.Index)
	}
	return list
}

// gifts is that for a peer that has a length when the gifts come, and a head of ours. It returns the length that the peer has
// after them.
func (s *scheduler) gifts(p *peer, blocks []uint64, head core.Head, length uint64) (list []*merkle.Request, after uint64) {
	if !p.synced || !p.remote.AllowPush || p.remote.Fork != s.head.Fork || p.refused {
		return nil, length
	}
	for _, i := range blocks {
		if i >= head.Length || !s.held.Has(i) || p.have.Has(i) {
			continue
		}
		q := &merkle.Request{Fork: head.Fork, Block: &merkle.BlockRequest{Index: i}}
		if i < length {
			q.Block.Nodes = merkle.MaxMissingNodes(2*i, length)
		} else {
			q.Upgrade = &merkle.UpgradeRequest{Start: length, Length: head.Length - length}
			q.Manifest = length == 0
			length = head.Length
		}
		list = append(list, q)
	}
	return list, length
}

// outcome is what is to be done with an answer.
type outcome int

const (
	takeNot    outcome = iota
	takeAnswer         // it is to be applied
	takeGift           // the same, for one that was not asked for
)

// unasked decides about an answer to request 0: part of a conflict, or a gift.
func (s *scheduler) unasked(p *peer, proof *merkle.Proof, size int) outcome {
	u := proof.Upgrade
	if proof.Fork != s.head.Fork {
		return takeNot
	}
	b := proof.Block
	if u != nil && u.Start == 0 && s.head.Length > 0 && u.Length <= s.head.Length {
		if b == nil || !s.allowPush {
			return takeAnswer
		}
		// A gift for a length that we are past. Its path ends at a root of that length, which we may have.
		proof.Upgrade, u = nil, nil
	}
	wanted := b != nil && !s.held.Has(b.Index) || u != nil && u.Start+u.Length > s.head.Length
	if !s.allowPush || !wanted || s.tailUnwanted(p, proof) || proof.Hash != nil || proof.Seek != nil || size > freshGift || size > p.credit {
		return takeNot
	}
	p.credit -= size
	if u != nil {
		p.tail.coming++
	}
	return takeGift
}

// given takes in what became of a gift. One that does not fit our tree may have been made for another length. One that was
// asked for with all that is new is none.
func (s *scheduler) given(p *peer, a *arrival, v core.Verdict, now time.Time) {
	if a.proof.Upgrade != nil {
		p.tail.coming--
	}
	switch {
	case v.Applied && v.Upgraded:
		s.manifest = true
		if p.tail.asked {
			p.credit += a.size
			s.beaten = 0
		}
	case s.tailer == p:
		s.dirty = true // others may be asked for the head that did not come
		if v.Err != nil {
			s.tailer = nil // until it gives a head that it is asked for
		}
	}
	if v.Err != nil && !errors.Is(v.Err, merkle.ErrInvalidOperation) && !errors.Is(v.Err, core.ErrConflict) {
		s.blame(p, now)
	}
	s.settle()
}
