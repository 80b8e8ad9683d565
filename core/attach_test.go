package core

import (
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/merkle"
)

// hastySource has a peer that answers before Attach has returned.
type hastySource struct {
	t       *testing.T
	proof   *merkle.Proof
	applied chan struct{}
	told    chan Change
}

func (s *hastySource) Attach(c *Core) Session {
	go func() {
		defer close(s.applied)
		if _, err := c.Apply(s.t.Context(), s.proof); err != nil {
			s.t.Error(err)
		}
	}()
	select {
	case <-s.applied: // nobody is told of it any more
	case <-time.After(20 * time.Millisecond):
	}
	return hastySession{s: s}
}

type hastySession struct {
	Session
	s *hastySource
}

func (h hastySession) Changed(ch Change) { h.s.told <- ch }
func (h hastySession) Close() error      { return nil }

// TestAttachMissesNothing applies a proof while the session is being made: the session is told of it.
func TestAttachMissesNothing(t *testing.T) {
	w := newWriter(t, 1, numbered(0, 5)...)
	p, err := w.Prove(t.Context(), &merkle.Request{ID: 1, Manifest: true, Upgrade: &merkle.UpgradeRequest{Length: 5}})
	if err != nil {
		t.Fatal(err)
	}
	s := &hastySource{t: t, proof: p, applied: make(chan struct{}), told: make(chan Change, 1)}
	r := newReader(t, w, s)
	<-s.applied
	if r.Head().Length != 5 {
		t.Fatalf("the head is %v", r.Head())
	}
	select {
	case ch := <-s.told:
		if ch.Head.Length != 5 {
			t.Errorf("told of %v", ch.Head)
		}
	default:
		t.Error("the session was not told")
	}
}
