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

// answers adds the answers to requests: the proofs, or that there are none.
func (l *link) answers(ctx context.Context, list []outgoing, requests []*merkle.Request) []outgoing {
	if len(requests) == 0 {
		return list
	}
	if !l.stream.uploads(l.replicator) {
		for _, q := range requests {
			list = append(list, noData(q, wire.ReasonNotAvailable))
		}
		return list
	}
	for i, a := range l.replicator.core.ProveAll(ctx, requests) {
		if a.Err != nil {
			list = append(list, l.refuse(requests[i], a.Err))
		} else {
			list = append(list, data(a.Proof))
		}
	}
	return list
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

func noData(q *merkle.Request, reason wire.Reason) outgoing {
	m := wire.NoData{Request: q.ID, Reason: reason}
	return outgoing{typ: wire.TypeNoData, size: small, encode: m.Append}
}

// uploads tells whether the peer may have blocks of a core.
func (st *stream) uploads(r *Replicator) bool {
	upload := st.set.o.Upload
	return upload == nil || upload(st.remote, r.core.DiscoveryKey())
}
