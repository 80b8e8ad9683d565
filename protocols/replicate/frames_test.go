package replicate

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

// Who has proven no key may not send large messages; who has may.
func TestUnprovenFrames(t *testing.T) {
	a, b := newNode(t, Options{}), newNode(t, Options{})
	large := bytes.Repeat([]byte("large"), unprovenFrame/2)
	w := a.open(corestore.Name("log"))
	if _, err := w.Append(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	r := b.open(corestore.Key(w.Key()))
	connect(t, a, b)
	mustGet(t, r, 0, large)

	for _, n := range []int{unprovenFrame / 2, unprovenFrame + 1} {
		if ended := sendsFrame(t, a, n); ended != (n > unprovenFrame) {
			t.Errorf("%d bytes of a stranger: the stream ended %v", n, ended)
		}
	}
}

// sendsFrame sends a node a frame on a new stream, then the end of the stream, and tells whether the node ended it before.
func sendsFrame(t *testing.T, n *node, size int) (ended bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	x, y := net.Pipe()
	done := make(chan error, 1)
	go func() {
		conn, err := secretstream.Server(ctx, y, secretstream.Options{})
		if err == nil {
			err = n.set.Serve(ctx, conn, n.store.Find)
		}
		done <- err
	}()
	conn, err := secretstream.Client(ctx, x, secretstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for err := error(nil); err == nil; {
			_, err = conn.ReadMessage()
		}
	}()
	unknown := append([]byte{1, 1, 1}, make([]byte, size-3)...) // of a channel that is not open
	err = conn.WriteMessages(unknown)
	if err == nil {
		err = conn.WriteMessages(unknown[:3])
	}
	cancel()
	conn.Close()
	<-heard
	<-done
	return err != nil
}
