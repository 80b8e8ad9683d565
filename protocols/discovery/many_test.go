package discovery

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// TestIdleTopicsCostNoGoroutine joins many topics: once all were looked for and announced nothing runs for them.
func TestIdleTopicsCostNoGoroutine(t *testing.T) {
	f := &fake{ready: true}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		before := runtime.NumGoroutine()
		const n = 2000
		for i := range n {
			finder.Join(Topic{byte(i), byte(i >> 8)}, JoinOptions{Announce: true, Lookup: true, Background: true})
		}
		synctest.Wait()
		if got := runtime.NumGoroutine() - before; got > 0 {
			t.Errorf("%d goroutines for %d topics that wait", got, n)
		}
		if len(f.announced) != n || len(f.lookups) != n {
			t.Errorf("%d announced, %d looked for, want %d", len(f.announced), len(f.lookups), n)
		}
	})
}

// TestUnreadyTopicsCostNoGoroutine is the same while there is nobody to ask.
func TestUnreadyTopicsCostNoGoroutine(t *testing.T) {
	f := &fake{}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		before := runtime.NumGoroutine()
		const n = 2000
		for i := range n {
			finder.Join(Topic{byte(i), byte(i >> 8)}, JoinOptions{Announce: true, Lookup: true})
		}
		synctest.Wait()
		if got := runtime.NumGoroutine() - before; got > 0 {
			t.Errorf("%d goroutines for %d topics that wait", got, n)
		}
		f.mu.Lock()
		f.ready = true
		f.mu.Unlock()
		time.Sleep(2 * lastReady)
		synctest.Wait()
		if len(f.announced) != n || len(f.lookups) != n {
			t.Errorf("%d announced, %d looked for, want %d", len(f.announced), len(f.lookups), n)
		}
	})
}

// TestLookupsOfManyTopics repeats the lookups of many topics: in the long run no more often than Apart allows.
func TestLookupsOfManyTopics(t *testing.T) {
	f := &fake{ready: true}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		const n = 1500
		for i := range n {
			finder.Join(Topic{byte(i), byte(i >> 8)}, JoinOptions{Lookup: true})
		}
		time.Sleep(3 * time.Hour)
		before := f.looked()
		time.Sleep(2 * time.Hour)
		if got, most := f.looked()-before, int(2*time.Hour/time.Second); got > most*5/4 || got < most/2 {
			t.Errorf("%d lookups in two hours, of %d topics", got, n)
		}
	})
}

// looked is how many lookups there were.
func (f *fake) looked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.lookups)
}

// TestBackgroundYields looks for a topic that somebody waits for before all that can wait.
func TestBackgroundYields(t *testing.T) {
	f := &fake{ready: true, silent: time.Second}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		for i := range 1000 {
			finder.Join(Topic{byte(i), byte(i >> 8), 1}, JoinOptions{Lookup: true, Background: true})
		}
		synctest.Wait()
		began := time.Now()
		m := finder.Join(Topic{2}, JoinOptions{Lookup: true})
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it waited for %v behind those that can wait", took)
		}
	})
}

// TestBarrenLookups has lookups be held up by nodes that are gone: the first ones, which find nobody, are given up early.
func TestBarrenLookups(t *testing.T) {
	f := &fake{ready: true, silent: time.Hour}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		found := make(chan time.Duration, 100)
		finder.Join(Topic{1}, JoinOptions{Lookup: true, Found: func(peer.AddrInfo) { found <- time.Since(f.began) }})
		time.Sleep(time.Second)
		f.mu.Lock()
		f.peers = []peer.ID{"late"}
		f.mu.Unlock()
		if at := <-found; at > 8*time.Second {
			t.Errorf("who came late was found after %v", at)
		}
		time.Sleep(50 * time.Second)
		if n := f.looked(); n != 2 {
			t.Errorf("%d lookups: one that has found somebody was given up", n)
		}
	})
}

// TestLaterMemberHears has a second member hear of the peers that were found before it joined.
func TestLaterMemberHears(t *testing.T) {
	f := &fake{ready: true, peers: []peer.ID{"a"}}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		first := finder.Join(Topic{1}, JoinOptions{Lookup: true})
		if err := first.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		heard := 0
		second := finder.Join(Topic{1}, JoinOptions{Lookup: true, Found: func(peer.AddrInfo) { heard++ }})
		if err := second.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if heard != 1 || len(f.lookups) != 2 {
			t.Errorf("heard of %d peers in %d lookups", heard, len(f.lookups))
		}
		first.Leave()
		second.Leave()
		if finder.Topics() != 0 {
			t.Errorf("%d topics", finder.Topics())
		}
	})
}

// TestJoinedAgain leaves a topic and joins it at once: it stays announced, and nothing of the old membership comes after.
func TestJoinedAgain(t *testing.T) {
	f := &fake{ready: true}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		for range 10 {
			m := finder.Join(Topic{1}, JoinOptions{Announce: true})
			if err := m.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.Leave()
		}
		last := finder.Join(Topic{1}, JoinOptions{Announce: true})
		if err := last.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if f.withdrawn >= len(f.announced) {
			t.Errorf("announced %d times, withdrawn %d times", len(f.announced), f.withdrawn)
		}
		f.mu.Lock()
		before := f.withdrawn
		f.mu.Unlock()
		last.Leave()
		synctest.Wait()
		if f.withdrawn != before+1 {
			t.Errorf("withdrawn %d times more", f.withdrawn-before)
		}
		if len(finder.subjects) != 0 {
			t.Error("the topic is not forgotten")
		}
	})
}

// TestLeftWhileLooking ends a lookup that runs for a topic that is left.
func TestLeftWhileLooking(t *testing.T) {
	f := &fake{ready: true, silent: time.Hour}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		before := runtime.NumGoroutine()
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true})
		synctest.Wait()
		if runtime.NumGoroutine() <= before {
			t.Fatal("nothing runs")
		}
		m.Leave()
		m.Leave()
		synctest.Wait()
		if runtime.NumGoroutine() != before {
			t.Error("the lookup goes on")
		}
		if err := m.Flush(t.Context()); !errors.Is(err, ErrLeft) {
			t.Error(err)
		}
	})
}

// TestFlushAfterTheEnd returns at once.
func TestFlushAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finder := New(Options{Routers: []Router{&fake{ready: true, silent: time.Hour}}})
		ctx, cancel := context.WithCancel(t.Context())
		waits := finder.Join(Topic{1}, JoinOptions{Lookup: true})
		time.AfterFunc(time.Second, cancel)
		if err := finder.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if err := waits.Flush(t.Context()); err != nil && !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
		late := finder.Join(Topic{2}, JoinOptions{Lookup: true})
		if err := late.Flush(t.Context()); !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
	})
}
