package mux_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"sync"

	"github.com/hypernode/hypernode/protocols/mux"
)

// printer prints what happens to a channel.
type printer struct {
	who  string
	done chan struct{}
}

func (p *printer) Opened(c *mux.Channel, handshake []byte) error {
	if p.who == "alice" {
		return c.Send(1, []byte("hello"))
	}
	return nil
}

func (p *printer) Message(c *mux.Channel, typ uint64, payload []byte) error {
	fmt.Printf("%s: message %d %q\n", p.who, typ, payload)
	c.Close()
	return nil
}

func (p *printer) Closed(c *mux.Channel, err error) {
	fmt.Printf("%s: %v\n", p.who, err)
	close(p.done)
}

func Example() {
	ctx := context.Background()
	a, b := net.Pipe() // in truth a stream that is encrypted and authenticated, such as one of libp2p
	alice := mux.FramedOptions{LocalPeer: []byte("alice"), RemotePeer: []byte("bob"), Initiator: true}
	bob := mux.FramedOptions{LocalPeer: []byte("bob"), RemotePeer: []byte("alice")}
	done := make(chan struct{})

	side := func(stream net.Conn, o mux.FramedOptions) {
		conn, err := mux.NewFramed(ctx, stream, o)
		if err != nil {
			log.Fatal(err)
		}
		m := mux.New(conn, mux.Options{})
		who := string(o.LocalPeer)
		if _, err := m.Open(mux.Spec{Protocol: "greeting"}, &printer{who, done}); err != nil {
			log.Fatal(err)
		}
		var loops sync.WaitGroup
		loops.Go(func() { m.ReadLoop(ctx) })
		loops.Go(func() { m.WriteLoop(ctx) })
		<-done
		m.Close()
		loops.Wait()
	}
	var sides sync.WaitGroup
	sides.Go(func() { side(a, alice) })
	sides.Go(func() { side(b, bob) })
	sides.Wait()
	// Output:
	// bob: message 1 "hello"
	// alice: mux: closed by the peer
}
