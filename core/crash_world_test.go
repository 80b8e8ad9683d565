package core_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// The two sides of a crashWorld: each step is taken by the shadow, which cannot fail, and then by the store under test.
const (
	shadow = iota
	tested
	sides
)

// crashWorld is a store whose crashes are simulated, and beside it what is known to be right. Steps are numbered from 1;
// the state after step r of every core is known before the store under test begins with it.
type crashWorld struct {
	ctx     context.Context
	seed    uint64
	rng     *rand.Rand
	mode    datastore.Durability
	disk    *crashDisk
	gate    *crashGate // of the store that is open
	db      [sides]*datastore.DB
	outside *datastore.DB // has the writers of cores that are only read here
	serial  uint64        // for contents that are never the same

	mu       sync.Mutex // guards the fields below
	cores    []*crashCore
	parallel []bool // by step: it consists of commits in no order
	started  int    // the step that runs
	done     int    // the last step that returned
	durable  int    // the last step that was acknowledged as durable
	seen     int    // the last one of which a peer has seen something
}

// crashCore is one core of a world, in both stores.
type crashCore struct {
	key     keys.Key
	pair    keys.Pair
	options core.Options
	secret  bool // its seed lies in the store, which is to find it by itself
	remote  bool // only read here: origin writes it
	origin  *core.Core
	on      [sides]*core.Core
	blocks  [][]byte // all of the log, as the user sees them
	gone    bool

	events []crashEvent // by step; guarded by the world's mu
	shown  int          // the step of the last head that a peer has seen; guarded by the world's mu
}

// crashEvent is the state of a core from a step on.
type crashEvent struct {
	step   int
	print  string // see crashPrint
	head   core.Head
	blocks [][]byte
}

const absent = "absent"

// userNames are the names of user data that a workload uses.
var userNames = [...]string{"a", "b"}

// crashPrint is all that is to be seen of a core but its blocks.
func crashPrint(ctx context.Context, c *core.Core) (string, error) {
	held, err := c.Held(ctx, 0, math.MaxUint64)
	if err != nil {
		return "", err
	}
	var user [len(userNames)][]byte
	for i, name := range userNames {
		if user[i], err = c.UserData(ctx, name); err != nil {
			return "", err
		}
	}
	tree := c.TreeHash()
	sig := keys.Hash(c.Signature())
	return fmt.Sprintf("head %v tree %x signature %x contiguous %d held %v user %q writable %v frozen %v",
		c.Head(), tree[:4], sig[:4], c.Contiguous(), held, user, c.Writable(), c.Conflict() != nil), nil
}

// crashMove is what one core does in a step.
type crashMove struct {
	core   *crashCore
	do     func(side int) error
	blocks [][]byte // of the core after it
	gone   bool     // the core is not there after it
}

// step takes one step, on the shadow and then on the store under test. Several moves run beside each other. A lazy step
// need not be durable when it returns.
func (w *crashWorld) step(lazy bool, moves ...crashMove) error {
	err := w.foresee(moves)
	if errors.Is(err, core.ErrNotAvailable) {
		return nil // a cut to where the log was cleared, tree and all
	}
	if err != nil {
		return fmt.Errorf("shadow: %w", err)
	}
	errs := make([]error, len(moves))
	var wg sync.WaitGroup
	for i := range moves[1:] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i+1] = moves[i+1].do(tested)
		}()
	}
	errs[0] = moves[0].do(tested)
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return &stepError{lazy: lazy, moves: moves, failed: i, err: err}
		}
	}
	return w.finish(lazy, moves)
}

// stepError is a step that the store under test did not take.
type stepError struct {
	lazy   bool
	moves  []crashMove
	failed int
	err    error
}

func (e *stepError) Error() string { return e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// foresee lets the shadow take a step and notes where it leads.
func (w *crashWorld) foresee(moves []crashMove) error {
	events := make([]crashEvent, len(moves))
	for i, m := range moves {
		if err := m.do(shadow); err != nil {
			return err
		}
		m.core.blocks, m.core.gone = m.blocks, m.gone
		events[i] = crashEvent{print: absent, blocks: m.blocks}
		if m.gone {
			continue
		}
		var err error
		if events[i].print, err = crashPrint(w.ctx, m.core.on[shadow]); err != nil {
			return err
		}
		events[i].head = m.core.on[shadow].Head()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started++
	w.parallel = append(w.parallel, len(moves) > 1)
	for i, m := range moves {
		events[i].step = w.started
		m.core.events = append(m.core.events, events[i])
	}
	return nil
}

// finish notes that the store under test acknowledged a step, and holds it against the shadow.
func (w *crashWorld) finish(lazy bool, moves []crashMove) error {
	w.mu.Lock()
	w.done = w.started
	if !lazy && w.mode == datastore.Full {
		w.durable = w.done
	}
	w.mu.Unlock()
	for _, m := range moves {
		if m.gone {
			continue
		}
		got, err := crashPrint(w.ctx, m.core.on[tested])
		if want := m.core.events[len(m.core.events)-1].print; err != nil || got != want {
			return fmt.Errorf("after step %d: %s (%w), the shadow has %s", w.done, got, err, want)
		}
	}
	return nil
}

// settled notes that all steps so far are on stable storage.
func (w *crashWorld) settled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.durable = w.done
}

// showed notes that a peer has seen a head of a core that is written here.
func (w *crashWorld) showed(c *crashCore, fork, length uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.remote || fork == 0 && length == 0 {
		return // not signed here, or not at all
	}
	for _, e := range c.events {
		if e.head.Fork == fork && e.head.Length == length && e.print != absent {
			c.shown = max(c.shown, e.step)
			w.seen = max(w.seen, e.step)
			return
		}
	}
}

// crashSource is a source of cores that notes what it is told, and has nothing.
type crashSource struct {
	world *crashWorld
	core  *crashCore
}

func (s crashSource) Attach(c *core.Core) core.Session {
	h := c.Served()
	s.world.showed(s.core, h.Fork, h.Length)
	return s
}

func (s crashSource) Fetch(context.Context, core.Want) error { return core.ErrNotAvailable }

func (s crashSource) Changed(ch core.Change) {
	s.world.showed(s.core, ch.Head.Fork, ch.Head.Length)
}

func (s crashSource) Close() error { return nil }
