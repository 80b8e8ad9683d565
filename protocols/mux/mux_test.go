package mux

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBothOpen(t *testing.T) {
	r := newRig(t, Options{})
	var e events
	c, err := r.mux.Open(Spec{Protocol: "p", ID: []byte("id"), Handshake: []byte("hi")}, &e)
	r.must(err)
	r.must(c.Send(3, []byte("early")))
	r.expect(opening(1, "p", "id", "hi"), message(1, 3, "early"))
	r.must(r.say(opening(1, "p", "id", "ho"), message(1, 5, "a"), message(1, 6, "")))
	same(t, "events", e.all(), []string{"opened ho", "message 5 a", "message 6 "})
	r.must(r.say(closing(1)))
	same(t, "events", e.all()[3:], []string{"closed " + ErrRemoteClosed.Error()})
	if err := c.Send(3, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("sending after the close: %v", err)
	}
	c.Close()
	r.expect()
	again, err := r.mux.Open(Spec{Protocol: "p", ID: []byte("id")}, &e)
	r.must(err)
	r.expect(opening(1, "p", "id", "")) // the number is free again
	if again.own != 1 || again.Protocol() != "p" || string(again.ID()) != "id" || again.Mux() != r.mux {
		t.Errorf("channel %d", again.own)
	}
}

func TestOffer(t *testing.T) {
	r := newRig(t, Options{})
	r.must(r.say(opening(1, "p", "id", "ho")))
	r.must(r.say(message(1, 1, "one")))
	r.must(r.say(message(1, 2, "two")))
	if len(r.offers) != 1 || r.offers[0].Protocol != "p" || string(r.offers[0].ID) != "id" {
		t.Fatalf("offers %+v", r.offers)
	}
	var e events
	e.hook = func(c *Channel, event string) {
		if event == "message 1 one" {
			r.must(c.Send(9, []byte("reply")))
		}
	}
	c, err := r.offers[0].Accept([]byte("hi"), &e)
	r.must(err)
	same(t, "events", e.all(), []string{"opened ho", "message 1 one", "message 2 two"})
	r.expect(opening(1, "p", "id", "hi"), message(1, 9, "reply"))
	r.must(r.say(message(1, 3, "three")))
	same(t, "events", e.all()[3:], []string{"message 3 three"})
	if _, err := r.offers[0].Accept(nil, &e); !errors.Is(err, ErrAnswered) {
		t.Errorf("a second answer: %v", err)
	}
	r.offers[0].Reject()
	c.Close()
	c.Close()
	r.expect(closing(1))
	r.must(r.say(message(1, 3, "crossed the close"), closing(1)))
	same(t, "events after the close", e.all()[4:], nil)
}

func TestReject(t *testing.T) {
	r := newRig(t, Options{Offered: func(o *Offer) { o.Reject() }})
	r.must(r.say(opening(1, "p", "id", "")))
	r.expect(rejecting(1))
	r.must(r.say(message(1, 1, "late"), opening(1, "q", "id", ""), opening(2, "p", "id", "")))
	r.expect(rejecting(1), rejecting(2))

	var e events
	_, err := r.mux.Open(Spec{Protocol: "p"}, &e)
	r.must(err)
	r.must(r.say(rejecting(1)))
	same(t, "events", e.all(), []string{"closed " + ErrRejected.Error()})
	_, err = r.mux.Open(Spec{Protocol: "p"}, &e)
	r.must(err)
	r.expect(opening(1, "p", "", ""), opening(1, "p", "", ""))
}

func TestRejectsWithoutOffered(t *testing.T) {
	conn := newFake()
	m := New(conn, Options{})
	defer m.Close()
	conn.in <- AppendMessage(nil, opening(1, "p", "", ""))
	if err := m.ReadFrame(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Flush(); err != nil || len(conn.out) != 1 || !bytes.Equal(conn.out[0], []byte{0, 2, 1}) {
		t.Errorf("%x, %v", conn.out, err)
	}
}

// A number whose open is unanswered stays in use when the channel is closed, until the answer.
func TestClosedBeforeTheAnswer(t *testing.T) {
	r := newRig(t, Options{})
	var first, second events
	c, err := r.mux.Open(Spec{Protocol: "p"}, &first)
	r.must(err)
	c.Close()
	_, err = r.mux.Open(Spec{Protocol: "p"}, &second)
	r.must(err)
	r.expect(opening(1, "p", "", ""), closing(1), opening(2, "p", "", ""))
	r.must(r.say(opening(1, "p", "", "first")))
	r.must(r.say(opening(1, "p", "", "second"), message(1, 1, "x")))
	same(t, "first", first.all(), nil)
	same(t, "second", second.all(), []string{"opened second", "message 1 x"})
	_, err = r.mux.Open(Spec{Protocol: "q"}, &first)
	r.must(err)
	r.expect(opening(1, "q", "", ""))
}

func TestClosedThenRejected(t *testing.T) {
	r := newRig(t, Options{})
	var e events
	c, err := r.mux.Open(Spec{Protocol: "p"}, &e)
	r.must(err)
	c.Close()
	r.must(r.say(rejecting(1)))
	same(t, "events", e.all(), nil)
	if len(r.mux.channels) != 0 || len(r.mux.pairings) != 0 || r.mux.live != 0 {
		t.Errorf("left: %d channels, %d names, %d live", len(r.mux.channels), len(r.mux.pairings), r.mux.live)
	}
}

func TestSecondOfTheSameName(t *testing.T) {
	r := newRig(t, Options{})
	var e events
	_, err := r.mux.Open(Spec{Protocol: "p", ID: []byte("id")}, &e)
	r.must(err)
	if _, err := r.mux.Open(Spec{Protocol: "p", ID: []byte("id")}, &e); !errors.Is(err, ErrOpen) {
		t.Errorf("opened twice: %v", err)
	}
	r.must(r.say(opening(1, "p", "id", "")))
	r.heard()
	r.must(r.say(opening(2, "p", "id", "")))
	r.expect(rejecting(2))
	r.must(r.say(message(1, 1, "lives")))
	same(t, "events", e.all(), []string{"opened ", "message 1 lives"})
}

func TestAlias(t *testing.T) {
	r := newRig(t, Options{})
	var e events
	_, err := r.mux.Open(Spec{Protocol: "new", Aliases: []string{"old"}, ID: []byte("id")}, &e)
	r.must(err)
	r.must(r.say(opening(1, "old", "id", "h")))
	same(t, "events", e.all(), []string{"opened h"})

	r.must(r.say(opening(2, "old", "other", "h")))
	_, err = r.mux.Open(Spec{Protocol: "new", Aliases: []string{"old"}, ID: []byte("other")}, &e)
	r.must(err)
	same(t, "events", e.all(), []string{"opened h", "opened h"})
	if _, err := r.offers[0].Accept(nil, &e); !errors.Is(err, ErrAnswered) {
		t.Errorf("accepted what Open has: %v", err)
	}
	r.must(r.say(closing(1), closing(2)))
	if len(r.mux.pairings) != 0 {
		t.Errorf("%d names are left", len(r.mux.pairings))
	}
}

func TestOfferTakenBack(t *testing.T) {
	r := newRig(t, Options{})
	r.must(r.say(opening(1, "p", "", ""), message(1, 1, "x"), closing(1)))
	r.expect(rejecting(1))
	if _, err := r.offers[0].Accept(nil, &events{}); !errors.Is(err, ErrAnswered) {
		t.Errorf("accepted what is gone: %v", err)
	}
	if r.mux.backlog != 0 || len(r.mux.remotes) != 0 || len(r.mux.pairings) != 0 {
		t.Error("something is left")
	}
}

func TestPeerBreaksTheProtocol(t *testing.T) {
	for name, frame := range map[string][]byte{
		"open of 0":                    AppendMessage(nil, opening(0, "p", "", "")),
		"open of 2 at first":           AppendMessage(nil, opening(2, "p", "", "")),
		"open of a number in use":      AppendBatch(nil, []Message{opening(1, "p", "", ""), opening(1, "q", "", "")}),
		"reject of nothing":            AppendMessage(nil, rejecting(1)),
		"open without a name":          {0, 1, 1},
		"open without a number":        {0, 1},
		"reject without a number":      {0, 2},
		"close without a number":       {0, 3},
		"channel alone":                {1},
		"number cut off":               {0xfd, 1},
		"number above 2^53":            {0xff, 0, 0, 0, 0, 0, 0, 0x20, 0, 0},
		"batch without a channel":      {0, 0},
		"batch item longer than all":   {0, 0, 1, 9, 1},
		"batch item of 2^53-1":         {0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0, 1},
		"batch within a batch":         {0, 0, 0, 3, 0, 0, 0},
		"batch that ends in a channel": {0, 0, 1, 0},
	} {
		r := newRig(t, Options{})
		var e events
		_, err := r.mux.Open(Spec{Protocol: "mine"}, &e)
		r.must(err)
		r.must(r.say(opening(1, "mine", "", ""))) // number 1 is in use on both sides
		if name == "open of 2 at first" {
			r = newRig(t, Options{})
		}
		r.conn.in <- frame
		if err := r.mux.ReadFrame(); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
		select {
		case <-r.conn.closed:
		default:
			t.Errorf("%s: the stream lives", name)
		}
	}
}

func TestIgnored(t *testing.T) {
	r := newRig(t, Options{})
	r.must(r.say(closing(7)))
	r.must(r.say(message(9, 1, "no such channel")))
	r.must(r.say(Message{0, 9, []byte("no such control message")}))
	r.must(r.say(Message{0, 99, nil}, message(4, 0, "")))
	r.expect()
}

func TestHandlerErrorEndsTheStream(t *testing.T) {
	wrong := errors.New("wrong")
	for _, at := range []string{"opened h", "message 1 x"} {
		r := newRig(t, Options{})
		var other events
		e := events{fail: map[string]error{at: wrong}}
		_, err := r.mux.Open(Spec{Protocol: "p"}, &e)
		r.must(err)
		_, err = r.mux.Open(Spec{Protocol: "q"}, &other)
		r.must(err)
		err = r.say(opening(1, "p", "", "h"), message(1, 1, "x"))
		if !errors.Is(err, wrong) || !errors.Is(r.mux.Err(), wrong) {
			t.Errorf("%s: %v", at, err)
		}
		for _, list := range [][]string{e.all(), other.all()} {
			if last := list[len(list)-1]; !strings.HasPrefix(last, "closed ") || !strings.Contains(last, "wrong") {
				t.Errorf("%s: events %q", at, list)
			}
		}
	}
}

func TestHandlerErrorWhileAccepting(t *testing.T) {
	wrong := errors.New("wrong")
	r := newRig(t, Options{})
	r.must(r.say(opening(1, "p", "", "h"), message(1, 1, "x")))
	e := events{fail: map[string]error{"message 1 x": wrong}}
	_, err := r.offers[0].Accept(nil, &e)
	r.must(err)
	if err := r.mux.ReadFrame(); !errors.Is(err, wrong) {
		t.Errorf("the reader finds %v", err)
	}
	list := e.all()
	if len(list) != 3 || !strings.HasPrefix(list[2], "closed ") {
		t.Errorf("events %q", list)
	}
}

func TestEndOfTheStream(t *testing.T) {
	r := newRig(t, Options{})
	var e events
	c, err := r.mux.Open(Spec{Protocol: "p"}, &e)
	r.must(err)
	r.must(r.say(opening(1, "q", "", "")))
	close(r.conn.in)
	if err := r.mux.ReadFrame(); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	same(t, "events", e.all(), []string{"closed EOF"})
	for name, err := range map[string]error{
		"send": c.Send(1, nil),
		"open": second(r.mux.Open(Spec{Protocol: "z"}, &e)),
		"take": second(r.offers[0].Accept(nil, &e)),
	} {
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.offers[0].Reject()
	c.Close()
	if _, err := r.mux.Flush(); !errors.Is(err, io.EOF) {
		t.Errorf("flush: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
