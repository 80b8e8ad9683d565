package protocols_test

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peerstore"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/protocols"
	"github.com/hypernode/hypernode/protocols/replicate"
)

// peerOn makes a peer with a store in memory.
func peerOn(ctx context.Context) (host.Host, *corestore.Store, *protocols.Service) {
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
	if err != nil {
		panic(err)
	}
	set := replicate.New(replicate.Options{})
	store, err := corestore.Open(ctx, datastore.NewMemory(datastore.Options{}), corestore.Options{Source: set})
	if err != nil {
		panic(err)
	}
	s := protocols.New(h, set, protocols.Options{Find: store.Find})
	go s.Run(ctx)
	return h, store, s
}

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	writer, there, _ := peerOn(ctx)
	defer writer.Close()
	log, err := there.Open(ctx, corestore.Name("events"))
	if err != nil {
		panic(err)
	}
	if _, err := log.Append(ctx, []byte("hello")); err != nil {
		panic(err)
	}

	reader, here, s := peerOn(ctx)
	defer reader.Close()
	reader.Peerstore().AddAddrs(writer.ID(), writer.Addrs(), peerstore.PermanentAddrTTL)
	for s.Connect(ctx, writer.ID()) != nil { // Run may not have begun yet
	}
	copied, err := here.Open(ctx, corestore.Key(log.Key()))
	if err != nil {
		panic(err)
	}
	for copied.Head().Length == 0 {
		if err := copied.Update(ctx); err != nil {
			panic(err)
		}
	}
	block, err := copied.Get(ctx, 0)
	fmt.Println(string(block), err)
	// Output: hello <nil>
}
