package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// While a node runs nobody else can open the store. Commands that work on the store are then carried out by the node: it gets the
// command line, and what it prints comes back; files are opened here. What mirrors whole folders works through the node's drives
// instead, see share.go and get.go.

// relayed are the groups whose commands the node carries out, and those of them that it does not.
func relayed(c *cobra.Command) bool {
	path := strings.Fields(c.CommandPath())
	if len(path) != 3 || c.RunE == nil {
		return false
	}
	switch path[1] {
	case "core":
		return path[2] != "serve" && path[2] != "fetch"
	case "bee":
		return true
	case "drive":
		return path[2] != "import" && path[2] != "export"
	}
	return false
}

// relay has the node that runs carry out a command line, if one runs and the command is such a one.
func (a *app) relay(ctx context.Context, root *cobra.Command, list []string) (code int, done bool) {
	c, rest, err := root.Find(list)
	if err != nil || !relayed(c) || wantsHelp(rest) || a.badFlags(c, rest) {
		return 0, false
	}
	client := a.runningNode(ctx)
	if client == nil {
		return 0, false
	}
	defer client.Close()
	code, err = client.Command(ctx, api.Command{
		CommandLine: api.CommandLine{Args: list, Environ: a.passedOn(), Terminal: a.terminal()},
		Stdin:       a.stdin, Stdout: a.stdout, Stderr: a.stderr, Files: systemFiles{},
	})
	if err != nil {
		return a.finish(ctx, noNode(err)), true
	}
	return code, true
}

// wantsHelp tells whether nothing is to be done but to print help.
func wantsHelp(list []string) bool {
	return slices.Contains(list, "--help") || slices.Contains(list, "-h")
}

// badFlags reads the flags that matter here. Those that are wrong are told without a node; peers that a command is to dial itself
// are no affair of the node.
func (a *app) badFlags(c *cobra.Command, list []string) bool {
	if err := c.ParseFlags(list); err != nil {
		return true
	}
	peers := c.Flags().Lookup("peer")
	return peers != nil && peers.Changed
}

// passedOn is the part of the environment that commands look at.
func (a *app) passedOn() map[string]string {
	m := map[string]string{}
	for _, name := range []string{"HYPERNODE_ENCRYPTION_KEY", "NO_COLOR", "TERM"} {
		if s := a.getenv(name); s != "" {
			m[name] = s
		}
	}
	return m
}

// runningNode returns a client of the node that runs on the store, nil if none does. What is wrong with the configuration is not
// told here: commands that work on the store alone do without it.
func (a *app) runningNode(ctx context.Context) *api.Client {
	c, _, err := a.configuration(&nodeFlags{}, true)
	if err != nil {
		root, ferr := a.folder()
		if ferr != nil {
			return nil
		}
		c = config.Config{Path: root}
	}
	client, err := a.dialNode(ctx, c)
	if err != nil {
		return nil
	}
	return client
}

// carryOut is what a node does with a command line that it got.
func carryOut(ctx context.Context, n *node.Node, c api.Command) int {
	a := &app{
		stdin: c.Stdin, stdout: c.Stdout, stderr: c.Stderr, onTerminal: c.Terminal, files: c.Files, host: n,
		getenv: func(name string) string { return c.Environ[name] }, environ: func() []string { return nil },
	}
	a.json = wantsJSON(c.Args)
	root := a.root()
	root.SetArgs(c.Args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	if cmd, _, err := root.Find(c.Args); err != nil || !relayed(cmd) {
		return a.finish(ctx, fail(exitRefused, "", "the node does not carry out this command"))
	}
	return a.finish(ctx, root.ExecuteContext(ctx))
}

// withHost calls fn with the store of the node that carries out the command.
func (a *app) withHost(fn func(s *corestore.Store) error) (err error) {
	s, err := a.host.Store().Session()
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer func() { err = closed(err, "closing the cores", s.Close()) }()
	return fn(s)
}

// systemFiles are the files of this process.
type systemFiles struct{}

// Open implements api.FileSystem.
func (systemFiles) Open(name string) (io.ReadCloser, api.FileInfo, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, api.FileInfo{}, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, api.FileInfo{}, err
	}
	return f, api.FileInfo{Size: info.Size(), Mode: info.Mode()}, nil
}

// Stat implements api.FileSystem.
func (systemFiles) Stat(name string) (api.FileInfo, error) {
	info, err := os.Stat(name)
	if err != nil {
		return api.FileInfo{}, err
	}
	return api.FileInfo{Size: info.Size(), Mode: info.Mode()}, nil
}

// Replace implements api.FileSystem.
func (systemFiles) Replace(name string, write func(w io.Writer) error) error {
	return replaceFile(name, write)
}

// fileSystem is that of who gave the command.
func (a *app) fileSystem() api.FileSystem {
	if a.files != nil {
		return a.files
	}
	return systemFiles{}
}

// open opens a file of who gave the command.
func (a *app) open(name string) (io.ReadCloser, api.FileInfo, error) {
	return a.fileSystem().Open(name)
}

// openFile is open of what is no folder.
func (a *app) openFile(name string) (io.ReadCloser, error) {
	f, info, err := a.open(name)
	if err == nil && info.Mode.IsDir() {
		err = errors.Join(fail(exitUsage, "", "%s is a folder", plain(name)), f.Close())
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// replace writes a file of who gave the command; see replaceFile.
func (a *app) replace(name string, write func(w io.Writer) error) error {
	return a.fileSystem().Replace(name, write)
}
