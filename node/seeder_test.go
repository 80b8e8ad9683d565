package node

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/keys"
)

// tended runs a seeder in a bubble of fake time.
func tended(t *testing.T, tend func(context.Context, *seed) time.Duration, test func(*testing.T, *seeder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		q := newSeeder(tend)
		q.touch(new(seed)) // nobody works yet
		q.begin()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan map[*seed]bool, 1)
		go func() { ended <- q.run(ctx) }()
		synctest.Wait()
		test(t, q)
		cancel()
		<-ended
	})
}

// TestTouchedWhileBusy has a seed touched many times while somebody works at it: it has one more turn, and never two at a time.
func TestTouchedWhileBusy(t *testing.T) {
	var mu sync.Mutex
	turns, busy := 0, 0
	work := func(context.Context, *seed) time.Duration {
		mu.Lock()
		turns++
		if busy++; busy > 1 {
			t.Error("two work at one seed")
		}
		mu.Unlock()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		busy--
		return 0
	}
	tended(t, work, func(t *testing.T, q *seeder) {
		s := new(seed)
		for range 100 {
			q.touch(s)
		}
		synctest.Wait()
		for range 100 {
			q.touch(s)
		}
		time.Sleep(time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if turns != 2 {
			t.Errorf("%d turns", turns)
		}
	})
}

// TestItsTime has a seed wait for its time, or for a change of one of its cores that comes first.
func TestItsTime(t *testing.T) {
	var at []time.Duration
	var mu sync.Mutex
	began := time.Time{}
	work := func(context.Context, *seed) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if at = append(at, time.Since(began)); len(at) < 3 {
			return time.Minute
		}
		return 0
	}
	tended(t, work, func(t *testing.T, q *seeder) {
		began = time.Now()
		s, d := new(seed), keys.DiscoveryKey{1}
		q.follow(s, d)
		q.touch(s)
		time.Sleep(90 * time.Second)
		q.changed(d)
		q.changed(keys.DiscoveryKey{2})
		time.Sleep(time.Hour)
		q.unfollow(s, d)
		q.changed(d)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := []time.Duration{0, time.Minute, 90 * time.Second}
		if len(at) != 3 || at[0] != want[0] || at[1] != want[1] || at[2] != want[2] {
			t.Errorf("turns after %v, want %v", at, want)
		}
		if len(q.cores) != 0 {
			t.Error("a core is followed still")
		}
	})
}

// TestSeedsAtOnce has more seeds touched than are worked at at a time.
func TestSeedsAtOnce(t *testing.T) {
	var mu sync.Mutex
	busy, most, done := 0, 0, 0
	work := func(context.Context, *seed) time.Duration {
		mu.Lock()
		busy++
		most = max(most, busy)
		mu.Unlock()
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		busy--
		done++
		return 0
	}
	tended(t, work, func(t *testing.T, q *seeder) {
		for range 10 * seedsAtOnce {
			q.touch(new(seed))
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if most != seedsAtOnce || done != 10*seedsAtOnce {
			t.Errorf("%d at a time, %d done", most, done)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.workers != 0 {
			t.Errorf("%d workers with nothing to do", q.workers)
		}
	})
}

// A seed says why it could not be kept until it is kept again.
func TestFailedSeed(t *testing.T) {
	n, err := NewWith(t.Context(), config.Config{
		Network:   config.Network{Transports: []string{"tcp"}, Listen: []string{"/ip4/127.0.0.1/tcp/0"}},
		Discovery: config.Discovery{Profile: config.Offline},
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	key := keys.Key{1}
	if err := n.Seed(t.Context(), key, SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	s := n.seeds[key]
	defer n.abandon(s)
	tend := func(want string) {
		t.Helper()
		again := n.tend(t.Context(), s)
		if got := n.Seeds()[0].Failed; got != want || (again > 0) != (want != "") {
			t.Errorf("failed: %q, want %q; tried again after %v", got, want, again)
		}
	}
	tend("")
	odd := errors.New("odd")
	s.parts[entries].failed.Store(&odd)
	tend("odd")
	tend("")
}
