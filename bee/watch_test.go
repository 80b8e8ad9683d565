package bee

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/hypernode/hypernode/core"
)

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memoryBee(t, Options{})
		mustPut(t, b, "a", "0")
		ctx, cancel := context.WithCancel(t.Context())
		changes, done := make(chan Change, 10), make(chan error, 1)
		go func() {
			for c, err := range b.Watch(ctx, Range{GTE: []byte("b"), LT: []byte("d")}) {
				if err != nil {
					done <- err
					return
				}
				changes <- c
			}
		}()
		want := func(n int) {
			t.Helper()
			if synctest.Wait(); len(changes) != n {
				t.Fatalf("%d changes, want %d", len(changes), n)
			}
		}
		want(0)
		mustPut(t, b, "a", "1")
		mustPut(t, b, "d", "1")
		want(0)
		mustPut(t, b, "b", "1")
		want(1)
		c := <-changes
		wantGet(t, c.Now, "b", []byte("1"))
		wantGet(t, c.Before, "b", nil)
		wantGet(t, c.Before, "a", []byte("1"))
		if err := b.Core().Truncate(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		want(1)
		c = <-changes
		wantGet(t, c.Now, "b", nil)
		cancel()
		wantErr(t, "the end of watching", <-done, context.Canceled)
	})
}

func TestWatchKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memoryBee(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		seen, done := make(chan *Entry, 10), make(chan error, 1)
		go func() {
			for e, err := range b.WatchKey(ctx, []byte("k")) {
				if err != nil {
					done <- err
					return
				}
				seen <- e
			}
		}()
		next := func(want string) {
			t.Helper()
			synctest.Wait()
			if len(seen) != 1 {
				t.Fatalf("%d entries, want 1", len(seen))
			}
			if e := <-seen; (e == nil) != (want == "") || e != nil && string(e.Value) != want {
				t.Fatalf("%+v, want %q", e, want)
			}
		}
		next("")
		mustPut(t, b, "k", "1")
		next("1")
		mustPut(t, b, "other", "1")
		mustPut(t, b, "k", "1")
		next("1")
		if err := b.Delete(t.Context(), []byte("k")); err != nil {
			t.Fatal(err)
		}
		next("")
		cancel()
		wantErr(t, "the end of watching", <-done, context.Canceled)
	})
}

// TestWatchKeyFork cuts the core and puts the key anew before who watches it looks again: the block has the same number.
func TestWatchKeyFork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memoryBee(t, Options{})
		next, stop := iter.Pull2(b.WatchKey(t.Context(), []byte("k")))
		defer stop()
		put := func(value []byte) {
			t.Helper()
			if err := b.Put(t.Context(), []byte("k"), value); err != nil {
				t.Fatal(err)
			}
		}
		put([]byte("0"))
		for _, value := range [][]byte{[]byte("1"), []byte("2"), nil, {}} {
			if err := b.Core().Truncate(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			put(value)
			e, err, ok := next()
			if !ok || err != nil || e == nil || e.Seq != 1 || !sameValue(e.Value, value) {
				t.Fatalf("%+v (%v), want %q", e, err, value)
			}
		}
	})
}

func TestWatchVersion(t *testing.T) {
	b := memoryBee(t, Options{})
	for _, err := range b.Snapshot().Watch(t.Context(), Range{}) {
		wantErr(t, "watching a version", err, ErrOptions)
	}
	for _, err := range b.Snapshot().WatchKey(t.Context(), nil) {
		wantErr(t, "watching a key of a version", err, ErrOptions)
	}
}

func TestHistoryLive(t *testing.T) {
	b := memoryBee(t, Options{})
	mustPut(t, b, "k0", "v")
	n := 0
	for e, err := range b.History(t.Context(), HistoryOptions{Live: true}) {
		if err != nil {
			if !errors.Is(err, core.ErrTruncated) || n != 5 {
				t.Fatal(n, err)
			}
			return
		}
		if want := fmt.Sprint("k", n); string(e.Key) != want {
			t.Fatalf("%q, want %q", e.Key, want)
		}
		if n++; n < 5 {
			mustPut(t, b, fmt.Sprint("k", n), "v")
		} else if err := b.Core().Truncate(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("it ended without an error")
}

func TestSub(t *testing.T) {
	b := memoryBee(t, Options{})
	s := b.Sub([]byte("s"))
	mustPut(t, s, "a", "1")
	mustPut(t, s.Sub([]byte("t")), "b", "2")
	mustPut(t, b, "a", "0")
	old := s.Snapshot()
	if err := s.Delete(t.Context(), []byte("a")); err != nil {
		t.Fatal(err)
	}
	wantGet(t, b, "s\x00t\x00b", []byte("2"))
	wantGet(t, s, "a", nil)
	wantGet(t, old, "a", []byte("1"))
	wantGet(t, b.At(old.Version()).Sub([]byte("s")), "a", []byte("1"))
	n := 0
	for d, err := range s.Diff(t.Context(), old, Range{}) {
		if err != nil || d.Left != nil || string(d.Right.Key) != "a" {
			t.Errorf("%+v (%v)", d, err)
		}
		n++
	}
	for e, err := range s.History(t.Context(), HistoryOptions{}) {
		if n++; err != nil || e.Deleted != (n == 4) {
			t.Errorf("%+v (%v)", e, err)
		}
	}
	if n != 4 {
		t.Errorf("%d differences and events, want 4", n)
	}
	if e, err := s.BySeq(t.Context(), 1); err != nil || string(e.Key) != "a" {
		t.Errorf("block 1 is %+v (%v)", e, err)
	}
	_, err := s.BySeq(t.Context(), 3)
	wantErr(t, "a block of another part", err, ErrNotFound)
	for _, err := range s.Diff(t.Context(), b, Range{}) {
		wantErr(t, "a difference with another part", err, ErrOptions)
	}
}

func TestHeader(t *testing.T) {
	c := memoryCore(t)
	b := openBee(t, c, Options{Metadata: &Metadata{UserData: []byte("mine")}})
	_, err := b.Header(t.Context())
	wantErr(t, "the header of an empty core", err, ErrNotFound)
	if ok, err := IsBee(t.Context(), c); ok || err != nil {
		t.Error("an empty core is a bee", err)
	}
	mustPut(t, b, "a", "")
	h, err := b.Header(t.Context())
	if err != nil || h.Protocol != "hyperbee" || string(h.Metadata.UserData) != "mine" {
		t.Errorf("%+v (%v)", h, err)
	}
	if ok, err := IsBee(t.Context(), c); !ok || err != nil {
		t.Error("a bee is none", err)
	}
}
