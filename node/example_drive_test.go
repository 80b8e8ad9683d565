package node_test

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/node"
)

// A node that shares a drive, and one that reads a file of it. The README shows it as a program.
func ExampleNode_Drive() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c := config.Config{ // with a Path it is kept on disk, with the default profile others are found by themselves
		Network:   config.Network{Listen: []string{"/ip4/127.0.0.1/tcp/0"}},
		Discovery: config.Discovery{Profile: config.Offline},
	}
	ann, err := node.New(ctx, c)
	if err != nil {
		panic(err)
	}
	defer ann.Close()
	go ann.Run(ctx)
	notes, err := drive.Create(ctx, ann.Store(), drive.Name("notes"))
	if err != nil {
		panic(err)
	}
	defer notes.Close()
	if err := notes.WriteFile(ctx, "/hello.txt", []byte("hello"), drive.Meta{}); err != nil {
		panic(err)
	}

	bob, err := node.New(ctx, c)
	if err != nil {
		panic(err)
	}
	defer bob.Close()
	go bob.Run(ctx)
	hint := peer.AddrInfo{ID: ann.Host().ID(), Addrs: ann.Host().Addrs()}
	copied, err := bob.Drive(ctx, notes.Key(), hint)
	if err != nil {
		panic(err)
	}
	defer copied.Close()
	if err := copied.Refresh(ctx); err != nil { // the newest version that peers have
		panic(err)
	}
	text, err := fs.ReadFile(copied.FS(ctx), "hello.txt") // fetched when it is read
	fmt.Println(string(text), err)
	// Output: hello <nil>
}
