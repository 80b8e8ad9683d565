package mux

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestUnsentIsBounded(t *testing.T) {
	r := newRig(t, Options{MaxUnsent: 1000})
	c, err := r.mux.Open(Spec{Protocol: "p"}, &events{})
	r.must(err)
	r.must(c.Send(1, make([]byte, 5000))) // one message, however large
	if err := c.Send(1, nil); !errors.Is(err, ErrFull) {
		t.Errorf("above the limit: %v", err)
	}
	if n := r.mux.Unsent(); n < 5000 || n > 5100 {
		t.Errorf("%d bytes unsent", n)
	}
	if len(r.heard()) != 2 || r.mux.Unsent() != 0 {
		t.Error("not written")
	}
	n := 0
	for c.Send(1, make([]byte, 100)) == nil {
		n++
	}
	if n < 5 || n > 9 {
		t.Errorf("%d messages of 100 bytes below 1000", n)
	}
	if err := c.Append(1, 100, func([]byte) []byte { t.Error("encoded for nothing"); return nil }); !errors.Is(err, ErrFull) {
		t.Errorf("above the limit: %v", err)
	}
	c.Close() // control messages are not held up
	if got := r.heard(); len(got) != n+1 || got[n].Type != controlClose {
		t.Errorf("%d messages", len(got))
	}
}

func TestMessageTooLarge(t *testing.T) {
	r := newRig(t, Options{})
	c, err := r.mux.Open(Spec{Protocol: "p"}, &events{})
	r.must(err)
	if err := c.Send(1, make([]byte, MaxMessage+1)); !errors.Is(err, ErrLimit) {
		t.Errorf("above the limit: %v", err)
	}
	r.must(c.Send(1, make([]byte, MaxMessage)))
	if got := r.heard(); len(got) != 2 || len(got[1].Payload) != MaxMessage {
		t.Errorf("%d messages", len(got))
	}
}

func TestLongNames(t *testing.T) {
	r := newRig(t, Options{})
	long := strings.Repeat("n", MaxName+1)
	handshake := strings.Repeat("h", MaxHandshake+1)
	for _, s := range []Spec{{Protocol: long}, {ID: []byte(long)}, {Handshake: []byte(handshake)}} {
		if _, err := r.mux.Open(s, &events{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%v", err)
		}
	}
	r.must(r.say(opening(1, long, "", ""), opening(2, "p", long, ""), opening(3, "p", "", handshake), opening(1, "p", "", "")))
	r.expect(rejecting(1), rejecting(2), rejecting(3))
	if _, err := r.offers[0].Accept([]byte(handshake), &events{}); !errors.Is(err, ErrLimit) {
		t.Errorf("accepting with a long handshake: %v", err)
	}
}

func TestChannelsAreBounded(t *testing.T) {
	r := newRig(t, Options{MaxChannels: 3, MaxOffers: 2})
	r.must(r.say(opening(1, "a", "", ""), opening(2, "b", "", ""), opening(3, "c", "", "")))
	r.expect(rejecting(3))
	var e events
	_, err := r.mux.Open(Spec{Protocol: "mine"}, &e)
	r.must(err)
	if _, err := r.mux.Open(Spec{Protocol: "more"}, &e); !errors.Is(err, ErrLimit) {
		t.Errorf("above the limit: %v", err)
	}
	for _, o := range r.offers {
		_, err := o.Accept(nil, &e)
		r.must(err)
	}
	r.heard()
	r.must(r.say(opening(3, "d", "", "")))
	r.expect(rejecting(3))
	r.must(r.say(closing(1)))
	r.must(r.say(opening(1, "d", "", "")))
	if len(r.offers) != 3 {
		t.Error("no offer after a channel is gone")
	}
}

// Opens that are rejected leave nothing behind, whatever their numbers.
func TestOpenChurn(t *testing.T) {
	r := newRig(t, Options{Offered: func(o *Offer) { o.Reject() }})
	for n := range uint64(20000) {
		r.must(r.say(opening(n+1, "p", "", "")))
		if n%100 == 0 {
			r.heard()
		}
	}
	r.heard()
	if len(r.mux.remotes)+len(r.mux.channels)+len(r.mux.pairings)+r.mux.offers+r.mux.live+r.mux.backlog != 0 {
		t.Error("something is left")
	}
}

// Reading stops while messages for an unanswered offer pile up, and goes on after the answer.
func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxBacklog: 1000})
		r.conn.in <- AppendMessage(nil, opening(1, "p", "", ""))
		for range 20 {
			r.conn.in <- AppendMessage(nil, message(1, 1, strings.Repeat("x", 100)))
		}
		var wg sync.WaitGroup
		wg.Go(func() { r.mux.ReadLoop(t.Context()) })
		synctest.Wait()
		if len(r.conn.in) < 10 || r.mux.backlog > 1000 {
			t.Errorf("%d frames are not read, %d bytes kept", len(r.conn.in), r.mux.backlog)
		}
		var e events
		_, err := r.offers[0].Accept(nil, &e)
		r.must(err)
		synctest.Wait()
		if n := len(e.all()); n != 21 || r.mux.backlog != 0 {
			t.Errorf("%d events, %d bytes kept", n, r.mux.backlog)
		}
		r.mux.Close()
		wg.Wait()
	})
}

// The peer cannot make us queue answers without end: reading waits until they are written.
func TestAnswersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Offered: func(o *Offer) { o.Reject() }})
		var flood []Message
		for n := range uint64(20000) {
			flood = append(flood, opening(n+1, "p", "", ""))
		}
		r.conn.in <- AppendBatch(nil, flood)
		var wg sync.WaitGroup
		wg.Go(func() { r.mux.ReadLoop(t.Context()) })
		synctest.Wait()
		if r.mux.queue.control < maxControl/2 || r.mux.queue.control > maxControl+100 {
			t.Errorf("%d bytes of answers", r.mux.queue.control)
		}
		got := 0
		for n := len(r.heard()); n > 0; n = len(r.heard()) {
			got += n
			synctest.Wait()
		}
		if got != len(flood) {
			t.Errorf("%d answers, want %d", got, len(flood))
		}
		r.mux.Close()
		wg.Wait()
	})
}

func TestCloseWhileReaderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{MaxBacklog: 10})
		r.conn.in <- AppendMessage(nil, opening(1, "p", "", ""))
		for range 3 {
			r.conn.in <- AppendMessage(nil, message(1, 1, "0123456789"))
		}
		var wg sync.WaitGroup
		var err error
		wg.Go(func() { err = r.mux.ReadLoop(t.Context()) })
		synctest.Wait()
		r.mux.Close()
		wg.Wait()
		if err != nil || !errors.Is(r.mux.Err(), ErrClosed) {
			t.Errorf("%v, %v", err, r.mux.Err())
		}
	})
}

func TestQueueGivesMemoryBack(t *testing.T) {
	r := newRig(t, Options{})
	c, err := r.mux.Open(Spec{Protocol: "p"}, &events{})
	r.must(err)
	r.must(c.Send(1, make([]byte, 200<<10)))
	for range 2 * calmQueues {
		r.heard()
		r.must(c.Send(1, []byte("small")))
	}
	r.heard()
	for range 4 {
		r.must(c.Send(1, []byte("small")))
		r.heard()
	}
	if n := cap(r.mux.queue.arena) + cap(r.mux.spare.arena); n > 4*smallQueue {
		t.Errorf("%d bytes are kept", n)
	}
}
