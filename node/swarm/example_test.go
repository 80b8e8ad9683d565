package swarm_test

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/node/swarm"
)

func ExampleNew() {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		panic(err)
	}
	h, err := swarm.New(context.Background(), swarm.Options{
		Config: config.Config{
			Network:   config.Network{Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}},
			Discovery: config.Discovery{Profile: config.Offline},
		},
		Identity: key,
	})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	fmt.Println(len(h.Network().ListenAddresses()))
	// Output: 2
}
