package node_test

import (
	"context"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/protocols"
)

// alone is a configuration for nodes that talk to nobody but those that they are told of.
func alone() config.Config {
	return config.Config{
		Network:   config.Network{Listen: []string{"/ip4/127.0.0.1/tcp/0"}},
		Discovery: config.Discovery{Profile: config.Offline},
	}
}

// A writer and a reader, which is told where the writer is. Without hints it would look for it.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	writer, err := node.New(ctx, alone()) // with a Path it is kept on disk
	if err != nil {
		panic(err)
	}
	defer writer.Close()
	go writer.Run(ctx)
	log, err := writer.Open(ctx, corestore.Name("events"))
	if err != nil {
		panic(err)
	}
	if _, err := log.Append(ctx, []byte("hello")); err != nil {
		panic(err)
	}

	reader, err := node.New(ctx, alone())
	if err != nil {
		panic(err)
	}
	defer reader.Close()
	go reader.Run(ctx)
	copied, err := reader.Core(ctx, log.Key(), hint(writer))
	if err != nil {
		panic(err)
	}
	if err := copied.Update(ctx); err != nil { // waits for peers
		panic(err)
	}
	block, err := copied.Get(ctx, 0)
	fmt.Println(string(block), err)
	// Output: hello <nil>
}

// Two programs find each other by 32 bytes and speak a protocol of their own.
func ExampleNode_Join() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	topic := [32]byte{1, 2, 3}
	said := make(chan string)
	a, err := node.New(ctx, alone())
	if err != nil {
		panic(err)
	}
	defer a.Close()
	go a.Run(ctx)
	_, err = a.Join(ctx, topic, "/greeting/1", func(_ context.Context, s *protocols.Stream) {
		b, _ := io.ReadAll(s)
		said <- string(b)
	})
	if err != nil {
		panic(err)
	}

	b, err := node.New(ctx, alone())
	if err != nil {
		panic(err)
	}
	defer b.Close()
	go b.Run(ctx)
	m, err := b.Join(ctx, topic, "/greeting/1", func(_ context.Context, s *protocols.Stream) {
		io.WriteString(s, "good morning")
		s.CloseWrite()
		io.Copy(io.Discard, s)
	})
	if err != nil {
		panic(err)
	}
	m.Meet(hint(a)) // offline, nobody is found by itself
	fmt.Println(<-said)
	// Output: good morning
}

// A program that has a libp2p host lends it to a node.
func ExampleAttach() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
	if err != nil {
		panic(err)
	}
	defer h.Close()
	n, err := node.Attach(ctx, alone(), h, nil, node.Options{}) // a DHT of the program's in place of nil
	if err != nil {
		panic(err)
	}
	defer n.Close()
	go n.Run(ctx)
	fmt.Println(n.Host() == h)
	// Output: true
}
