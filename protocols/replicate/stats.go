package replicate

import (
	"slices"
	"time"
)

// Counters is what was exchanged about a core.
type Counters struct {
	BlocksIn, BytesIn   uint64 // blocks that came and were stored, and their bytes
	BlocksOut, BytesOut uint64 // blocks that were sent, and their bytes
	ReceivedBytes       uint64 // of answers, with their proofs
	SentBytes           uint64 // of messages, about
	Gifts               uint64 // blocks that came without being asked for, and were taken
	Unasked             uint64 // answers that came when nobody waited for them any more
	Refused             uint64 // proofs that did not hold
	Unavailable         uint64 // requests of ours that got no data
	Errors              uint64 // requests that could not be answered for an error of the store
}

func (c *Counters) add(o *Counters) {
	c.BlocksIn += o.BlocksIn
	c.BytesIn += o.BytesIn
	c.BlocksOut += o.BlocksOut
	c.BytesOut += o.BytesOut
	c.ReceivedBytes += o.ReceivedBytes
	c.SentBytes += o.SentBytes
	c.Gifts += o.Gifts
	c.Unasked += o.Unasked
	c.Refused += o.Refused
	c.Unavailable += o.Unavailable
	c.Errors += o.Errors
}

// Stats is what a core has exchanged with all its peers, those that left too.
type Stats struct {
	Peers int // with an open channel
	Counters
}

// PeerStats is a core's traffic with one peer, at a moment.
type PeerStats struct {
	Peer         string // the remote key of its stream
	Initiator    bool   // this side dialled
	Fork, Length uint64 // as the peer said last
	Blocks       uint64 // of our head's that the peer has announced
	Counters

	Asked      int           // requests that it has not answered
	AskedBytes int           // that are expected from them
	Window     int           // how many bytes are asked for at once, at most
	RoundTrip  time.Duration // the shortest from request to answer, 0 when unknown
	Rate       float64       // bytes per second of late, 0 when unknown
	Waiting    int           // its requests that are not answered
	Choked     bool          // it is asked for no more: it gives nothing, the window is full, or the rate is used up
}

// Stats returns what was counted up to now.
func (r *Replicator) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := Stats{Peers: len(r.sched.peers), Counters: r.gone}
	for l := range r.links {
		st.add(&l.stats)
	}
	return st
}

// Peers returns the state of each peer of the core with an open channel, in the order of their names.
func (r *Replicator) Peers() []PeerStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []PeerStats
	for l := range r.links {
		if _, joined := r.sched.peers[l.peer]; joined {
			list = append(list, l.statsLocked())
		}
	}
	slices.SortFunc(list, func(a, b PeerStats) int {
		switch {
		case a.Peer < b.Peer:
			return -1
		case a.Peer > b.Peer:
			return 1
		}
		return 0
	})
	return list
}

func (l *link) statsLocked() PeerStats {
	p, s, now := l.peer, l.replicator.sched, time.Now()
	return PeerStats{
		Peer: string(l.stream.remote), Initiator: l.stream.initiator, Fork: p.remote.Fork, Length: p.remote.Length,
		Blocks: p.have.Count(0, s.head.Length), Counters: l.stats,
		Asked: len(p.asks), AskedBytes: p.bytes, Window: p.pace.window(p.haste.is(now)), RoundTrip: p.pace.trip, Rate: p.pace.rate,
		Waiting: l.requests.count(), Choked: !s.canAsk(p) || p.full(now) || !p.hold.IsZero(),
	}
}

// count changes the counters of a link.
func (l *link) count(fn func(c *Counters)) {
	l.replicator.mu.Lock()
	defer l.replicator.mu.Unlock()
	fn(l.countersLocked())
}

// countersLocked are the link's or, once it has left, those of all that have: what came last may be applied after that.
func (l *link) countersLocked() *Counters {
	if l.left {
		return &l.replicator.gone
	}
	return &l.stats
}

// sent counts what was sent, and holds the stream back as the rate demands.
func (l *link) sent(blocks, bytes, all uint64) {
	if all == 0 {
		return
	}
	l.count(func(c *Counters) {
		c.BlocksOut += blocks
		c.BytesOut += bytes
		c.SentBytes += all
	})
	if rate := l.stream.set.o.UploadRate; rate != nil {
		l.stream.pause(rate.Take(int(all)))
	}
}
