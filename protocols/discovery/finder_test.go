package discovery

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// fake is a network whose peers and faults a test decides.
type fake struct {
	mu        sync.Mutex
	ready     bool
	peers     []peer.ID
	fails     int // announcements that fail before one does not
	silent    time.Duration
	lasts     time.Duration
	lookups   []time.Duration
	announced []time.Duration
	withdrawn int
	began     time.Time
	entering  bool
}

func (f *fake) Name() string { return "fake" }

func (f *fake) Entering() bool { return f.entering }

func (f *fake) Ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready
}

func (f *fake) Find(ctx context.Context, _ Topic) iter.Seq[peer.AddrInfo] {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookups = append(f.lookups, time.Since(f.began))
	peers := slices.Clone(f.peers)
	return func(yield func(peer.AddrInfo) bool) {
		for _, p := range peers {
			if !yield(peer.AddrInfo{ID: p}) {
				return
			}
		}
		if f.silent > 0 {
			ctx, cancel := context.WithTimeout(ctx, f.silent)
			defer cancel()
			<-ctx.Done()
		}
	}
}

func (f *fake) Announce(context.Context, Topic) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.announced = append(f.announced, time.Since(f.began))
	if f.fails > 0 {
		f.fails--
		return errors.New("nobody listens")
	}
	return nil
}

func (f *fake) Withdraw(Topic) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.withdrawn++
}

type fakeLasting struct{ *fake }

func (f fakeLasting) Lasts() time.Duration { return f.lasts }

// play runs a Finder over a network in a bubble of fake time.
func play(t *testing.T, r Router, f *fake, test func(*testing.T, *Finder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f.began = time.Now()
		finder := New(Options{Routers: []Router{r}})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- finder.Run(ctx) }()
		synctest.Wait()
		test(t, finder)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestFoundAsTheyStreamIn(t *testing.T) {
	f := &fake{ready: true, peers: []peer.ID{"a", "b"}, silent: time.Hour}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		var found []peer.ID
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true, Found: func(p peer.AddrInfo) { found = append(found, p.ID) }})
		synctest.Wait()
		if !slices.Equal(found, []peer.ID{"a", "b"}) || time.Since(f.began) != 0 {
			t.Fatalf("%v after %v", found, time.Since(f.began))
		}
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(f.began); d != time.Minute {
			t.Fatalf("a silent peer held the lookup for %v", d)
		}
		m.Leave()
	})
}

func TestLookupsGetRarer(t *testing.T) {
	f := &fake{ready: true, peers: []peer.ID{"a"}}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true})
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		early, late := 0, 0
		for _, at := range f.lookups {
			if at < time.Minute {
				early++
			}
			if at > 5*time.Hour {
				late++
			}
		}
		if early < 3 || early > 5 || late < 4 || late > 9 {
			t.Fatalf("%d lookups in the first minute, %d in the last hour", early, late)
		}
		before := len(f.lookups)
		m.Again()
		synctest.Wait()
		if len(f.lookups) != before+1 {
			t.Fatal("Again looks no more")
		}
		m.Leave()
		synctest.Wait()
		before = len(f.lookups)
		time.Sleep(time.Hour)
		if len(f.lookups) != before {
			t.Fatal("looked for a topic that was left")
		}
	})
}

// TestWaiting looks for a topic of which nobody is found: for a member that waits more often than for one that does not.
func TestWaiting(t *testing.T) {
	for background, want := range map[bool][2]int{false: {50, 80}, true: {4, 9}} {
		f := &fake{ready: true}
		play(t, f, f, func(t *testing.T, finder *Finder) {
			finder.Join(Topic{1}, JoinOptions{Lookup: true, Background: background})
			time.Sleep(3 * time.Hour)
			before := f.looked()
			time.Sleep(time.Hour)
			if n := f.looked() - before; n < want[0] || n > want[1] {
				t.Errorf("in the background %v: %d lookups in an hour", background, n)
			}
		})
	}
}

func TestWaitsForSomebodyToAsk(t *testing.T) {
	f := &fake{}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true, Announce: true})
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(f.lookups)+len(f.announced) != 0 {
			t.Fatal("asked nobody")
		}
		f.mu.Lock()
		f.ready = true
		f.mu.Unlock()
		time.Sleep(2 * lastReady)
		synctest.Wait()
		if len(f.lookups) != 1 || len(f.announced) != 1 {
			t.Fatalf("%d lookups, %d announcements", len(f.lookups), len(f.announced))
		}
	})
}

// TestFlushWaitsForTheEntrance has a network entered a second after the start: what waits for the first lookup waits that long.
func TestFlushWaitsForTheEntrance(t *testing.T) {
	f := &fake{entering: true}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		time.AfterFunc(time.Second, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.ready = true
		})
		began := time.Now()
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true, Announce: true})
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < time.Second || took > time.Second+2*lastReady || len(f.lookups) != 1 || len(f.announced) != 1 {
			t.Fatalf("%d lookups and %d announcements after %v", len(f.lookups), len(f.announced), took)
		}
	})
}

func TestAnnouncesUntilSomebodyHears(t *testing.T) {
	f := &fake{ready: true, fails: 3}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		one := finder.Join(Topic{1}, JoinOptions{Announce: true})
		two := finder.Join(Topic{1}, JoinOptions{Announce: true})
		if err := one.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(f.announced) != 4 {
			t.Fatalf("announced %d times", len(f.announced))
		}
		one.Leave()
		synctest.Wait()
		if f.withdrawn != 0 {
			t.Fatal("withdrawn while there is a member")
		}
		two.Leave()
		synctest.Wait()
		if f.withdrawn != 1 || finder.Topics() != 0 {
			t.Fatalf("withdrawn %d times, %d topics", f.withdrawn, finder.Topics())
		}
	})
}

func TestAnnouncesAgain(t *testing.T) {
	f := &fake{ready: true, lasts: 12 * time.Hour}
	play(t, fakeLasting{f}, f, func(t *testing.T, finder *Finder) {
		finder.Join(Topic{1}, JoinOptions{Announce: true})
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if n := len(f.announced); n < 4 || n > 6 {
			t.Fatalf("announced %d times in two days", n)
		}
	})
}

func TestJoinedBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{ready: true, began: time.Now()}
		finder := New(Options{Routers: []Router{f}})
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true})
		left := finder.Join(Topic{2}, JoinOptions{Lookup: true})
		left.Leave()
		if err := left.Flush(t.Context()); !errors.Is(err, ErrLeft) {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go finder.Run(ctx)
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(f.lookups) != 1 {
			t.Fatalf("%d lookups", len(f.lookups))
		}
		cancel()
		synctest.Wait()
	})
}

func TestFlushEndsWithItsContext(t *testing.T) {
	f := &fake{ready: true, silent: time.Hour}
	play(t, f, f, func(t *testing.T, finder *Finder) {
		m := finder.Join(Topic{1}, JoinOptions{Lookup: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
}
