package netlab

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
)

// lent is what a program says that lends its host to a node.
type lent struct{ Peer, Key, Block string }

// lend is a program that has a libp2p host, and is a client of the IPFS nodes' DHT. It lends both to a node: to write a core
// with a block that says hello, or to read the one with a key.
func lend(ctx context.Context, p part) error {
	entry, err := hint(p.Bootstrap[0])
	if err != nil {
		return err
	}
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/0.0.0.0/tcp/4002"), libp2p.DisableMetrics())
	if err != nil {
		return err
	}
	defer h.Close()
	table, err := dht.New(h, dht.Mode(dht.ModeClient), dht.BootstrapPeers(entry))
	if err != nil {
		return err
	}
	defer table.Close()
	if err := table.Bootstrap(ctx); err != nil {
		return err
	}
	if err := h.Connect(ctx, entry); err != nil {
		return err
	}
	c := config.Config{Discovery: config.Discovery{MDNS: config.Off}}
	n, err := node.Attach(ctx, c, h, table, node.Options{})
	if err != nil {
		return err
	}
	defer n.Close()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- n.Run(running) }()
	defer func() { stop(); <-ended }()
	if p.Key != "" {
		return borrow(ctx, n, p.Key)
	}
	log, err := n.Open(ctx, corestore.Name("hello"))
	if err != nil {
		return err
	}
	defer log.Close()
	if _, err := log.Append(ctx, []byte(p.Hello)); err != nil {
		return err
	}
	tell(lent{Peer: h.ID().String(), Key: log.Key().String()})
	<-ctx.Done()
	return nil
}

// borrow reads the first block of a core, and leaves the host as it was.
func borrow(ctx context.Context, n *node.Node, text string) error {
	key, err := keys.Parse(text)
	if err != nil {
		return err
	}
	c, err := n.Core(ctx, key)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := n.Joined(ctx, c.DiscoveryKey()); err != nil {
		return err
	}
	b, err := c.Get(ctx, 0)
	if err != nil {
		return err
	}
	h := n.Host()
	if err := n.Close(); err != nil {
		return err
	}
	if len(h.Network().ListenAddresses()) == 0 || len(h.Network().Peers()) == 0 {
		return fmt.Errorf("the node has closed the program's host")
	}
	tell(lent{Peer: h.ID().String(), Key: text, Block: string(b)})
	return nil
}

// TestAttachToIPFS has two programs that are clients of stock IPFS nodes lend what they have to a node: one writes a core, the
// other finds and reads it, by the IPFS nodes' DHT.
func TestAttachToIPFS(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("not in a short run")
	}
	tool := kuboTool(t)
	l := newInternet(t)
	first := newKubo(l.machine(), tool)
	second := newKubo(l.machine(), tool, first.at)
	writer := l.machine().role("lender", part{Bootstrap: []string{first.at}, Hello: "good morning"}, false)
	var wrote lent
	writer.line(&wrote)
	reader := l.machine().role("lender", part{Bootstrap: []string{second.at}, Key: wrote.Key}, false)
	var read lent
	reader.line(&read)
	if read.Block != "good morning" {
		t.Errorf("read %q", read.Block)
	}
	reader.ok()
	if id, err := peer.Decode(wrote.Peer); err != nil || !strings.Contains(first.do("swarm", "peers"), id.String()) {
		t.Errorf("an IPFS node does not know %s: %v", wrote.Peer, err)
	}
}
