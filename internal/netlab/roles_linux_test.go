package netlab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/protocols"
)

// roleEnv makes the test's binary another program, and partEnv says what that shall do, as a part in JSON.
const (
	roleEnv = "HYPERNODE_NETLAB_ROLE"
	partEnv = "HYPERNODE_NETLAB_PART"
)

// part is what such a program is told.
type part struct {
	Path      string   // of its store; none keeps it in memory
	Bootstrap []string // by which it enters the network
	Peer      string   // an address that ends in /p2p/ID
	Key       string   // of a core, or a topic, or what is its discovery key
	Peers     int      // how many peers to be
	Rate      int      // how much to do in a second
	Hello     string   // to say
}

// play is such a program. It ends with an interrupt.
func play(role string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var p part
	if err := json.Unmarshal([]byte(os.Getenv(partEnv)), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	roles := map[string]func(context.Context, part) error{
		"reader": read, "audience": audience, "lender": lend, "program": meet, "stranger": ask, "sink": sink, "crowd": crowd, "eavesdropper": hear,
		"silent": silent, "slow": slow, "flood": flood, "reconnect": reconnect,
	}
	run := roles[role]
	if run == nil {
		fmt.Fprintln(os.Stderr, "no such role:", role)
		return 2
	}
	if err := run(ctx, p); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// role starts such a program on a machine, nice to others if it is to be.
func (m *machine) role(name string, p part, nice bool) *process {
	m.t.Helper()
	self, err := os.Executable()
	must(m.t, err)
	b, err := json.Marshal(p)
	must(m.t, err)
	env := []string{roleEnv + "=" + name, partEnv + "=" + string(b)}
	if nice {
		return m.start(env, "nice", "-n", "19", self)
	}
	return m.start(env, self)
}

// tell prints a line for the test.
func tell(doc any) {
	json.NewEncoder(os.Stdout).Encode(doc)
}

// withNode runs a node while fn runs.
func withNode(ctx context.Context, p part, fn func(context.Context, *node.Node) error) error {
	n, err := node.New(ctx, config.Config{
		Path:      p.Path,
		Network:   config.Network{Port: config.FreePort, PortMapping: config.Off},
		Discovery: config.Discovery{Profile: config.LAN, MDNS: config.Off, Bootstrap: p.Bootstrap},
	})
	if err != nil {
		return err
	}
	defer n.Close()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	err = fn(ctx, n)
	n.Close()
	if rerr := <-ended; err == nil {
		err = rerr
	}
	return err
}

// meet joins a topic, says hello to whom it meets, and tells what they say.
func meet(ctx context.Context, p part) error {
	return withNode(ctx, p, func(ctx context.Context, n *node.Node) error {
		m, err := n.Join(ctx, [32]byte([]byte(p.Key)), "/netlab/hello/1", func(ctx context.Context, s *protocols.Stream) {
			io.WriteString(s, p.Hello)
			s.CloseWrite()
			heard, err := io.ReadAll(io.LimitReader(s, 1<<10))
			if err == nil {
				tell(heardFrom{string(heard), s.Peer.String()})
			}
		})
		if err != nil {
			return err
		}
		defer m.Leave()
		tell(heardFrom{Peer: n.Host().ID().String()})
		<-ctx.Done()
		return nil
	})
}

// heardFrom is what a peer said; the first line of a program is its own id.
type heardFrom struct{ Said, Peer string }

// hint reads an address.
func hint(text string) (peer.AddrInfo, error) {
	info, err := peer.AddrInfoFromString(strings.TrimSpace(text))
	if err != nil {
		return peer.AddrInfo{}, err
	}
	return *info, nil
}
