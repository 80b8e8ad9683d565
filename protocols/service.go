package protocols

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/replicate"
)

const (
	// Replicate is the protocol of framed replication messages.
	Replicate protocol.ID = "/hypercore/replicate/1"

	// SecretStream is the protocol of a stock Hypercore peer's bytes, encrypted once more by itself.
	SecretStream protocol.ID = "/hypercore/secretstream/1"

	// ServiceName is what the resource manager calls replication streams.
	ServiceName = "hypernode.replicate"

	// TopicService is what the resource manager calls streams of applications.
	TopicService = "hypernode.topic"

	// StreamMemory is how many bytes are reserved for a replication stream: frames that are read and written, requests and
	// answers that wait.
	StreamMemory = 1 << 20

	// TopicMemory is how many bytes are reserved for a stream of an application.
	TopicMemory = 64 << 10

	// MaxPeerStreams is how many replication streams a peer may have at a time: the one in use, one that it opened at the same
	// moment, one that comes in its place, and a raw one.
	MaxPeerStreams = 4
)

// The defaults of Options.
const (
	DefaultOpenTimeout = 15 * time.Second
	DefaultRelayed     = 5 * time.Second
)

// Options are the settings of a Service. The zero value serves only cores that are open.
type Options struct {
	// Find returns cores that peers name and that are not open.
	Find replicate.Find
	// Static is the key pair by which stock Hypercore peers know this side; the default is a new one for each stream.
	Static keys.Pair
	// OpenTimeout is how long dialling, opening a stream and its first bytes may take together; the default is 15 s.
	OpenTimeout time.Duration
	// Relayed is how long a peer that is met through a relay has to be reached directly before its relay is used; the default is
	// 5 s. As long as OpenTimeout means never.
	Relayed time.Duration
	// Idle is how long a peer may be silent on a replication stream. The default is no limit: libp2p finds out about dead
	// connections, and not every peer sends keep-alives.
	Idle time.Duration
	// Up and Down are told when the first stream with a peer stands, and when its last one has ended. They must not block.
	Up, Down func(peer.ID)
	// Logger is told why streams end; nil means nobody is.
	Logger *slog.Logger
}

// Service is the replication streams of a host.
type Service struct {
	host host.Host
	set  *replicate.Set
	o    Options

	work chan func(context.Context) // what Run starts a goroutine for
	done chan struct{}              // closed when Run has ended

	mu       sync.Mutex // guards what follows
	running  bool
	handlers int // handlers of libp2p that are running
	idle     chan struct{}
	links    map[peer.ID]*links
	changed  chan struct{}         // closed when links change
	relayed  map[peer.ID]time.Time // when a peer was not reached directly in time
	topics   map[subject]*handler
	counts   map[protocol.ID]int // handlers of each protocol
}

// New binds set to a host. Nothing happens before Run.
func New(h host.Host, set *replicate.Set, o Options) *Service {
	if o.OpenTimeout <= 0 {
		o.OpenTimeout = DefaultOpenTimeout
	}
	if o.Relayed <= 0 {
		o.Relayed = DefaultRelayed
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{
		host: h, set: set, o: o,
		work: make(chan func(context.Context)), done: make(chan struct{}),
		links: map[peer.ID]*links{}, changed: make(chan struct{}), relayed: map[peer.ID]time.Time{},
		topics: map[subject]*handler{}, counts: map[protocol.ID]int{},
	}
}

// Run takes the streams that peers open, and serves those that this side opens, until ctx ends. Then it closes all of them
// and returns nil. A Service runs once.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.running, s.idle = true, make(chan struct{})
	s.mu.Unlock()
	s.host.SetStreamHandler(Replicate, s.handler(ctx, s.acceptFramed))
	s.host.SetStreamHandler(SecretStream, s.handler(ctx, s.acceptSecret))
	var served sync.WaitGroup
	served.Go(func() {
		if err := s.leaveRelays(ctx); err != nil {
			s.o.Logger.Warn("streams through relays stay there", "reason", err)
		}
	})
	for ctx.Err() == nil {
		select {
		case job := <-s.work:
			served.Go(func() { job(ctx) })
		case <-ctx.Done():
		}
	}
	close(s.done)
	s.host.RemoveStreamHandler(Replicate)
	s.host.RemoveStreamHandler(SecretStream)
	served.Wait()
	s.drain()
	return nil
}

// handler makes a handler of libp2p, which has a goroutine for each stream, one that Run waits for.
func (s *Service) handler(ctx context.Context, serve func(context.Context, network.Stream)) network.StreamHandler {
	return func(st network.Stream) {
		if !s.enter() {
			st.ResetWithError(network.StreamShutdown)
			return
		}
		defer s.leave()
		serve(ctx, st)
	}
}

func (s *Service) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		s.handlers++
	}
	return s.running
}

func (s *Service) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers--
	if !s.running && s.handlers == 0 {
		close(s.idle)
	}
}

// drain waits for the handlers that are running; no more begin.
func (s *Service) drain() {
	s.mu.Lock()
	s.running = false
	for key := range s.topics {
		delete(s.topics, key)
	}
	if s.handlers == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	<-s.idle
}

// start has Run start a goroutine.
func (s *Service) start(ctx context.Context, job func(context.Context)) error {
	select {
	case s.work <- job:
		return nil
	case <-s.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Start runs a job in a goroutine that Run waits for; ctx of the job ends with Run. It tells false when Run has ended, or has
// not begun.
func (s *Service) Start(job func(context.Context)) bool {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	return running && s.start(context.Background(), job) == nil
}
