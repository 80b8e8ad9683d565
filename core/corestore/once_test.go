package corestore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

// source counts sessions.
type source struct {
	mu             sync.Mutex
	attached, open int
	most           int
	closing        func() // called in the Close of a session
}

func (s *source) Attach(*core.Core) core.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attached++
	s.open++
	s.most = max(s.most, s.open)
	return &session{s}
}

func (s *source) counts() (attached, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attached, s.open
}

type session struct{ s *source }

func (*session) Fetch(context.Context, core.Want) error { return core.ErrNotAvailable }
func (*session) Changed(core.Change)                    {}

func (n *session) Close() error {
	if n.s.closing != nil {
		n.s.closing()
	}
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.open--
	return nil
}

func TestOpenedOnce(t *testing.T) {
	src := new(source)
	s := openStore(t, memory(t), corestore.Options{PrimaryKey: testKey, Source: src})
	other := another(t, s)
	a := open(t, s, corestore.Name("a"))
	b := open(t, other, corestore.Name("a"))
	c := open(t, s, corestore.Key(a.Key()))
	d := open(t, s, corestore.Discovery(a.DiscoveryKey()))
	handles := []*core.Core{a, b, c, d}
	for i, h := range handles {
		if !h.Writable() {
			t.Errorf("handle %d is not writable", i)
		}
		appendTo(t, h, fmt.Sprint(i))
	}
	for _, h := range handles {
		wantContents(t, h, "0", "1", "2", "3")
	}
	for i, h := range handles {
		if attached, open := src.counts(); attached != 1 || open != 1 {
			t.Errorf("before close %d: attached %d times, %d open", i, attached, open)
		}
		close1(t, h)
		close1(t, h)
		if _, err := h.Get(t.Context(), 0); !errors.Is(err, core.ErrClosed) {
			t.Errorf("handle %d after its close: %v", i, err)
		}
	}
	if _, open := src.counts(); open != 0 {
		t.Error("the last close did not close the log")
	}
	again := open(t, s, corestore.Name("a"))
	wantContents(t, again, "0", "1", "2", "3")
	if attached, _ := src.counts(); attached != 2 {
		t.Errorf("attached %d times, want 2", attached)
	}
}

// TestReopenWaitsForClose: while the session of a log is being closed, who opens the core waits.
func TestReopenWaitsForClose(t *testing.T) {
	src := new(source)
	s := openStore(t, memory(t), corestore.Options{PrimaryKey: testKey, Source: src})
	c := open(t, s, corestore.Name("a"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	reopened := make(chan *core.Core, 1)
	src.closing = func() {
		src.closing = nil
		if _, err := s.Open(ended, corestore.Name("a")); !errors.Is(err, context.Canceled) {
			t.Errorf("opened during the close, with a context that has ended: %v", err)
		}
		go func() {
			c, err := s.Open(context.Background(), corestore.Name("a"))
			if err != nil {
				t.Error(err)
			}
			reopened <- c
		}()
	}
	close1(t, c)
	appendTo(t, <-reopened, "block")
	if src.most != 1 {
		t.Errorf("%d sessions of one core at a time", src.most)
	}
}

// TestManyGoroutines opens, appends and closes at random. Every block must be there once, and no core open twice.
func TestManyGoroutines(t *testing.T) {
	const workers, rounds, cores = 64, 20, 5
	src := new(source)
	s := openStore(t, onDisk(t, t.TempDir()), corestore.Options{PrimaryKey: testKey, Source: src})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			for r := range rounds {
				c, err := s.Open(t.Context(), corestore.Name(fmt.Sprint(rng.IntN(cores))))
				if err != nil {
					t.Error(err)
					return
				}
				i, err := c.Append(t.Context(), fmt.Appendf(nil, "%d.%d", w, r))
				if err == nil {
					var b []byte
					if b, err = c.Get(t.Context(), i); string(b) != fmt.Sprintf("%d.%d", w, r) {
						t.Errorf("block %d is %q", i, b)
					}
				}
				if err := errors.Join(err, c.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, open := src.counts(); open != 0 {
		t.Errorf("%d logs are open", open)
	}
	seen := map[string]bool{}
	for i := range cores {
		for _, b := range contents(t, open(t, s, corestore.Name(fmt.Sprint(i)))) {
			if seen[b] {
				t.Errorf("block %s is there twice", b)
			}
			seen[b] = true
		}
	}
	if len(seen) != workers*rounds {
		t.Errorf("%d blocks, want %d", len(seen), workers*rounds)
	}
}

// TestOpenCancelled ends the context of an open at every place where it is asked. The store must go on as if nothing had been.
func TestOpenCancelled(t *testing.T) {
	src := new(source)
	s := openStore(t, onDisk(t, t.TempDir()), corestore.Options{PrimaryKey: testKey, Source: src})
	filled := open(t, s, corestore.Name("a"))
	appendTo(t, filled, "block")
	close1(t, filled)
	failed := 0
	for ; ; failed++ {
		left := failed
		c, err := s.Open(countdown{context.Background(), &left}, corestore.Name("a"))
		if err == nil {
			close1(t, c)
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d calls: %v", failed, err)
		}
		c = open(t, s, corestore.Name(fmt.Sprint("b", failed)))
		appendTo(t, c, "block")
		close1(t, c)
	}
	if failed < 3 {
		t.Errorf("the context was asked %d times only", failed)
	}
	if _, open := src.counts(); open != 0 {
		t.Errorf("%d logs are open", open)
	}
}

// TestOpenWhileAnotherFails: one caller's failure is not another's.
func TestOpenWhileAnotherFails(t *testing.T) {
	s := newStore(t)
	k := seeded(1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ref := corestore.Pair(k)
			ref.Origin = make([]byte, 1<<20) // the store makes nothing of it
			c, err := s.Open(t.Context(), ref)
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
		wg.Go(func() {
			left := rand.IntN(4)
			if c, err := s.Open(countdown{context.Background(), &left}, corestore.Pair(k)); err == nil {
				c.Close()
			}
		})
	}
	wg.Wait()
}

func TestOnlyOneStore(t *testing.T) {
	db := memory(t)
	s := openStore(t, db, corestore.Options{})
	if _, err := corestore.Open(t.Context(), db, corestore.Options{}); !errors.Is(err, corestore.ErrInUse) {
		t.Errorf("a second store: %v", err)
	}
	close1(t, s)
	openStore(t, db, corestore.Options{})
	if _, err := corestore.Open(t.Context(), memory(t), corestore.Options{ManifestVersion: 3}); !errors.Is(err, core.ErrOptions) {
		t.Errorf("manifest version 3: %v", err)
	}
}

// TestHooks: the hooks of a caller's ref are called, the store's own as well.
func TestHooks(t *testing.T) {
	s := newStore(t)
	var told []string
	ref := corestore.Name("a")
	ref.OnClose = func() { told = append(told, "closed") }
	ref.OnShut = func() { told = append(told, "shut") }
	ref.OnCreate = func(*datastore.Tx) { told = append(told, "created") }
	c := open(t, s, ref)
	close1(t, c)
	if got := fmt.Sprint(told); got != "[created closed shut]" {
		t.Errorf("told %v", got)
	}
	if got := names(t, s); len(got) != 1 {
		t.Errorf("names %q", got)
	}
	var d keys.DiscoveryKey = c.DiscoveryKey()
	again, err := s.Find(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	close1(t, again)
}
