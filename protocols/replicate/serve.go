package replicate

import (
	"context"
	"errors"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/wire"
)

// maxAnswers is about how many bytes of answers are made at a time.
const maxAnswers = 256 << 10

// groupOf returns how many blocks of the core have about that many bytes, at least one.
func (r *Replicator) groupOf(bytes uint64) int {
	head := r.core.Served()
	if head.Length == 0 || head.ByteLength == 0 {
		return turn
	}
	return int(max(1, min(turn, bytes*head.Length/head.ByteLength)))
}

// answers adds the answers to requests: the proofs, or that there are none. Those of a prover are to be sent before it is used
// again; nil is for those that may wait.
func (l *link) answers(ctx context.Context, list []outgoing, requests []*merkle.Request, p *core.Prover) []outgoing {
	if len(requests) == 0 {
		return list
	}
	if !l.stream.uploads(l.replicator) {
		for _, q := range requests {
			list = append(list, noData(q, wire.ReasonNotAvailable))
		}
		return list
	}
	l.replicator.mu.Lock()
	version := l.replicator.version
	l.replicator.mu.Unlock()
	prove := l.replicator.core.ProveAll
	if p != nil {
		prove = func(ctx context.Context, requests []*merkle.Request) []core.Answer {
			return p.ProveAll(ctx, l.replicator.core, requests)
		}
	}
	for i, a := range prove(ctx, requests) {
		if a.Err != nil {
			list = append(list, l.corrected(l.refuse(requests[i], a.Err), requests[i], version))
			continue
		}
		if a.Proof.Upgrade != nil {
			list = l.syncFirst(list)
		}
		list = append(list, data(a.Proof))
	}
	return list
}

// syncFirst adds the sync of a head that an answer may lead to and the peer was not told of: it was served before the scheduler
// heard of it. A JavaScript peer that gets longer than it was told to be possible does not tell its new length if the sync comes
// right then, and waits for ever for this to be acknowledged.
func (l *link) syncFirst(list []outgoing) []outgoing {
	head := l.replicator.core.Served() // is, or is behind, that of all proofs that were made
	l.replicator.mu.Lock()
	ahead := l.replicator.sched.tellsAhead(l.peer, head)
	l.replicator.mu.Unlock()
	if ahead {
		list = append(list, outgoing{typ: wire.TypeSync, size: small, latest: true})
	}
	return list
}

// lastSync is what the peer was, or is to be, told last. Answers wait for room while what comes first goes ahead of them.
func (l *link) lastSync() wire.Sync {
	l.replicator.mu.Lock()
	defer l.replicator.mu.Unlock()
	return l.peer.sent
}

// data is the message that carries a proof.
func data(p *merkle.Proof) outgoing {
	m := outgoing{typ: wire.TypeData, size: p.Size(), proof: p}
	if p.Block != nil {
		m.block, m.value = true, len(p.Block.Value)
	}
	return m
}

// refuse returns what says that a request gets no data. A frozen core tells so once, by the proof.
func (l *link) refuse(q *merkle.Request, err error) outgoing {
	if !errors.Is(err, merkle.ErrInvalidRequest) {
		if !errors.Is(err, core.ErrNotAvailable) {
			l.count(func(s *Counters) { s.Errors++ })
		}
		return noData(q, wire.ReasonNotAvailable)
	}
	if l.requests.strange() {
		l.stream.fail(ErrInvalidRequests)
	}
	return noData(q, wire.ReasonInvalid)
}

// corrected has the refusal of a block that is missing, made of what was here at a version, followed by an announcement when
// the block has come meanwhile: that it is here was told already, and the refusal, which waited for room, comes behind it.
func (l *link) corrected(m outgoing, q *merkle.Request, version uint64) outgoing {
	if q.Block == nil {
		return m
	}
	r, i := l.replicator, q.Block.Index
	r.mu.Lock()
	missing := !r.sched.held.Has(i) || r.version != version
	r.mu.Unlock()
	if !missing {
		return m
	}
	m.after = func() {
		r.mu.Lock()
		held := r.sched.held.Has(i) && q.Fork == r.sched.head.Fork
		if held {
			l.peer.tell(wire.Range{Start: i, Length: 1})
		}
		r.mu.Unlock()
		if held {
			l.wake()
		}
	}
	return m
}

func noData(q *merkle.Request, reason wire.Reason) outgoing {
	m := wire.NoData{Request: q.ID, Reason: reason}
	return outgoing{typ: wire.TypeNoData, size: small, encode: m.Append}
}

// uploads tells whether the peer may have blocks of a core.
func (st *stream) uploads(r *Replicator) bool {
	upload := st.set.o.Upload
	return upload == nil || upload(st.remote, r.core.DiscoveryKey())
}
