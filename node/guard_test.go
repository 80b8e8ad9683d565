package node

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/peer"
)

// watched is a connection manager that notes who is protected.
type watched struct {
	connmgr.NullConnMgr
	mu        sync.Mutex
	protected []peer.ID
}

func (w *watched) Protect(p peer.ID, _ string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.protected, p) {
		w.protected = append(w.protected, p)
	}
}

func (w *watched) Unprotect(p peer.ID, _ string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.protected = slices.DeleteFunc(w.protected, func(other peer.ID) bool { return other == p })
	return false
}

func (w *watched) list() []peer.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.protected))
}

// TestGuard protects those with whom something is under way, for a while longer than it lasts, and so many at most.
func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, busy := new(watched), make(chan []peer.ID, 1)
		busy <- nil
		g := &guard{manager: w, most: 2, busy: func() []peer.ID {
			now := <-busy
			busy <- now
			return now
		}}
		set := func(list ...peer.ID) { <-busy; busy <- list; time.Sleep(2 * guardEvery) }
		expect := func(when string, want ...peer.ID) {
			t.Helper()
			if got := w.list(); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() { g.run(ctx); close(ended) }()
		set("a")
		expect("one is busy", "a")
		set("a", "b", "c")
		expect("three are", "a", "b")
		set("c")
		expect("two have ended just now", "a", "b")
		time.Sleep(guardFor + 2*guardEvery)
		expect("they ended long ago", "c")
		cancel()
		<-ended
		expect("at the end")
	})
}
