package replicate

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/wire"
)

// slowToTell is a set whose scheduler hears of commits only when it is let go.
type slowToTell struct {
	*Set
	slow   atomic.Bool
	let    chan struct{}
	length atomic.Uint64 // of which it has heard
}

// Attach implements core.Source.
func (s *slowToTell) Attach(c *core.Core) core.Session {
	return &slowSession{s.Set.Attach(c).(*Replicator), s}
}

type slowSession struct {
	*Replicator
	set *slowToTell
}

// Changed implements core.Session.
func (s *slowSession) Changed(ch core.Change) {
	if s.set.slow.Load() {
		<-s.set.let
	}
	s.Replicator.Changed(ch)
	s.set.length.Store(ch.Head.Length)
}

// hearing notes the lengths that a peer tells and proves, in the order in which they come: proofs as their start and length.
type hearing struct {
	syncs chan uint64
	came  chan []uint64 // the syncs up to each proof
	list  []uint64
}

func (h *hearing) Opened(*mux.Channel, []byte) error { return nil }
func (h *hearing) Closed(*mux.Channel, error)        {}
func (h *hearing) Message(_ *mux.Channel, typ uint64, payload []byte) error {
	switch wire.Type(typ) {
	case wire.TypeSync:
		m, err := wire.DecodeSync(payload)
		if err != nil {
			return err
		}
		h.list = append(h.list, m.Length)
		h.syncs <- m.Length
	case wire.TypeData:
		h.came <- append([]uint64(nil), h.list...)
	}
	return nil
}

// A proof leads to no head that the peer was not told of before: a JavaScript peer may then say nothing any more.
func TestToldBeforeProven(t *testing.T) {
	n := &slowToTell{Set: New(Options{}), let: make(chan struct{})}
	store, err := corestore.Open(t.Context(), datastore.NewMemory(datastore.Options{}), corestore.Options{Source: n, PrimaryKey: keys.PrimaryKey{1}})
	if err != nil {
		t.Fatal(err)
	}
	w, err := store.Open(t.Context(), corestore.Name("log"))
	if err != nil {
		t.Fatal(err)
	}
	grow(t, w, 20)
	other, conn := dialled(t)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { _ = n.Serve(ctx, conn, store.Find) })
	defer work.Wait()
	defer cancel()

	h := &hearing{syncs: make(chan uint64, 100), came: make(chan []uint64, 10)}
	hash, d := conn.HandshakeHash(), w.DiscoveryKey()
	c, err := other.Open(mux.Spec{
		Protocol: wire.Protocol, ID: d[:], Handshake: wire.Handshake{Seeks: true, Capability: wire.Capability(&hash, true, w.Key())}.Append(nil),
	}, h)
	if err != nil {
		t.Fatal(err)
	}
	if first := <-h.syncs; first != 20 {
		t.Fatalf("is told of %d blocks", first)
	}
	n.slow.Store(true)
	work.Go(func() { grow(t, w, 10) })
	for ; w.Served().Length < 30; runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("10 blocks do not come")
		}
	}
	q := &merkle.Request{ID: 1, Manifest: true, Upgrade: &merkle.UpgradeRequest{Length: 20}}
	if err := c.Send(uint64(wire.TypeRequest), merkle.AppendRequest(nil, q)); err != nil {
		t.Fatal(err)
	}
	if told := <-h.came; told[len(told)-1] != 30 {
		t.Errorf("is led to 30 blocks and told of %d", told)
	}
	n.slow.Store(false)
	close(n.let)
	for ; n.length.Load() < 30; runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("the scheduler does not hear of it")
		}
	}
	q.ID, q.Upgrade = 2, &merkle.UpgradeRequest{Length: 30}
	if err := c.Send(uint64(wire.TypeRequest), merkle.AppendRequest(nil, q)); err != nil {
		t.Fatal(err)
	}
	told := <-h.came
	for i, n := range told[1:] {
		if n < told[i] {
			t.Errorf("is told of %d", told)
		}
	}
}

// A sync that waits for room with the answers behind it does not take back what was told meanwhile.
func TestLatestSync(t *testing.T) {
	n := newNode(t, Options{})
	w := n.writer("log", 30)
	other, conn := dialled(t)
	st := newStream(n.set, conn, nil)
	st.mux = mux.New(conn, mux.Options{})
	h := &hearing{syncs: make(chan uint64, 10), came: make(chan []uint64, 10)}
	d := w.DiscoveryKey()
	spec := mux.Spec{Protocol: wire.Protocol, ID: d[:], Handshake: wire.Handshake{}.Append(nil)}
	if _, err := other.Open(spec, h); err != nil {
		t.Fatal(err)
	}
	l := newLink(st, n.set.Core(d))
	c, err := st.mux.Open(spec, &hearing{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	loops.Go(func() { _ = st.mux.ReadLoop(ctx) }) // not before both have opened the channel: neither takes offers
	loops.Go(func() { _ = st.mux.WriteLoop(ctx) })
	defer loops.Wait()
	defer cancel()
	l.peer.told, l.peer.sent = true, wire.Sync{Length: 20}
	l.bulk = l.syncFirst(l.bulk)
	if len(l.bulk) != 1 || l.peer.sent.Length != 30 {
		t.Fatalf("%d messages, told of %d blocks", len(l.bulk), l.peer.sent.Length)
	}
	l.peer.sent.Length = 40 // went ahead of it
	if !l.flush(c, &l.bulk) {
		t.Fatal("no room")
	}
	st.mux.Wake()
	if told := <-h.syncs; told != 40 {
		t.Errorf("is told of %d blocks after 40", told)
	}
}
