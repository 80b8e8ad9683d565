package corestore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
)

func TestCloseSession(t *testing.T) {
	s := newStore(t)
	ns := namespace(t, s, "n")
	mine, theirs := open(t, ns, corestore.Key(open(t, s, corestore.Name("a")).Key())), open(t, s, corestore.Name("a"))
	inner := namespace(t, ns, "inner")
	kept := open(t, inner, corestore.Name("b"))
	close1(t, ns)
	close1(t, ns)
	wantClosed(t, ns)
	if _, err := mine.Append(t.Context(), []byte("x")); !errors.Is(err, core.ErrClosed) {
		t.Errorf("a handle of the session: %v", err)
	}
	appendTo(t, theirs, "one")
	appendTo(t, kept, "two")
	wantContents(t, open(t, inner, corestore.Name("b")), "two")
	close1(t, s)
	close1(t, s)
	wantClosed(t, s)
	wantClosed(t, inner)
	for _, c := range []*core.Core{theirs, kept} {
		if _, err := c.Get(t.Context(), 0); !errors.Is(err, core.ErrClosed) {
			t.Errorf("a handle of a closed store: %v", err)
		}
	}
}

// wantClosed calls all that there is on a closed session.
func wantClosed(t *testing.T, s *corestore.Store) {
	t.Helper()
	ctx := t.Context()
	_, opened := s.Open(ctx, corestore.Name("a"))
	_, found := s.Find(ctx, keys.DiscoveryKey{1})
	_, lookup := s.Lookup(ctx, keys.DiscoveryKey{1})
	_, session := s.Session()
	_, namespace := s.Namespace("n")
	errs := map[string]error{
		"Open": opened, "Find": found, "Lookup": lookup, "Session": session, "Namespace": namespace,
		"Delete": s.Delete(ctx, keys.DiscoveryKey{1}),
	}
	for _, err := range s.List(ctx) {
		errs["List"] = err
	}
	for _, err := range s.Names(ctx) {
		errs["Names"] = err
	}
	if len(errs) != 8 {
		t.Errorf("a closed session lists something: %v", errs)
	}
	for what, err := range errs {
		if !errors.Is(err, corestore.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestCloseWhileOpening: whatever was being opened is closed with the store, which can be opened again at once.
func TestCloseWhileOpening(t *testing.T) {
	db := memory(t)
	for range 20 {
		s := openStore(t, db, corestore.Options{PrimaryKey: testKey})
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					c, err := s.Open(t.Context(), corestore.Name(fmt.Sprint(w, i%4)))
					if errors.Is(err, corestore.ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := c.Append(t.Context(), []byte("x")); err != nil && !errors.Is(err, core.ErrClosed) {
						t.Error(err)
					}
					if i == 10 && w == 0 {
						close1(t, s)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := datastore.NewMemory(datastore.Options{})
		defer close1(t, db)
		s, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: testKey})
		if err != nil {
			t.Fatal(err)
		}
		defer close1(t, s)
		ref := corestore.Name("a")
		ref.Exclusive = true
		first := open(t, s, ref)
		plain := open(t, s, corestore.Name("a"))
		appendTo(t, plain, "plain")
		var got *core.Core
		go func() {
			c, err := another(t, s).Open(context.Background(), ref)
			if err != nil {
				t.Error(err)
			}
			got = c
		}()
		synctest.Wait()
		if got != nil {
			t.Fatal("two exclusive handles")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Open(ended, ref); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		close1(t, first)
		synctest.Wait()
		if got == nil {
			t.Fatal("the second one still waits")
		}
		appendTo(t, got, "exclusive")
		close1(t, got)
		close1(t, open(t, s, ref))
	})
}

// TestExclusiveOfClosedSession: a session that is closed while it waits for a core does not keep the core from others.
func TestExclusiveOfClosedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := datastore.NewMemory(datastore.Options{})
		defer close1(t, db)
		s, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: testKey})
		if err != nil {
			t.Fatal(err)
		}
		defer close1(t, s)
		ref := corestore.Name("a")
		ref.Exclusive = true
		first, session := open(t, s, ref), another(t, s)
		var failed error
		go func() { _, failed = session.Open(context.Background(), ref) }()
		synctest.Wait()
		close1(t, session)
		close1(t, first)
		synctest.Wait()
		if !errors.Is(failed, corestore.ErrClosed) {
			t.Errorf("it came out with %v", failed)
		}
		close1(t, open(t, s, ref))
	})
}
