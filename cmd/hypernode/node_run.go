package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/internal/resident"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
	"github.com/hypernode/hypernode/node/swarm"
)

// nodeFlags say how a node of this process is set up. They go before the environment and the file.
type nodeFlags struct {
	file      string
	set       []string
	profile   string
	listen    []string
	bootstrap []string
	logLevel  string
	logFormat string
}

func (f *nodeFlags) add(s *pflag.FlagSet) {
	s.StringVar(&f.file, "config", "", "configuration file (default config.toml in the folder that holds everything)")
	s.StringArrayVar(&f.set, "set", nil, "SECTION.KEY=VALUE of the configuration; may be repeated")
	s.StringVar(&f.profile, "profile", "", "how peers are found: own, lan, public or offline")
	s.StringArrayVar(&f.listen, "listen", nil, "address that must be bound, a multiaddr or tcp://HOST:PORT; may be repeated")
	s.StringArrayVar(&f.bootstrap, "bootstrap", nil, "node through which the network is entered; may be repeated")
	s.StringVar(&f.logLevel, "log-level", "", "what a node tells of itself: debug, info, warn or error, also of parts, like warn,discovery=debug")
	s.StringVar(&f.logFormat, "log-format", "", "how: text or json")
}

// values are the flags as keys of the configuration.
func (f *nodeFlags) values() (map[string]string, error) {
	m := map[string]string{}
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fail(exitUsage, "for example --set network.port=4000", "--set %s: want SECTION.KEY=VALUE", plain(s))
		}
		m[key] = value
	}
	for key, list := range map[string][]string{"network.listen": f.listen, "discovery.bootstrap": f.bootstrap} {
		if len(list) > 0 {
			m[key] = strings.Join(list, ",")
		}
	}
	for key, text := range map[string]string{"discovery.profile": f.profile, "log.level": f.logLevel, "log.format": f.logFormat} {
		if text != "" {
			m[key] = text
		}
	}
	return m, nil
}

// configuration reads all sources. oneShot takes free ports, for a node that ends soon, unless the user said otherwise.
func (a *app) configuration(f *nodeFlags, oneShot bool) (config.Config, config.Origin, error) {
	flags, err := f.values()
	if err != nil {
		return config.Config{}, nil, err
	}
	root, err := a.folder()
	if err != nil {
		return config.Config{}, nil, err
	}
	file, must := f.file, f.file != ""
	if !must {
		file = a.configFile(root)
	}
	c, origin, err := config.Load(config.Sources{Path: root, File: file, MustExist: must, Environ: a.environ(), Flags: flags})
	if errors.Is(err, config.ErrInvalid) {
		return c, nil, &failure{exitUsage, `see "hypernode config show"`, err}
	}
	if err != nil {
		return c, nil, err
	}
	if c.API.Socket == "" && a.path == "" && a.getenv("HYPERNODE_PATH") == "" {
		c.API.Socket = api.RuntimePath(c)
	}
	if oneShot && origin["network.port"] == "default" {
		c.Network.Port = config.FreePort
	}
	return c, origin, nil
}

// configFile is where the configuration lies: with a folder that the user named in that folder, else in the folder of the
// user's configurations.
func (a *app) configFile(root string) string {
	const name = "config.toml"
	if a.path != "" || a.getenv("HYPERNODE_PATH") != "" {
		return filepath.Join(root, name)
	}
	if dir := a.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hypernode", name)
	}
	if home := a.getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".config", "hypernode", name)
	}
	return filepath.Join(root, name)
}

// withNode runs a node of this process while fn runs. oneShot is as for configuration.
func (a *app) withNode(ctx context.Context, f *nodeFlags, oneShot bool, fn func(ctx context.Context, n *node.Node) error) (err error) {
	c, origin, err := a.configuration(f, oneShot)
	if err != nil {
		return err
	}
	tell, err := a.firstRun(c, origin)
	if err != nil {
		return err
	}
	a.log = a.nodeLogger(c, origin)
	o := node.Options{Agent: agent(), Logger: a.log}
	if a.registry != nil {
		o.Metrics = a.registry
	}
	n, err := node.NewWith(ctx, c, o)
	if err != nil {
		return starting(err)
	}
	defer func() { err = closed(err, "stopping the node", n.Close()) }()
	tell()
	g, gctx := errgroup.WithContext(ctx)
	inner, end := context.WithCancel(gctx)
	g.Go(func() error { return n.Run(inner) })
	g.Go(func() error {
		resident.Keep(inner)
		return nil
	})
	g.Go(func() error {
		defer end()
		return fn(inner, n)
	})
	return g.Wait()
}

// withEither calls client with the node that runs, else own with a node of this process, as withNode does.
func (a *app) withEither(ctx context.Context, f *nodeFlags, oneShot bool, client func(context.Context, *api.Client) error,
	own func(context.Context, *node.Node) error,
) error {
	return a.withClientOr(ctx, f, func(ctx context.Context, c *api.Client) error {
		if f.changes() {
			a.say("a node runs: flags that say how one is set up are passed over")
		}
		return client(ctx, c)
	}, func() error { return a.withNode(ctx, f, oneShot, own) })
}

// withClientOr calls client with the node that runs, else fn.
func (a *app) withClientOr(ctx context.Context, f *nodeFlags, client func(context.Context, *api.Client) error, fn func() error) error {
	c, _, err := a.configuration(f, true)
	if err != nil {
		return err
	}
	running, err := a.dialNode(ctx, c)
	if errors.Is(err, api.ErrNotRunning) {
		return fn()
	}
	if err != nil {
		return err
	}
	defer running.Close()
	return noNode(client(ctx, running))
}

// changes tells whether the user said how the node is to be set up.
func (f *nodeFlags) changes() bool {
	return f.profile != "" || len(f.set)+len(f.listen)+len(f.bootstrap) > 0
}

// dialNode connects to the node that runs on the store.
func (a *app) dialNode(ctx context.Context, c config.Config) (*api.Client, error) {
	client, err := api.Dial(ctx, api.Path(c))
	if errors.Is(err, api.ErrNotRunning) {
		// One that was started in another environment has left a link.
		if client, lerr := api.Dial(ctx, filepath.Join(c.Path, "node.sock")); lerr == nil {
			return client, nil
		}
	}
	return client, err
}

func starting(err error) error {
	if errors.Is(err, swarm.ErrBusy) {
		return &failure{exitFailed, "stop what listens there, or name another address with --listen", fmt.Errorf("starting the node: %w", err)}
	}
	return fmt.Errorf("starting the node: %w", err)
}

// firstRun returns what tells, once the node is there, where peers are looked for, if none has been there before.
func (a *app) firstRun(c config.Config, origin config.Origin) (tell func(), err error) {
	known, err := identityExists(c)
	if err != nil {
		return nil, fmt.Errorf("looking for the store: %w", err)
	}
	return func() {
		if !known {
			a.tellProfile(c, origin)
		}
	}, nil
}

// tellProfile says which networks are used when the user has not chosen.
func (a *app) tellProfile(c config.Config, origin config.Origin) {
	if origin["discovery.profile"] != "default" {
		return
	}
	where := map[string]string{
		config.Public:  "on this machine, on the LAN, in the network of this program and in the public IPFS network",
		config.Own:     "on this machine, on the LAN and in the network of this program",
		config.LAN:     "on this machine and on the LAN",
		config.Offline: "nowhere",
	}
	a.say(`peers are looked for %s (profile %q); "hypernode config set discovery.profile lan" keeps to the LAN, --profile says so for once`,
		where[c.Discovery.Profile], c.Discovery.Profile)
}

// agent is what the node calls itself to others.
func agent() string { return "hypernode/" + strings.Trim(thisVersion().Version, "v()") }

// link is the address of a drive or core with the addresses at which it can be had.
func link(address string, peers []string) string {
	if len(peers) == 0 {
		return address
	}
	return address + "?peer=" + strings.Join(peers, "&peer=")
}
