package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hypernode/hypernode/core/keys"
)

// seedsAtOnce is how many seeds are worked at at a time.
const seedsAtOnce = 32

// seeder does what the seeds need: something when one is opened, or has changed, or its time has come. A seed for which there
// is nothing to do costs no goroutine.
type seeder struct {
	tend func(context.Context, *seed) (again time.Duration) // does it for one
	wake chan struct{}                                      // holds a token when there is something to do

	mu      sync.Mutex // guards what follows, and the seeds' turns
	running bool
	due     []*seed
	workers int
	cores   map[keys.DiscoveryKey][]*seed // by the cores that they keep
}

// turn is where a seed stands with the seeder, which guards it.
type turn struct {
	due, busy, again bool
	timer            *time.Timer // its time; nil when there is none
}

func newSeeder(tend func(context.Context, *seed) time.Duration) *seeder {
	return &seeder{tend: tend, wake: make(chan struct{}, 1), cores: map[keys.DiscoveryKey][]*seed{}}
}

// begin has what is touched from now on be done by run.
func (q *seeder) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = true
}

// run works until ctx ends, and returns the seeds that have cores open, when nothing more goes on.
func (q *seeder) run(ctx context.Context) map[*seed]bool {
	var workers sync.WaitGroup
	for ctx.Err() == nil {
		select {
		case <-q.wake:
		case <-ctx.Done():
			continue
		}
		q.mu.Lock()
		for n := len(q.due); n > 0 && q.workers < seedsAtOnce; n-- {
			q.workers++
			workers.Go(func() { q.work(ctx) })
		}
		q.mu.Unlock()
	}
	q.mu.Lock()
	q.running, q.due = false, nil
	q.mu.Unlock()
	workers.Wait()
	open := map[*seed]bool{}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, list := range q.cores {
		for _, s := range list {
			open[s] = true
		}
	}
	return open
}

// work does what is due, until there is no more.
func (q *seeder) work(ctx context.Context) {
	for {
		s := q.take(ctx)
		if s == nil {
			return
		}
		again := q.tend(ctx, s)
		q.mu.Lock()
		s.turn.busy = false
		switch {
		case s.turn.again:
			s.turn.again = false
			q.touchLocked(s)
		case again > 0 && q.running:
			s.turn.timer = time.AfterFunc(again, func() { q.touch(s) })
		}
		q.mu.Unlock()
	}
}

// take returns the seed whose turn it is, or notes that the worker has nothing more to do.
func (q *seeder) take(ctx context.Context) *seed {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.due) == 0 || ctx.Err() != nil {
		q.workers--
		return nil
	}
	s := q.due[0]
	q.due[0] = nil
	q.due = q.due[1:]
	if s.turn.timer != nil {
		s.turn.timer.Stop()
	}
	s.turn = turn{busy: true}
	return s
}

// touch has something done for a seed soon.
func (q *seeder) touch(s *seed) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.touchLocked(s)
}

func (q *seeder) touchLocked(s *seed) {
	switch {
	case !q.running, s.turn.due:
	case s.turn.busy:
		s.turn.again = true
	default:
		s.turn.due = true
		q.due = append(q.due, s)
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// changed is told of a change of a core.
func (q *seeder) changed(d keys.DiscoveryKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.cores[d] {
		q.touchLocked(s)
	}
}

// follow has a seed touched when a core changes, until unfollow.
func (q *seeder) follow(s *seed, d keys.DiscoveryKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cores[d] = append(q.cores[d], s)
}

func (q *seeder) unfollow(s *seed, d keys.DiscoveryKey) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(q.cores[d]), func(other *seed) bool { return other == s })
	if q.cores[d] = list; len(list) == 0 {
		delete(q.cores, d)
	}
}
