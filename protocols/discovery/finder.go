package discovery

import (
	"context"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Router finds peers of topics, and tells others of this one, in one network. Its methods may be called from several
// goroutines.
type Router interface {
	// Name is what the network is called in the status and in logs.
	Name() string
	// Ready tells whether there is anybody to ask.
	Ready() bool
	// Find yields peers as they are found, until ctx ends or there are no more.
	Find(ctx context.Context, t Topic) iter.Seq[peer.AddrInfo]
	// Announce tells others of this peer, and goes on doing so until Withdraw; it returns once somebody was told.
	Announce(ctx context.Context, t Topic) error
	// Withdraw ends the announcing. What was told lives on for some time.
	Withdraw(t Topic)
}

// Options are the settings of a Finder.
type Options struct {
	Routers []Router
	// Lookup is how long one lookup may take; the default is 60 s.
	Lookup time.Duration
	// Again and Seldom are how soon a lookup is repeated: at first, then each time after twice as long, up to Seldom. The
	// defaults are 2 s and 10 min. Each is varied by a quarter.
	Again, Seldom time.Duration
	// AtOnce is how many lookups and announcements run at a time, of each kind; the default is 32.
	AtOnce int
	// Logger is told of what fails; nil means nobody is.
	Logger *slog.Logger
}

// Finder is the topics that were joined.
type Finder struct {
	o     Options
	work  chan func(context.Context)
	done  chan struct{}
	slots map[kind]chan struct{}

	mu      sync.Mutex // guards what follows
	running bool
	joined  map[Topic]map[*Membership]struct{}
	workers map[Topic]*worker
}

// kind is one of the two things that are done for a topic.
type kind uint8

const (
	looking kind = iota
	announcing
)

// New returns a Finder. Nothing happens before Run.
func New(o Options) *Finder {
	if o.Lookup <= 0 {
		o.Lookup = time.Minute
	}
	if o.Again <= 0 {
		o.Again = 2 * time.Second
	}
	if o.Seldom <= 0 {
		o.Seldom = 10 * time.Minute
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 32
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Finder{
		o: o, work: make(chan func(context.Context)), done: make(chan struct{}),
		slots:   map[kind]chan struct{}{looking: make(chan struct{}, o.AtOnce), announcing: make(chan struct{}, o.AtOnce)},
		joined:  map[Topic]map[*Membership]struct{}{},
		workers: map[Topic]*worker{},
	}
}

// Run looks and announces until ctx ends, and returns nil. A Finder runs once.
func (f *Finder) Run(ctx context.Context) error {
	var running sync.WaitGroup
	f.mu.Lock()
	f.running = true
	for _, w := range f.workers {
		running.Go(func() { f.tend(ctx, w) })
	}
	f.mu.Unlock()
	for ctx.Err() == nil {
		select {
		case job := <-f.work:
			running.Go(func() { job(ctx) })
		case <-ctx.Done():
		}
	}
	close(f.done)
	running.Wait()
	return nil
}

// Topics returns how many topics are joined.
func (f *Finder) Topics() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.joined)
}

// Routers returns the networks in which is looked.
func (f *Finder) Routers() []Router { return f.o.Routers }

// varied is a time that differs by up to a quarter, so that nodes which began together do not go on so.
func varied(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}
