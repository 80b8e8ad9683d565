package replicate

import (
	"context"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
)

// move is a question after the tree of a later fork. It is asked again when the peer has more to tell, and after a while when
// it led to nothing: the answer may have been overtaken.
type move struct {
	fork, length uint64
	misses       int // questions about where the fork leaves ours that got no answer
	again        time.Time
	pause        time.Duration
}

// A question that led to nothing is asked again after minMove, later after twice the time each, up to maxMove.
const (
	minMove = 500 * time.Millisecond
	maxMove = time.Minute
)

// laterFork tells whether a peer has a later fork than ours.
func (s *scheduler) laterFork(p *peer) bool {
	return p.synced && !p.retired && p.fault == nil && p.remote.Uploading && p.remote.Fork > s.head.Fork && p.remote.Length > 0
}

// moving tells whether a peer that has a later fork may still tell of it: whoever waits for the newest head waits for that.
func (s *scheduler) moving(p *peer) bool {
	return s.laterFork(p) && (len(p.heads) > 0 || len(p.follow) > 0 || !p.moved.asked(p))
}

// asked tells whether a peer was asked about all that it says to have.
func (m *move) asked(p *peer) bool { return m.fork == p.remote.Fork && m.length == p.remote.Length }

// nextFork asks for the tree of a later fork, once at a time.
func (s *scheduler) nextFork(p *peer, now time.Time) (m message, ok bool) {
	if !s.laterFork(p) || len(p.heads) > 0 {
		return m, false
	}
	v := &p.moved
	if !v.asked(p) {
		*v = move{fork: p.remote.Fork, length: p.remote.Length, pause: minMove}
	} else if now.Before(v.again) {
		return m, false
	}
	v.misses = 0
	v.again = now.Add(max(v.pause, 2*p.pace.usual))
	v.pause = min(2*v.pause, maxMove)
	q := &merkle.Request{Fork: v.fork, Upgrade: &merkle.UpgradeRequest{Length: v.length}, Manifest: !s.manifest}
	p.target = v.length
	s.send(p, q, now)
	return message{request: q}, true
}

// maxMoveMisses is how many questions about where a fork leaves ours may get no answer from a peer.
const maxMoveMisses = 12

// unstick goes on when the peer lacks the nodes that would tell where its fork leaves ours: it asks about another block, and
// when that fails too often settles for what is known.
func (l *link) unstick(fork uint64) error {
	r := l.replicator
	r.mu.Lock()
	l.peer.moved.misses++
	settle := l.peer.moved.misses >= maxMoveMisses
	r.mu.Unlock()
	if settle {
		return passing(r.core.SettleFork(context.Background(), fork))
	}
	if q := r.core.RetryFork(fork); q != nil {
		r.step(l, false, func(*scheduler) { l.peer.follow = append(l.peer.follow, q) })
	}
	return nil
}
