package replicate

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/mux"
)

// Set is the cores that are open here and the streams over which they are replicated. It is a [core.Source].
type Set struct {
	o Options

	mu      sync.Mutex // guards what follows
	cores   map[keys.DiscoveryKey]*Replicator
	streams map[*stream]struct{}
}

// Find returns a handle on a core that is here, for a peer that names it, or core.ErrNotFound. The handle is closed when the
// peer's channel is. corestore.Store.Find is one.
type Find func(ctx context.Context, d keys.DiscoveryKey) (*core.Core, error)

// New returns a Set without cores and streams.
func New(o Options) *Set {
	return &Set{o: o, cores: map[keys.DiscoveryKey]*Replicator{}, streams: map[*stream]struct{}{}}
}

// Attach implements [core.Source].
func (s *Set) Attach(c *core.Core) core.Session {
	r := &Replicator{set: s, core: c, sched: newScheduler(), links: map[*link]struct{}{}}
	r.sched.head, r.sched.allowPush = c.Served(), !s.o.NoPush
	r.sched.tails = !s.o.NoPush && s.o.DownloadRate == nil // who sends unasked knows no rate but its own
	r.frozen = c.Conflict() != nil
	s.mu.Lock()
	s.cores[c.DiscoveryKey()] = r
	streams := s.streamsLocked()
	s.mu.Unlock()
	for _, st := range streams {
		st.open(r)
		st.reconsider(c.DiscoveryKey())
	}
	return r
}

func (s *Set) streamsLocked() []*stream {
	list := make([]*stream, 0, len(s.streams))
	for st := range s.streams {
		list = append(list, st)
	}
	return list
}

// seek opens a channel to each peer for a core of which something is wanted, if the peer may be asked.
func (s *Set) seek(r *Replicator) {
	for _, st := range s.list() {
		st.open(r)
	}
}

func (s *Set) detach(r *Replicator) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := r.core.DiscoveryKey(); s.cores[d] == r {
		delete(s.cores, d)
	}
}

// Core returns the session of a core that is open here, nil when there is none.
func (s *Set) Core(d keys.DiscoveryKey) *Replicator {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cores[d]
}

// Streams returns how many peers are connected.
func (s *Set) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// Serve replicates with one peer until the stream ends, and returns why: nil for an orderly end by the peer, and by
// [Set.Retire]. The end of ctx ends the stream. find, which may be nil, is asked for cores that are not open. Serve takes conn
// over.
func (s *Set) Serve(ctx context.Context, conn mux.Conn, find Find) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st := newStream(s, conn, find)
	st.mux = mux.New(conn, mux.Options{Offered: st.offered, Frame: func() error { return st.endFrame(ctx) }, Fill: func() { st.fill(ctx) }})
	st.capFrames(unprovenFrame)
	s.mu.Lock()
	s.streams[st] = struct{}{}
	var cores []*Replicator
	for _, r := range s.cores {
		cores = append(cores, r)
	}
	s.mu.Unlock()
	for _, r := range cores {
		st.open(r)
	}
	defer func() {
		s.mu.Lock()
		delete(s.streams, st)
		s.mu.Unlock()
		st.forsake()
	}()
	var loops sync.WaitGroup
	loops.Go(func() {
		st.mux.WriteLoop(ctx)
		st.release()
	})
	loops.Go(func() { st.applyLoop(ctx) })
	loops.Go(func() { st.offerLoop(ctx) })
	err := st.cause(st.mux.ReadLoop(ctx)) // and not what its end brings about
	cancel()
	st.mux.Close()
	loops.Wait()
	return err
}

// Seek tells that Options.Seek now says yes for a peer and a core: the peer is asked for the core, if it is connected.
func (s *Set) Seek(peer []byte, d keys.DiscoveryKey) {
	r := s.Core(d)
	if r == nil {
		return
	}
	for _, st := range s.list() {
		if bytes.Equal(st.remote, peer) {
			st.open(r)
		}
	}
}

// Retire gives up the stream of a connection: no new channel and no new request goes out on it. Serve ends it in order once
// nothing is under way in either direction, after 10 s at most.
func (s *Set) Retire(conn mux.Conn) {
	for _, st := range s.list() {
		if st.mux.Conn() != conn {
			continue
		}
		st.mu.Lock()
		if st.retired.IsZero() {
			st.retired = time.Now()
		}
		st.mu.Unlock()
		st.retiring.Store(true)
		st.arm()
	}
}

func (s *Set) list() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streamsLocked()
}

// received tells how long to ask for no more after so many bytes came.
func (s *Set) received(bytes int) time.Duration {
	if s.o.DownloadRate == nil {
		return 0
	}
	return s.o.DownloadRate.Take(bytes)
}
