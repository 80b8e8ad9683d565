package secretstream

import (
	"bytes"
	"errors"
	"testing"
)

// A message that is kept stays as it is while others come, and its memory is used again once it is released.
func TestKeep(t *testing.T) {
	a, b := tcp(t)
	client, server := shake(t, a, b, Options{}, Options{})
	sizes := []int{minLoan, 64 << 10, 10, 200 << 10, 300 << 10, 64<<10 + 1, 64 << 10}
	sent := make(chan error, 1)
	go func() {
		var err error
		for i, n := range sizes {
			err = errors.Join(err, client.WriteMessages(bytes.Repeat([]byte{byte(i + 1)}, n)))
		}
		sent <- err
	}()
	var kept [][]byte
	var loans []*Loan
	for i, n := range sizes {
		msg, err := server.ReadMessage()
		must(t, err)
		loan := server.Keep(len(msg))
		if got, want := loan != nil, n >= minLoan && n < maxBuffer; got != want {
			t.Errorf("message of %d bytes: kept %v, want %v", n, got, want)
		}
		if loan == nil {
			msg = bytes.Clone(msg)
		} else if server.Keep(len(msg)) != nil {
			t.Errorf("message %d was lent twice", i)
		}
		kept, loans = append(kept, msg), append(loans, loan)
	}
	must(t, <-sent)
	for i, msg := range kept {
		if !bytes.Equal(msg, bytes.Repeat([]byte{byte(i + 1)}, sizes[i])) {
			t.Errorf("message %d has changed", i)
		}
		loans[i].Release()
	}
}

// Little is not kept in much memory, and a quiet stream holds none.
func TestKeepIsThrifty(t *testing.T) {
	a, b := tcp(t)
	client, server := shake(t, a, b, Options{}, Options{})
	for _, n := range []int{100 << 10, 10} {
		sent := make(chan error, 1)
		go func() { sent <- client.WriteMessages(make([]byte, n)) }()
		if _, err := server.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		must(t, <-sent)
		if server.Keep(n/4) != nil {
			t.Error("a quarter of a message was kept with all its memory")
		}
	}
	if server.lender.next != nil {
		t.Error("memory is held behind a small message")
	}
}

func TestSetMaxMessage(t *testing.T) {
	a, b := tcp(t)
	client, server := shake(t, a, b, Options{}, Options{Limits: Limits{MaxMessage: 4000}})
	read := func(n int) error {
		sent := make(chan error, 1)
		go func() { sent <- client.WriteMessages(make([]byte, n)) }()
		_, err := server.ReadMessage()
		return errors.Join(err, <-sent)
	}
	for _, step := range []struct{ most, n int }{{1000, 1000}, {0, 4000}, {1 << 40, 4000}, {-1, 4000}, {2000, 2000}} {
		server.SetMaxMessage(step.most)
		if err := read(step.n); err != nil {
			t.Errorf("%d bytes of at most %d: %v", step.n, step.most, err)
		}
	}
	if err := read(2001); !errors.Is(err, ErrFrame) {
		t.Errorf("2001 bytes of at most 2000: %v", err)
	}
}
