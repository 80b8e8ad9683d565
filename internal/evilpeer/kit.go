package evilpeer

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
)

// Target is a peer that is attacked, and what the attackers know.
type Target struct {
	Addr   string     // where it accepts secret streams, as "host:port"
	Serves keys.Key   // of a core that it has
	Wants  *core.Core // the core that it is about to read; the attackers have all of it

	// Old is the proof of an earlier head of that core, from nothing, with the manifest; nil if there is none.
	Old *merkle.Proof

	once sync.Once
	hot  chan struct{}
	sent atomic.Int64
	got  atomic.Int64
}

// NewTarget returns a target.
func NewTarget(addr string, serves keys.Key, wants *core.Core) *Target {
	return &Target{Addr: addr, Serves: serves, Wants: wants, hot: make(chan struct{})}
}

// Hot is closed when the attack has begun.
func (t *Target) Hot() <-chan struct{} { return t.hot }

// Sent returns how many messages, or connections without one, the target was sent.
func (t *Target) Sent() int64 { return t.sent.Load() }

// Leaked returns how many messages about a core came back to attackers who had not proven that they know its key.
func (t *Target) Leaked() int64 { return t.got.Load() }

// struck counts n messages.
func (t *Target) struck(n int) {
	t.sent.Add(int64(n))
	t.once.Do(func() { close(t.hot) })
}

// Misbehaviour is one way to be a bad peer.
type Misbehaviour struct {
	Name string
	What string // it does, in a few words

	// Run attacks until ctx ends, or until there is nothing left to do.
	Run func(ctx context.Context, t *Target)

	Budget Budget
}

// Budget is what a misbehaviour may cost its target. A field that is 0 stands for the default.
type Budget struct {
	Honest     time.Duration // until the transfers with an honest peer are done; 5 s
	Heap       int64         // bytes of live memory more than before, those of the honest transfers included; 24 MiB
	Goroutines int           // more than before; 64
	Message    time.Duration // processor time for each message, where there are 1,000 or more; 1 ms
}

const (
	defaultHonest     = 5 * time.Second
	defaultHeap       = 24 << 20
	defaultGoroutines = 64
	defaultMessage    = time.Millisecond
)

// WithDefaults returns b with its zero fields set.
func (b Budget) WithDefaults() Budget {
	if b.Honest == 0 {
		b.Honest = defaultHonest
	}
	if b.Heap == 0 {
		b.Heap = defaultHeap
	}
	if b.Goroutines == 0 {
		b.Goroutines = defaultGoroutines
	}
	if b.Message == 0 {
		b.Message = defaultMessage
	}
	return b
}

// All returns all misbehaviours.
func All() []Misbehaviour {
	return slices.Concat(onBytes(), onChannels(), onCapabilities(), onAnnouncements(), onRequests(), onAnswers(), onForks())
}

// clones runs an attack n times at once.
func clones(n int, run func(context.Context, *Target)) func(context.Context, *Target) {
	return func(ctx context.Context, t *Target) {
		var all sync.WaitGroup
		for range n {
			all.Go(func() { run(ctx, t) })
		}
		all.Wait()
	}
}

// pause is how long an attacker that was thrown out waits until it comes again.
const pause = 20 * time.Millisecond

// again runs an attack over a new connection each time that the target has ended the last one.
func again(attack func(ctx context.Context, s *Speaker) error) func(context.Context, *Target) {
	return func(ctx context.Context, t *Target) {
		for ctx.Err() == nil {
			once(ctx, t, attack)
			rest(ctx, pause)
		}
	}
}

// stay runs an attack over one connection, and keeps that open to the end.
func stay(attack func(ctx context.Context, s *Speaker) error) func(context.Context, *Target) {
	return again(func(ctx context.Context, s *Speaker) error {
		if err := attack(ctx, s); err != nil {
			return err
		}
		return s.Listen(nil)
	})
}

func once(ctx context.Context, t *Target, attack func(ctx context.Context, s *Speaker) error) {
	s, err := Dial(ctx, t)
	if err != nil {
		return
	}
	defer s.Close()
	defer context.AfterFunc(ctx, s.Close)()
	attack(ctx, s) // it ends when the target has had enough
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
