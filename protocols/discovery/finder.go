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
	// Ready tells whether there is anybody to ask. It must not block.
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
	// Lookup is how long one lookup may take; the default is 60 s. While nobody is found it is twice the pause that follows.
	Lookup time.Duration
	// Again and Seldom are how soon a lookup is repeated: at first, then each time after twice as long, up to Seldom. The
	// defaults are 2 s and 10 min. Each is varied by a quarter.
	Again, Seldom time.Duration
	// Waiting takes the place of Seldom while nobody is found for a member that is not in the background; the default is 1 min.
	Waiting time.Duration
	// Apart is how far apart repeated lookups are in one network, on average, however many topics there are: with more of
	// them than go into Seldom, each is looked for more seldom still. The default is 1 s.
	Apart time.Duration
	// AtOnce is how many lookups and announcements run at a time, of each kind; the default is 32.
	AtOnce int
	// Logger is told of what fails; nil means nobody is.
	Logger *slog.Logger
}

// Finder is the topics that were joined. What is done for them is done by goroutines that live as long as one query: a topic
// that waits for its next one costs none.
type Finder struct {
	o     Options
	began time.Time
	wake  chan struct{} // holds a token when there may be something to begin

	mu       sync.Mutex // guards what follows
	ended    bool
	subjects map[Topic]*subject
	joined   int            // subjects that have members
	looked   int            // those that are looked for
	queues   [kinds]queue   // duties that wait for their time, or for their turn
	free     [kinds]int     // how many more may run
	gates    []gate         // of the routers
	running  sync.WaitGroup // attempts
}

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
	if o.Waiting <= 0 {
		o.Waiting = min(time.Minute, o.Seldom)
	}
	if o.Apart <= 0 {
		o.Apart = time.Second
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 32
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Finder{
		o: o, began: time.Now(), wake: make(chan struct{}, 1),
		subjects: map[Topic]*subject{}, free: [kinds]int{o.AtOnce, o.AtOnce}, gates: make([]gate, len(o.Routers)),
	}
}

// Run looks and announces until ctx ends, and returns nil. A Finder runs once.
func (f *Finder) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-t.C:
		case <-f.wake:
		case <-ctx.Done():
			continue
		}
		t.Reset(f.round(ctx))
	}
	f.running.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for _, s := range f.subjects {
		s.changedLocked()
	}
	return nil
}

// poke has Run look at once what there is to begin.
func (f *Finder) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// now is the time since the Finder was made.
func (f *Finder) now() time.Duration { return time.Since(f.began) }

// Topics returns how many topics are joined.
func (f *Finder) Topics() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.joined
}

// Routers returns the networks in which is looked.
func (f *Finder) Routers() []Router { return f.o.Routers }

// varied is a time that differs by up to a quarter, so that nodes which began together do not go on so.
func varied(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}
