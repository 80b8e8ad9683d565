package replicate

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
)

// maxSeeks is how often one peer is asked for one position: which block it is asked with is up to chance, and it may lack the
// nodes beside it.
const maxSeeks = 4

// nextSeek asks for the nodes that lead to a byte position, one peer after the other, and others when one is late.
func (s *scheduler) nextSeek(p *peer, now time.Time) (m message, ok bool) {
	if !s.canAsk(p) || s.head.Length == 0 || p.remote.Length < s.head.Length || len(p.asks) >= maxAsks {
		return m, false
	}
	for w := range s.wants {
		if w.Seek == nil || w.found || w.seeking || w.refused[p] >= maxSeeks || p.sought(w) {
			continue
		}
		w.seeking = true
		a := s.send(p, &merkle.Request{
			Fork: s.head.Fork, Priority: 1, Hash: &merkle.HashRequest{},
			Seek: &merkle.SeekRequest{Bytes: w.Seek.Bytes, Padding: w.Seek.Padding},
		}, now)
		a.seek = w
		return message{request: a.request, locate: a}, true
	}
	return m, false
}

// sought tells whether a peer is asked for a position already.
func (p *peer) sought(w *want) bool {
	for a := range p.heads {
		if a.seek == w {
			return true
		}
	}
	return false
}

// locate completes the request for a position: with any block of those among which the position is known to be. It returns
// false, and ends the want, when that is known already.
func (l *link) locate(ctx context.Context, a *ask) bool {
	r, q := l.replicator, a.request
	span, err := r.core.SeekSpan(ctx, q.Seek.Bytes, q.Seek.Padding)
	if err == nil && span.End-span.Start > 1 {
		i := span.Start + rand.Uint64N(span.End-span.Start)
		if q.Hash.Nodes, err = r.core.MissingNodes(ctx, i); err == nil {
			q.Hash.Index = 2 * i
			return true
		}
	}
	r.step(l, false, func(s *scheduler) {
		s.drop(l.peer, a)
		a.seek.found = true
		s.settle()
	})
	return false
}
