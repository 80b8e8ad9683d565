package secretstream_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/protocols/secretstream"
)

func Example() {
	ctx := context.Background()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		server, err := secretstream.Server(ctx, b, secretstream.Options{})
		if err != nil {
			log.Fatal(err)
		}
		defer server.Close()
		msg, err := server.ReadMessage()
		fmt.Printf("%s %v\n", msg, err)
	}()

	me := keys.PairFromSeed(keys.Seed{1})
	client, err := secretstream.Client(ctx, a, secretstream.Options{Static: me})
	if err != nil {
		log.Fatal(err)
	}
	go client.ReadMessage() // a stream is read at all times
	if err := client.WriteMessages([]byte("hello")); err != nil {
		log.Fatal(err)
	}
	<-done
	client.Close()
	// Output: hello <nil>
}
