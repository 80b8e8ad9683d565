package protocols_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/hypernode/hypernode/protocols"
)

func TestTopicStreams(t *testing.T) {
	a, b := newSide(t), newSide(t)
	b.knows(a)
	topic, other := protocols.Topic{1}, protocols.Topic{2}
	leave, err := a.service.Handle(t.Context(), topic, "/echo/1", func(_ context.Context, s *protocols.Stream) {
		if s.Peer != b.host.ID() || s.Topic != topic || s.Opened {
			t.Errorf("stream of %v in %v", s.Peer, s.Topic)
		}
		io.Copy(s, s)
		s.CloseWrite()
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.service.Handle(t.Context(), topic, "/echo/1", nil); !errors.Is(err, protocols.ErrHandled) {
		t.Fatalf("a second handler: %v", err)
	}
	s, err := b.service.Open(t.Context(), a.host.ID(), topic, "/echo/1")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	s.CloseWrite()
	if got, err := io.ReadAll(s); err != nil || string(got) != "hello" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := b.service.Open(t.Context(), a.host.ID(), other, "/echo/1"); !errors.Is(err, protocols.ErrTopic) {
		t.Fatalf("another topic: %v", err)
	}
	leave()
	if s, err := b.service.Open(t.Context(), a.host.ID(), topic, "/echo/1"); err == nil {
		s.Close()
		t.Fatal("opened after the leaving")
	}
}
