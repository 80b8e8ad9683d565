package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/bitfield"
)

// knowing is a source whose sessions keep what they are told of, and ask for nothing that they think is held. One that is deaf
// does not come back from Changed.
type knowing struct{ *fakeSource }

func (k knowing) Attach(c *Core) Session {
	return &knowingSession{fakeSession: fakeSession{k.fakeSource, c}}
}

type knowingSession struct {
	fakeSession
	inside atomic.Int32

	know  sync.Mutex // guards what follows
	held  bitfield.Bitfield
	deaf  chan struct{} // nil when it hears
	heard []string
}

func (s *knowingSession) Changed(ch Change) {
	defer s.inside.Add(-1)
	overtook := s.inside.Add(1) > 1
	s.know.Lock()
	deaf := s.deaf
	s.heard = append(s.heard, fmt.Sprint(ch.Have, ch.Dropped))
	if overtook {
		s.heard = append(s.heard, "before the change above was told")
	}
	s.know.Unlock()
	if deaf != nil {
		<-deaf
	}
	s.know.Lock()
	defer s.know.Unlock()
	for _, r := range ch.Dropped {
		s.held.SetRange(r.Start, r.End, false)
	}
	for _, r := range ch.Have {
		s.held.SetRange(r.Start, r.End, true)
	}
}

func (s *knowingSession) Fetch(ctx context.Context, w Want) error {
	for _, r := range w.Ranges {
		for i := r.Start; i < r.End; i++ {
			w.Blocks = append(w.Blocks, i)
		}
	}
	w.Ranges = nil
	var rest []uint64
	s.know.Lock()
	for _, i := range w.Blocks {
		if !s.held.Has(i) {
			rest = append(rest, i)
		}
	}
	s.know.Unlock()
	w.Blocks = rest
	return s.fakeSession.Fetch(ctx, w)
}

// deafen has the session stay in Changed until it hears again.
func (s *knowingSession) deafen() (hear func()) {
	deaf := make(chan struct{})
	s.know.Lock()
	s.deaf = deaf
	s.know.Unlock()
	return sync.OnceFunc(func() {
		s.know.Lock()
		s.deaf = nil
		s.know.Unlock()
		close(deaf)
	})
}

func (s *knowingSession) all() []string {
	s.know.Lock()
	defer s.know.Unlock()
	return s.heard
}

func sessionOf(c *Core) *knowingSession { return c.log.source().(*knowingSession) }

// TestAskedAfterTold downloads blocks that a cut took away and that came again at the writer, and gets one that was cleared,
// while the session is still being told of that: it is asked once it knows that they are not here.
func TestAskedAfterTold(t *testing.T) {
	download := func(ctx context.Context, c *Core) error { return c.Download(ctx, Want{Ranges: []Range{{0, 20}}}) }
	for name, test := range map[string]struct {
		change func(t *testing.T, writer, reader *Core)
		ask    func(ctx context.Context, c *Core) error
	}{
		"download after a cut": {func(t *testing.T, writer, reader *Core) { catchUp(t, writer, reader) }, download},
		"download after a clear": {func(t *testing.T, _, reader *Core) {
			if err := reader.Clear(t.Context(), 3, 9); err != nil {
				t.Error(err)
			}
		}, download},
		"missing": {func(t *testing.T, writer, reader *Core) { catchUp(t, writer, reader) }, func(ctx context.Context, c *Core) error {
			w, err := c.Missing(ctx, Want{Blocks: []uint64{0, 7}})
			if len(w.Blocks) != 2 {
				return fmt.Errorf("%v are missing", w.Blocks)
			}
			return errors.Join(err, sessionOf(c).Fetch(ctx, w), download(ctx, c))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				writer := newWriter(t, 1, numbered(0, 20)...)
				reader := newReader(t, writer, knowing{newFakeSource(writer, 1)})
				if err := download(t.Context(), reader); err != nil {
					t.Fatal(err)
				}
				if err := writer.Truncate(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				mustAppend(t, writer, numbered(101, 20)...)
				if name == "download after a clear" {
					catchUp(t, writer, reader)
					if err := download(t.Context(), reader); err != nil {
						t.Fatal(err)
					}
				}
				hear := sessionOf(reader).deafen()
				defer hear()
				var changing sync.WaitGroup
				changing.Go(func() { test.change(t, writer, reader) })
				synctest.Wait()
				if held, err := reader.Held(t.Context(), 0, 20); err != nil || len(held) == 1 && held[0] == (Range{0, 20}) {
					t.Fatalf("holds %v, %v: nothing was changed", held, err)
				}
				done := make(chan error, 1)
				go func() { done <- test.ask(t.Context(), reader) }()
				synctest.Wait()
				select {
				case err := <-done:
					t.Fatalf("%v before the session knew what is missing", err)
				default:
				}
				hear()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				changing.Wait()
				for i, b := range numbered(101, 20) {
					if ok, err := reader.Has(t.Context(), uint64(i), uint64(i)+1); !ok || err != nil {
						t.Fatalf("block %d is not here: %v", i, err)
					}
					mustGet(t, reader, uint64(i), b)
				}
			})
		})
	}
}

// TestToldInOrder clears blocks while the session is still being told that they came: it hears of both, one after the other.
func TestToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memoryDB(t, datastore.Options{Durability: datastore.Process})
		c := openCore(t, db, Options{Pair: pairOf(1), Derived: true, Source: knowing{newFakeSource(nil, 1)}})
		s := sessionOf(c)
		hear := s.deafen()
		defer hear()
		mustAppend(t, c, numbered(0, 6)...)
		synctest.Wait()
		var clearing sync.WaitGroup
		clearing.Go(func() {
			if err := c.Clear(t.Context(), 1, 3); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		hear()
		clearing.Wait()
		synctest.Wait()
		if got, want := fmt.Sprint(s.all()), "[[{0 6}] [] [] [{1 3}]]"; got != want {
			t.Errorf("heard %v, want %v", got, want)
		}
	})
}

// TestTellingFails asks for a block that was cleared before the append in front of it was on stable storage, and never gets
// there: that is said, and nobody waits.
func TestTellingFails(t *testing.T) {
	g, db := openGated(t, datastore.Process)
	c := openCore(t, db, Options{Pair: pairOf(1), Derived: true, Source: knowing{newFakeSource(nil, 1)}})
	mustAppend(t, c, numbered(0, 2)...)
	if err := c.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	open := g.shut()
	defer open()
	mustAppend(t, c, numbered(2, 4)...)
	if err := c.Clear(t.Context(), 1, 3); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asks := map[string]func(ctx context.Context) error{
		"download": func(ctx context.Context) error { return c.Download(ctx, Want{Blocks: []uint64{1}}) },
		"get":      func(ctx context.Context) error { _, err := c.Get(ctx, 1); return err },
	}
	for name, ask := range asks {
		wantErr(t, name, ask(ctx), context.Canceled)
	}
	done := make(map[string]chan error)
	for name, ask := range asks {
		end := make(chan error, 1)
		done[name] = end
		go func() { end <- ask(t.Context()) }()
	}
	g.fail(errors.New("the disk is gone"))
	open()
	for name, end := range done {
		wantErr(t, name, <-end, datastore.ErrStoreFailed)
	}
	_, err := c.Prove(t.Context(), &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: 6}})
	if err == nil {
		t.Error("proves what is not on stable storage")
	}
}
