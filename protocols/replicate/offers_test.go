package replicate

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/protocols/mux"
	"github.com/hypernode/hypernode/protocols/secretstream"
	"github.com/hypernode/hypernode/protocols/wire"
)

// dialled is the other end of a stream on which a test speaks itself, until the test ends. Its own end is a Conn.
func dialled(t *testing.T) (other *mux.Mux, own *secretstream.Conn) {
	t.Helper()
	x, y := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	opened := make(chan *mux.Mux, 1)
	var loops sync.WaitGroup
	t.Cleanup(func() { cancel(); loops.Wait() })
	loops.Go(func() {
		conn, err := secretstream.Client(ctx, x, secretstream.Options{})
		if err != nil {
			t.Error(err)
			close(opened)
			return
		}
		m := mux.New(conn, mux.Options{})
		opened <- m
		loops.Go(func() { _ = m.WriteLoop(ctx) })
		_ = m.ReadLoop(ctx)
	})
	own, err := secretstream.Server(t.Context(), y, secretstream.Options{})
	if other = <-opened; err != nil || other == nil {
		t.Fatal(err)
	}
	return other, own
}

// An offer that was taken by opening the same channel from this side leaves that one what it is.
func TestOfferTakenByOpening(t *testing.T) {
	n := newNode(t, Options{})
	core := n.open(corestore.Key(newNode(t, Options{}).writer("log", 1).Key()))
	r, d := n.set.Core(core.DiscoveryKey()), core.DiscoveryKey()
	other, conn := dialled(t)
	st := newStream(n.set, conn, n.store.Find)
	offered := make(chan *mux.Offer, 1)
	st.mux = mux.New(conn, mux.Options{Offered: func(o *mux.Offer) { offered <- o }, Frame: st.settle})
	ctx, cancel := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	loops.Go(func() { _ = st.mux.ReadLoop(ctx) })
	loops.Go(func() { _ = st.mux.WriteLoop(ctx) })
	defer loops.Wait()
	defer cancel()

	st.open(r)
	hash := conn.HandshakeHash()
	spec := mux.Spec{
		Protocol: wire.Protocol, ID: d[:],
		Handshake: wire.Handshake{Capability: wire.Capability(&hash, true, core.Key())}.Append(nil),
	}
	if _, err := other.Open(spec, &listener{at: make(chan time.Duration, 1)}); err != nil {
		t.Fatal(err)
	}
	o := <-offered
	st.openAll() // before the offer is looked at
	st.offered(o)
	live := st.links[d]
	st.answer(ctx, offer{o, time.Now()})
	st.mu.Lock()
	kept, waits := st.links[d], st.offers.open[d]
	st.mu.Unlock()
	if live == nil || live.open() == nil || kept != live || waits {
		t.Errorf("the channel is that of %p, then of %p; an offer waits: %v", live, kept, waits)
	}
	st.forsake()
	if list := r.list(); len(list) != 0 {
		t.Errorf("%d links are left", len(list))
	}
}

// A core that is closed meanwhile is neither offered to a peer nor taken from one.
func TestOfferOfClosedCore(t *testing.T) {
	n := newNode(t, Options{})
	c := n.writer("log", 1)
	d, key := c.DiscoveryKey(), c.Key()
	_, conn := dialled(t)
	defer conn.Close()
	st := newStream(n.set, conn, nil)
	st.mux = mux.New(conn, mux.Options{})
	r := n.set.Core(d)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	st.open(r)
	if len(st.links)+len(st.opens)+len(r.list()) > 0 {
		t.Errorf("%d links, %d to be opened, %d of the core", len(st.links), len(st.opens), len(r.list()))
	}
	n.set.cores[d] = r // as it was when the offer was looked at
	defer n.set.detach(r)
	o := offer{&mux.Offer{ID: d[:], Handshake: wire.Handshake{Capability: wire.Capability(&st.hash, !st.initiator, key)}.Append(nil)}, time.Now()}
	if l := st.judge(t.Context(), o); l != nil || len(r.list()) > 0 {
		t.Errorf("taken: %v, %d links of the core", l != nil, len(r.list()))
	}
}

// An offer that waits for its rejection is accepted as soon as its core is here.
func TestOfferReconsidered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(t, Options{}), newNode(t, Options{})
		key := newNode(t, Options{}).writer("log", 1).Key()
		asks := a.open(corestore.Key(key))
		c := connect(t, a, b)
		synctest.Wait()
		st := b.set.list()[0]
		st.mu.Lock()
		waits := len(st.offers.rejects)
		st.mu.Unlock()
		if waits != 1 {
			t.Fatalf("%d offers wait for their rejection", waits)
		}
		start := time.Now()
		b.open(corestore.Key(key))
		if err := a.set.Core(asks.DiscoveryKey()).Joined(within(t)); err != nil || time.Since(start) > rejectAfter/10 {
			t.Errorf("accepted after %v: %v", time.Since(start), err)
		}
		c.cut()
	})
}
