package replicate

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hypernode/hypernode/core"
)

// Replicator is the session of one core: it carries the core's wants to the peers that have it. It is a [core.Extender] too.
type Replicator struct {
	set  *Set
	core *core.Core

	telling sync.Mutex // held while wants are told what came; taken before mu

	mu       sync.Mutex // guards what follows
	sched    *scheduler
	links    map[*link]struct{} // open, or about to be
	version  uint64             // counts the changes
	frozen   bool
	closed   bool
	gone     Counters      // of links that have left
	joined   chan struct{} // closed at the first sync of a peer; nil when nobody waits
	handlers map[string]func(peer string, data []byte)
}

// Fetch implements [core.Session]. A want that no peer can fulfil waits for one that can until ctx ends; a want of the head
// alone is fulfilled when none of the peers that are there has a later one, but for those that leave 5 s pass without a word.
func (r *Replicator) Fetch(ctx context.Context, w core.Want) error {
	job := newWant(w)
	if err := r.begin(job); err != nil {
		return err
	}
	select {
	case <-job.done:
		return job.err
	case <-ctx.Done():
	}
	r.mu.Lock()
	r.sched.remove(job)
	ended, ends := job.ended, r.sched.tailEnds()
	r.mu.Unlock()
	if ends {
		r.wake()
	}
	if ended {
		return job.err
	}
	return fmt.Errorf("%w: no peer gave it in time: %w", core.ErrNotAvailable, ctx.Err())
}

// Joined returns nil once a peer has the core's channel open and has told of its head; an error when ctx or the session ends
// before.
func (r *Replicator) Joined(ctx context.Context) error {
	for {
		r.mu.Lock()
		for p := range r.sched.peers {
			if p.synced {
				r.mu.Unlock()
				return nil
			}
		}
		err := r.unusableLocked()
		if r.joined == nil {
			r.joined = make(chan struct{})
		}
		joined := r.joined
		r.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-joined:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// joinedLocked wakes who waits for a peer.
func (r *Replicator) joinedLocked() {
	if r.joined != nil {
		close(r.joined)
		r.joined = nil
	}
}

// wanted tells whether something of the core may come from peers: of one that is written here only what is waited for.
func (r *Replicator) wanted() bool {
	if !r.core.Signs() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sched.wants) > 0
}

func (r *Replicator) unusableLocked() error {
	switch {
	case r.closed:
		return core.ErrClosed
	case r.frozen:
		return core.ErrConflict
	}
	return nil
}

// Changed implements [core.Session].
func (r *Replicator) Changed(ch core.Change) {
	r.mu.Lock()
	r.version++
	r.sched.changed(ch)
	if ch.Conflict {
		r.frozen = true
		r.failLocked(core.ErrConflict)
	}
	news := r.newsLocked()
	r.mu.Unlock()
	r.tell(news)
	r.wake()
}

// Close implements [core.Session]: the core's channels are closed, the streams live on.
func (r *Replicator) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.failLocked(core.ErrClosed)
	r.joinedLocked()
	links := r.linksLocked()
	r.mu.Unlock()
	r.set.detach(r)
	for _, l := range links {
		l.end()
	}
	return nil
}

// failLocked ends all wants.
func (r *Replicator) failLocked(err error) {
	for w := range r.sched.wants {
		w.finish(err)
		r.sched.unlist(w)
	}
}

func (r *Replicator) list() []*link {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.linksLocked()
}

func (r *Replicator) linksLocked() []*link {
	list := make([]*link, 0, len(r.links))
	for l := range r.links {
		list = append(list, l)
	}
	return list
}

// newsLocked tells whether tell is to be called, without mu.
func (r *Replicator) newsLocked() bool {
	return len(r.sched.progress)+len(r.sched.ended)+len(r.sched.marked) > 0
}

// tell reports progress and ends the wants that have all, each after its last report.
func (r *Replicator) tell(news bool) {
	if !news {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.mu.Lock()
	reports, ended := r.sched.progress, r.sched.ended
	r.sched.progress, r.sched.ended = nil, nil
	meters := r.sched.measure()
	r.mu.Unlock()
	for _, m := range meters {
		m.meter.Set(m.progress)
	}
	for _, p := range reports {
		p.call(p.done, p.total)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range ended {
		w.finish(nil)
	}
}

// step lets fn tell the scheduler what has happened, and wakes the peers that it may concern: l alone, or all when all is set.
func (r *Replicator) step(l *link, all bool, fn func(s *scheduler)) {
	r.mu.Lock()
	fn(r.sched)
	if l.peer.synced {
		r.joinedLocked()
	}
	news := r.newsLocked()
	fault := l.peer.fault
	others := len(r.sched.urgent) > 0 || r.sched.dirty
	later := r.sched.tailComes(l.peer) // what there is to say can be said once that is applied
	r.sched.dirty = false
	r.mu.Unlock()
	r.tell(news)
	if fault != nil {
		l.stream.fail(fault)
	}
	switch {
	case others || all && !later:
		r.wake()
	case !later:
		l.wake()
	}
}

// wake makes all peers' streams look for what there is to send.
func (r *Replicator) wake() {
	for _, l := range r.list() {
		l.wake()
	}
}

// arm has all peers' streams look after what may get late.
func (r *Replicator) arm() {
	for _, l := range r.list() {
		l.stream.arm()
	}
}

// load tells the scheduler what the core has, before the first peer is told of it.
func (r *Replicator) load(ctx context.Context) error {
	for {
		r.mu.Lock()
		version, loaded := r.version, r.sched.loaded
		r.mu.Unlock()
		if loaded {
			return nil
		}
		head := r.core.Served()
		held, err := r.core.Held(ctx, 0, head.Length)
		if err != nil {
			return err
		}
		known := r.core.Manifest() != nil || r.core.Compat()
		r.mu.Lock()
		if r.version == version {
			r.sched.load(head, held, known)
		}
		news := r.newsLocked()
		r.mu.Unlock()
		r.tell(news)
	}
}

// forgetLocked gives back what the scheduler keeps for peers when there are none.
func (r *Replicator) forgetLocked() {
	if len(r.links) == 0 {
		s := r.sched
		s.loaded, s.manifest = false, false
	}
}

// Send implements [core.Extender]. A peer that takes too little at a time misses messages.
func (r *Replicator) Send(peer, name string, data []byte) {
	for _, l := range r.list() {
		if peer == "" || peer == string(l.stream.remote) {
			l.extend(name, slices.Clone(data))
		}
	}
}

// Handle implements [core.Extender].
func (r *Replicator) Handle(name string, receive func(peer string, data []byte)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handlers == nil {
		r.handlers = map[string]func(string, []byte){}
	}
	if r.handlers[name] = receive; receive == nil {
		delete(r.handlers, name)
	}
}
