package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/config"
	peers "github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/protocols"
)

// otherNodes are those of the other process: with the one of this they are twenty.
const otherNodes = 19

// othersVar in the environment makes of the process the other nodes.
const othersVar = "HYPERNODE_NODEBENCH_OTHERS"

const talk = "/nodebench/1"

func topic() [32]byte { return [32]byte{20} }

// meeting joins a topic that one of nineteen nodes of another process has joined, and waits for the stream. Its node is in
// the network before.
func meeting(ctx context.Context, _ *lab) (s sample, err error) {
	entry, stop, err := others(ctx)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	err = withNode(ctx, entry, func(ctx context.Context, n *peers.Node) error {
		if err := known(ctx, n); err != nil {
			return err
		}
		met := make(chan struct{}, otherNodes)
		began := time.Now()
		m, err := n.Join(ctx, topic(), talk, func(context.Context, *protocols.Stream) { met <- struct{}{} })
		if err != nil {
			return err
		}
		defer m.Leave()
		select {
		case <-met:
			s.value = milliseconds(time.Since(began))
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	return s, err
}

// others starts the other process and returns where its network is entered.
func others(ctx context.Context) (entry string, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env, cmd.Stderr = append(os.Environ(), othersVar+"=1"), os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(stdin.Close(), cmd.Wait()) }
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &entry)
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("starting the other nodes: %w", err), stop())
	}
	return entry, stop, nil
}

// serveOthers runs the other nodes until the input ends.
func serveOthers(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return withNode(ctx, "", func(ctx context.Context, boot *peers.Node) error {
		entry := boot.Addresses()[0]
		g, gctx := errgroup.WithContext(ctx)
		ready := make(chan struct{}, otherNodes)
		for i := range otherNodes - 1 {
			g.Go(func() error {
				return withNode(gctx, entry, func(ctx context.Context, n *peers.Node) error { return other(ctx, n, i == 0, ready) })
			})
		}
		for range otherNodes - 1 {
			select {
			case <-ready:
			case <-gctx.Done():
				return g.Wait()
			}
		}
		if err := json.NewEncoder(os.Stdout).Encode(entry); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, os.Stdin)
		cancel()
		return errors.Join(err, g.Wait())
	})
}

// other is one of the other nodes; one of them has joined the topic.
func other(ctx context.Context, n *peers.Node, joins bool, ready chan<- struct{}) error {
	if known(ctx, n) != nil {
		return nil
	}
	if joins {
		m, err := n.Join(ctx, topic(), talk, func(ctx context.Context, _ *protocols.Stream) { <-ctx.Done() })
		if err != nil {
			return err
		}
		defer m.Leave()
		if err := m.Flush(ctx); err != nil {
			return nil
		}
	}
	ready <- struct{}{}
	<-ctx.Done()
	return nil
}

// known waits until a node knows most of the others and nothing has come for a while. It need not know all: who was missed by
// those that were asked is found only when it is looked for.
func known(ctx context.Context, n *peers.Node) error {
	for before := -1; ; {
		count := n.Status().Networks[0].Nodes
		wait := 500 * time.Millisecond
		if count <= otherNodes/2 {
			wait = 10 * time.Millisecond
		} else if count == before {
			return nil
		}
		before = count
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// withNode runs a node of this process while fn runs.
func withNode(ctx context.Context, entry string, fn func(context.Context, *peers.Node) error) (err error) {
	c := config.Config{
		Network:   config.Network{Transports: []string{"tcp"}, Listen: []string{listen("tcp")}, PortMapping: config.Off},
		Discovery: config.Discovery{Profile: config.LAN, MDNS: config.Off, LocalPorts: config.Off},
	}
	if entry != "" {
		c.Discovery.Bootstrap = []string{entry}
	}
	n, err := peers.New(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.Run(gctx) })
	ferr := fn(gctx, n)
	return errors.Join(ferr, n.Close(), g.Wait())
}
