package replicate

import (
	"context"
	"errors"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// outgoing is a message that is ready to be sent.
type outgoing struct {
	typ    wire.Type
	size   int                 // at most, about
	encode func([]byte) []byte // or, the most frequent ones without a function of their own:
	ask    *merkle.Request
	proof  *merkle.Proof
	latest bool // it is a sync that may be overtaken: the latest is sent in its place
	block  bool // it carries a block, of value bytes
	value  int
	after  func() // called once it is on its way; may be nil
}

// append appends the message that is being sent.
func (l *link) append(b []byte) []byte {
	switch m := l.sending; {
	case m.ask != nil:
		return merkle.AppendRequest(b, m.ask)
	case m.proof != nil:
		return merkle.AppendProof(b, m.proof)
	default:
		return m.encode(b)
	}
}

// small is more than the size of a message of a few numbers.
const small = 64

// turn is how many messages are made at a time.
const turn = 64

// fillFirst sends what must not wait behind the bulk: what the scheduler has to say, answers to urgent requests, gifts and
// extensions. It tells whether there is more, or no more room. The goroutine that writes calls it.
func (l *link) fillFirst(ctx context.Context) (more, full bool) {
	c := l.open()
	if c == nil {
		return false, false
	}
	for range 4 {
		if !l.flush(c, &l.first) {
			return true, true
		}
		if l.dead {
			return false, false
		}
		if l.gather(ctx); len(l.first) == 0 {
			return false, false
		}
	}
	return true, !l.flush(c, &l.first)
}

// fillBulk sends answers to requests that are not urgent, a group at a time. It tells whether there are more, or no more
// room.
func (l *link) fillBulk(ctx context.Context) (more, full bool) {
	c := l.open()
	if c == nil {
		return false, false
	}
	if len(l.bulk) == 0 {
		l.bulk = l.answers(ctx, l.bulk, l.requests.take(false, turn, l.replicator.groupOf(maxAnswers)), l.proves())
	}
	if !l.flush(c, &l.bulk) {
		return true, true
	}
	if more = l.requests.waits(false); !more && l.prover != nil {
		l.stream.provers.Put(l.prover)
		l.prover = nil
	}
	return more, false
}

// proves returns what makes the answers that are not urgent. It is lent by the stream while there are some.
func (l *link) proves() *core.Prover {
	if l.prover == nil {
		l.prover, _ = l.stream.provers.Get().(*core.Prover)
	}
	if l.prover == nil {
		l.prover = new(core.Prover)
	}
	return l.prover
}

// open returns the channel if the peer has opened it too, else nil.
func (l *link) open() *mux.Channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opened || l.dead {
		return nil
	}
	return l.channel
}

// flush sends messages and returns false when there was no room for all.
func (l *link) flush(c *mux.Channel, list *[]outgoing) bool {
	var blocks, bytes, sent uint64
	defer func() { l.sent(blocks, bytes, sent) }()
	for k := range *list {
		m := &(*list)[k]
		if m.latest {
			m.encode = l.lastSync().Append
		}
		l.sending = m
		err := c.Append(uint64(m.typ), m.size, l.encoder)
		if errors.Is(err, mux.ErrFull) {
			*list = (*list)[k:]
			return false
		}
		if err != nil {
			l.dead = true // the channel or the stream is over, and its handler is told
			break
		}
		if m.block {
			blocks, bytes = blocks+1, bytes+uint64(m.value)
		}
		sent += uint64(m.size)
		if m.after != nil {
			m.after()
		}
	}
	clear(*list)
	*list = (*list)[:0]
	return true
}

// gather fills the list of what comes first.
func (l *link) gather(ctx context.Context) {
	if l.conflict() {
		return
	}
	if err := l.replicator.load(ctx); err != nil {
		return
	}
	l.prepare(ctx)
	l.sendTail(ctx)
	l.messages = l.schedule(l.messages[:0])
	for k := range l.messages {
		l.encode(ctx, &l.messages[k])
	}
	if l.requests.waits(true) && l.stream.mayAnswer(time.Now()) {
		q := l.requests.take(true, turn, l.replicator.groupOf(maxAnswers))
		l.first = l.answers(ctx, l.first, q, nil)
	}
	l.gifts(ctx)
	l.takeExtensions()
}

// schedule asks the scheduler what to send.
func (l *link) schedule(list []message) []message {
	now := time.Now()
	r := l.replicator
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(l.peer.asks)
	for len(list) < turn {
		m, ok := r.sched.next(l.peer, now)
		if !ok {
			break
		}
		list = append(list, m)
	}
	if len(l.peer.asks) > before || !l.peer.probe.IsZero() || !l.peer.hold.IsZero() || r.sched.laterFork(l.peer) || r.sched.detains(l.peer) {
		l.stream.arm()
	}
	return list
}

// prepare tells the scheduler what it has to know of the store and of the permissions before it speaks to the peer.
func (l *link) prepare(ctx context.Context) {
	r := l.replicator
	upload := l.stream.uploads(r)
	r.mu.Lock()
	p := l.peer
	p.refused = !upload
	p.retired = l.stream.retiring.Load()
	length, ask := r.sched.unsureOf(p)
	r.mu.Unlock()
	if !ask {
		return
	}
	ok, err := r.core.Provable(ctx, length)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && p.remote.Length == length {
		p.provable = ok
	}
}

// encode adds a message of the scheduler's.
func (l *link) encode(ctx context.Context, m *message) {
	add := func(typ wire.Type, size int, encode func([]byte) []byte) {
		l.first = append(l.first, outgoing{typ: typ, size: size, encode: encode})
	}
	switch {
	case m.sync != nil:
		add(wire.TypeSync, small, m.sync.Append)
	case m.ranges != nil:
		add(wire.TypeRange, small, m.ranges.Append)
	case m.bitfield != nil:
		add(wire.TypeBitfield, len(m.bitfield.Bits)+small, m.bitfield.Append)
	case m.want != nil:
		add(wire.TypeWant, small, m.want.Append)
	case m.cancel != nil:
		add(wire.TypeCancel, small, m.cancel.Append)
	case m.tail != nil:
		add(wire.TypeExtension, small, wire.Extension{Name: tailName, Payload: m.tail}.Append)
	case m.locate == nil || l.locate(ctx, m.locate):
		q := m.request
		if m.measure {
			// Without an answer the request is for the whole path.
			if n, err := l.replicator.core.MissingNodes(ctx, q.Block.Index); err == nil {
				q.Block.Nodes = n
			}
		}
		l.first = append(l.first, outgoing{typ: wire.TypeRequest, size: small, ask: q})
	}
}

// conflict adds the proof that the core is frozen, once, behind which the channel is closed. It returns false when the core
// is not.
func (l *link) conflict() bool {
	r := l.replicator
	r.mu.Lock()
	frozen := r.frozen
	r.mu.Unlock()
	if !frozen {
		return false
	}
	if proof := r.core.Conflict(); proof != nil && !l.accused {
		l.accused = true
		l.first = append(l.first, outgoing{typ: wire.TypeData, size: proof.A.Size(), proof: proof.A, after: l.end})
	}
	return true
}
