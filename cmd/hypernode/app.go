package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// app is one run of the program: where it reads and writes, and what the flags of all commands say.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	environ        func() []string // as os.Environ

	onTerminal bool           // standard error is that of another process, and is one
	files      api.FileSystem // of another process that gave the command; nil means this one's
	host       *node.Node     // that carries out the command; nil means that the store is opened

	registry *api.Registry // of the node of this process, if it is one that serves
	log      *slog.Logger  // of the node of this process

	talk  sync.Mutex // guards what is written to standard error, and what follows
	drawn bool       // a bar is the last line there

	path       string
	durability string
	json       bool
	quiet      bool
	verbose    bool

	result    any  // what --json prints in the end
	announced bool // what a server serves was told
}

// run carries out a command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	a.json = wantsJSON(args) // also for what is wrong with the flags before it
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	if code, done := a.relay(ctx, a.root(), args); done {
		return code
	}
	return a.finish(ctx, root.ExecuteContext(ctx))
}

// wantsJSON tells whether --json is among the flags.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hypernode",
		Short: "Share folders, drives and logs between peers, byte for byte with Hypercore 11",
		Long: `hypernode shares folders between machines without a server, and makes and reads
the drives, key/value stores and signed logs of Hypercore 11 that it is made of,
which JavaScript programs can read, and the other way round.

What is shared is named by its key: hyper://KEY, or KEY alone, in z-base-32 (52
characters) or hexadecimal (64); what lies in the own store also by a local name.

Results go to standard output, everything else to standard error.`,
		Example: `  hypernode share ~/Photos
  hypernode get hyper://KEY ~/Photos
  hypernode core create events
  echo hello | hypernode core append events
  hypernode core get events 0`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	f := root.PersistentFlags()
	f.StringVar(&a.path, "path", "", "folder that holds everything (default $HYPERNODE_PATH, else the user's data folder)")
	f.BoolVar(&a.json, "json", a.json, "print results and errors as JSON")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print results and errors only")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more about what is being done")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return misused(c, err) })
	group(root)
	root.AddCommand(a.shareCommand(), a.fetchDriveCommand(), a.seedCommand(), a.unseedCommand(), a.seedsCommand(), a.peersCommand(),
		a.nodeCommand(), a.initCommand(), a.configCommand(), a.pathsCommand(), a.coreCommand(), a.beeCommand(), a.driveCommand(), a.versionCommand(), exitCodesTopic(), environmentTopic())
	return root
}

// group makes c a command that only holds others: alone it prints its help.
func group(c *cobra.Command) {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		f := &failure{code: exitUsage, err: errorf("unknown command %q for %q", args[0], c.CommandPath())}
		f.hint = `see "` + c.CommandPath() + ` --help"`
		if s := c.SuggestionsFor(args[0]); len(s) > 0 {
			f.hint = `did you mean "` + c.CommandPath() + " " + s[0] + `"?`
		}
		return f
	}
}

// args makes a wrong number of arguments a wrong use, and says what is right. A check may say it in words of its own.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, list []string) error {
		err := check(c, list)
		if err == nil {
			return nil
		}
		if own := new(wantError); !errors.As(err, &own) {
			err = errorf("%s given; want: %s", count(uint64(len(list)), "argument"), c.UseLine())
		}
		return misused(c, err)
	}
}

// wantError says which arguments are wanted.
type wantError struct{ text string }

// Error implements error.
func (e *wantError) Error() string { return e.text }

func misused(c *cobra.Command, err error) error {
	return &failure{code: exitUsage, hint: `see "` + c.CommandPath() + ` --help"`, err: err}
}

// logger gets what happens in the background of a store.
func (a *app) logger() *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.stderr, nil))
}
