package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

func (a *app) nodeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "node",
		Short: "The node that serves and seeds: run, status, metrics, stop",
		Long: `A node keeps the store open, finds peers, serves what is shared and keeps copies of
what is seeded. While it runs all commands work through it, by a socket that only its
user can open; "hypernode paths" tells where.`,
		Example: `  hypernode node run
  hypernode node status --json
  hypernode node stop`,
	}
	group(c)
	c.AddCommand(a.nodeRunCommand(), a.nodeStatusCommand(), a.nodeMetricsCommand(), a.nodeStopCommand())
	return c
}

func (a *app) nodeRunCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the node until Ctrl-C or node stop",
		Long: `Run the node in the foreground. The addresses at which it can be reached are
printed once it is ready. It takes the default ports, or free ones when they are
busy; an address that was asked for must be bound, or the start fails.`,
		Example: `  hypernode node run --profile lan
  hypernode node run --listen /ip4/0.0.0.0/tcp/4000 --bootstrap /ip4/192.0.2.7/tcp/4977/p2p/12D3…`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return a.nodeRun(c.Context(), &f) },
	}
	f.add(c.Flags())
	return c
}

// runningNode is what "node run" prints when it is ready.
type runningNode struct {
	Peer      string   `json:"peer"`
	Addresses []string `json:"addresses"`
	Socket    string   `json:"socket"`
	Control   []string `json:"control"` // by TCP

	tokens string // the folder of those that control by TCP takes
}

func (a *app) nodeRun(ctx context.Context, f *nodeFlags) error {
	if client := a.runningNode(ctx); client != nil {
		defer client.Close()
		return fail(exitLocked, `"hypernode node status" tells of it, "hypernode node stop" ends it`, "a node is running here already")
	}
	ready := false
	a.registry = api.NewRegistry()
	err := a.withNode(ctx, f, false, func(ctx context.Context, n *node.Node) error {
		socket := api.Path(n.Config())
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		g, gctx := errgroup.WithContext(ctx)
		answers := make(chan []string, 1)
		g.Go(func() error {
			defer stop()
			return api.Serve(gctx, n, socket, api.Options{
				Version: thisVersion().Version, Stop: stop, Registry: a.registry, Ready: func(control []string) { answers <- control },
				Command: func(ctx context.Context, c api.Command) int { return carryOut(ctx, n, c) },
				Logger:  a.log.With("part", "api"),
			})
		})
		out := runningNode{Peer: n.Host().ID().String(), Addresses: n.Addresses(), Socket: socket, tokens: filepath.Dir(api.TokenPath(n.Config(), api.ScopeRead))}
		select {
		case out.Control = <-answers:
		case <-gctx.Done():
			return g.Wait()
		}
		if err := a.printRunning(&out); err != nil {
			return errors.Join(err, g.Wait())
		}
		ready = true
		return g.Wait()
	})
	if ready && (err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		return nil // a server has no other end
	}
	return err
}

func (a *app) printRunning(out *runningNode) error {
	if a.json {
		if err := a.encode(out); err != nil {
			return err
		}
	}
	for _, at := range out.Addresses {
		if err := a.print("%s", at); err != nil {
			return err
		}
	}
	for _, at := range out.Control {
		a.say("control by TCP at %s, with a token of %s", at, plain(out.tokens))
	}
	a.say("running as %s; stop with Ctrl-C", out.Peer)
	return nil
}

// withClient calls fn with a client of the node that runs.
func (a *app) withClient(ctx context.Context, f *nodeFlags, fn func(c *api.Client) error) error {
	c, _, err := a.configuration(f, true)
	if err != nil {
		return err
	}
	client, err := a.dialNode(ctx, c)
	if err != nil {
		return noNode(err)
	}
	defer client.Close()
	return noNode(fn(client))
}

// hintOf says what to do about an answer of a node.
func hintOf(code string) string {
	switch code {
	case api.CodeQuota:
		return `raise limits.store in the configuration, or free space: "hypernode unseed", "hypernode core clear"`
	case api.CodeNoSpace:
		return noSpaceHint
	}
	return ""
}

// noNode gives the errors of a client their exit codes.
func noNode(err error) error {
	var answer *api.Error
	switch {
	case errors.Is(err, api.ErrNotRunning):
		return fail(exitNotRunning, `start one with "hypernode node run"`, "no node is running here")
	case errors.As(err, &answer):
		codes := map[string]int{
			api.CodeInvalid: exitUsage, api.CodeNotFound: exitNotFound, api.CodeRefused: exitRefused, api.CodeQuota: exitQuota,
			api.CodeNoSpace: exitFailed, api.CodeCancelled: exitInterrupted,
		}
		if code, ok := codes[answer.Code]; ok {
			return &failure{code, hintOf(answer.Code), err}
		}
	}
	return err
}

func (a *app) nodeStatusCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:     "status",
		Short:   "Tell what the node is doing",
		Example: `  hypernode node status --json`,
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withClient(c.Context(), &f, func(client *api.Client) error {
				s, err := client.Status(c.Context())
				if err != nil {
					return err
				}
				a.result = s
				return a.printStatus(&s)
			})
		},
	}
	f.add(c.Flags())
	return c
}

func (a *app) printStatus(s *api.Status) error {
	rows := [][2]string{
		{"peer", s.Peer}, {"version", s.Version}, {"process", fmt.Sprint(s.PID)},
		{"running", time.Since(s.Since).Round(time.Second).String()}, {"profile", s.Profile},
	}
	for _, at := range s.Addresses {
		rows = append(rows, [2]string{"address", at})
	}
	for _, n := range s.Networks {
		rows = append(rows, [2]string{"network", fmt.Sprintf("%s, %s known", n.Name, count(uint64(n.Nodes), "node"))})
	}
	rows = append(rows,
		[2]string{"connections", fmt.Sprint(s.Connections)}, [2]string{"peers", fmt.Sprint(len(s.Peers))},
		[2]string{"topics", fmt.Sprint(s.Topics)}, [2]string{"seeds", fmt.Sprint(s.Seeds)}, [2]string{"store", size(s.StoreBytes)})
	if s.StoreError != "" {
		rows = append(rows, [2]string{"store error", s.StoreError})
	}
	for _, r := range rows {
		if err := a.print("%-12s %s", r[0], oneLine(r[1])); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) nodeMetricsCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:   "metrics",
		Short: "Print the node's figures as Prometheus reads them",
		Long: `Print the figures of the node, its network and its process, as Prometheus reads
them. The socket has them too, at /metrics, and profiles at /debug/pprof/.`,
		Example: `  hypernode node metrics | grep ^hypernode_
  curl --unix-socket "$(hypernode paths --json | jq -r .socket)" http://node/debug/pprof/heap > heap`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withClient(c.Context(), &f, func(client *api.Client) error {
				text, err := client.Metrics(c.Context())
				if err != nil {
					return err
				}
				defer text.Close()
				if _, err := io.Copy(a.stdout, text); err != nil {
					return fmt.Errorf("printing the figures: %w", err)
				}
				return nil
			})
		},
	}
	f.add(c.Flags())
	return c
}

func (a *app) nodeStopCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:     "stop",
		Short:   "Stop the node",
		Long:    "Stop the node, and wait until its store is free.",
		Example: `  hypernode node stop`,
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return a.nodeStop(c.Context(), &f) },
	}
	f.add(c.Flags())
	return c
}

// stopped is the result of "node stop".
type stopped struct {
	Stopped bool `json:"stopped"`
	PID     int  `json:"pid"`
}

// nodeStop ends the node that runs and waits until others can open its store.
func (a *app) nodeStop(ctx context.Context, f *nodeFlags) error {
	var out stopped
	err := a.withClient(ctx, f, func(client *api.Client) error {
		s, err := client.Status(ctx)
		if err != nil {
			return err
		}
		out.PID = s.PID
		return client.Stop(ctx)
	})
	if err != nil {
		return err
	}
	c, _, err := a.configuration(f, true)
	if err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		db, err := openEngine(c.Store.Engine, c.StorePath(), datastore.Options{ReadOnly: true})
		switch {
		case err == nil:
			out.Stopped, a.result = true, &out
			return closed(nil, "closing the store", db.Close())
		case !errors.Is(err, datastore.ErrLocked):
			out.Stopped, a.result = true, &out
			return nil // what is wrong with it is told by who uses it
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *app) peersCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:     "peers",
		Short:   "List the peers with whom the node exchanges",
		Long:    "List the peers with whom the node exchanges: peer id, address, round trip, and what it calls itself, with tabs between.",
		Example: `  hypernode peers --json`,
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withClient(c.Context(), &f, func(client *api.Client) error {
				list, err := client.Peers(c.Context())
				if err != nil {
					return err
				}
				rows, docs := [][]string{}, []any{}
				for _, p := range list {
					at := "-"
					if len(p.Addresses) > 0 {
						at = p.Addresses[0]
					}
					trip := "-" // not measured yet
					if p.RoundTrip > 0 {
						trip = p.RoundTrip.Round(time.Microsecond).String()
					}
					rows = append(rows, []string{p.Peer, at, trip, oneField([]byte(p.Agent))})
					docs = append(docs, p)
				}
				return a.listing([]string{"PEER", "ADDRESS", "ROUND TRIP", "AGENT"}, rows, docs)
			})
		},
	}
	f.add(c.Flags())
	return c
}

// initialized is the result of "init".
type initialized struct {
	Path   string `json:"path"`
	Config string `json:"config"`
	Peer   string `json:"peer"`
}

func (a *app) initCommand() *cobra.Command {
	var f nodeFlags
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the store, the node's identity and a configuration file",
		Long: `Make the folder that holds everything: the store with its primary key, the node's
identity, and a configuration file in which every key stands with its default. What
is there already is left as it is. Other commands make what they need themselves.`,
		Example: `  hypernode init --path /srv/hypernode`,
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return a.initialize(c.Context(), &f) },
	}
	f.add(c.Flags())
	return c
}

func (a *app) initialize(ctx context.Context, f *nodeFlags) error {
	c, origin, err := a.configuration(f, true)
	if err != nil {
		return err
	}
	file, err := a.configPath(f.file)
	if err != nil {
		return err
	}
	tell, err := a.firstRun(c, origin)
	if err != nil {
		return err
	}
	if err := writeNew(file, config.Sample()); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	done := func(peer string) error {
		a.result = initialized{c.Path, file, peer}
		a.say("store and identity are in %s, the configuration is %s", plain(c.Path), plain(file))
		tell()
		return a.print("%s", peer)
	}
	return a.withClientOr(ctx, f, func(ctx context.Context, client *api.Client) error {
		s, err := client.Status(ctx)
		if err != nil {
			return err
		}
		return done(s.Peer)
	}, func() error {
		return a.withQuietNode(ctx, c, func(n *node.Node) error { return done(n.Host().ID().String()) })
	})
}

// writeNew writes a file unless there is one.
func writeNew(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// withQuietNode opens a node that does not run and can be reached by nobody, to write down what a running one is to do.
func (a *app) withQuietNode(ctx context.Context, c config.Config, fn func(n *node.Node) error) (err error) {
	c.Network.Transports, c.Network.Listen = []string{"tcp"}, []string{"/ip4/127.0.0.1/tcp/0"}
	c.Network.PortMapping, c.Discovery.Profile, c.Discovery.MDNS = config.Off, config.Offline, config.Off
	n, err := node.NewWith(ctx, c, node.Options{Agent: agent(), Logger: a.logger()})
	if err != nil {
		return starting(err)
	}
	defer func() { err = closed(err, "closing the store", n.Close()) }()
	return fn(n)
}
