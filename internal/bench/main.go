package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"github.com/hypernode/hypernode/datastore"
)

// options are the command line.
type options struct {
	dir      string
	workload *regexp.Regexp
	runs     int
	cores    uint64
	quick    bool
	json     bool
	profile  string
	tables   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if text := os.Getenv(taskVar); text != "" {
		return serve(ctx, text)
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	return o.run(ctx)
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", os.TempDir(), "folder for the stores, on a disk")
	workload := f.String("workload", ".", "regular expression: which figures")
	f.IntVar(&o.runs, "runs", 3, "how often; medians are shown")
	f.Uint64Var(&o.cores, "cores", 10000, "how many cores are opened at a time")
	f.BoolVar(&o.quick, "quick", false, "a tenth of the blocks")
	f.BoolVar(&o.json, "json", false, "one JSON line for each figure")
	f.StringVar(&o.tables, "rows", "all", "which table: log, wire, or all")
	f.StringVar(&o.profile, "cpuprofile", "", "folder for CPU profiles")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.workload, err = regexp.Compile(*workload); err != nil {
		return o, err
	}
	if o.tables != "all" && o.tables != "log" && o.tables != "wire" {
		return o, fmt.Errorf("no rows %q", o.tables)
	}
	if f.NArg() > 0 || o.runs < 1 || o.cores < 1 {
		return o, errors.New("-runs and -cores are at least 1, and there are no arguments")
	}
	if inMemory(o.dir) {
		return o, fmt.Errorf("%s lies in memory; name a folder on a disk with -dir", o.dir)
	}
	return o, nil
}

// run measures what was asked for and prints it.
func (o *options) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp(o.dir, "hypernode-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	r := newResults()
	if o.tables != "wire" {
		if err := o.measureLog(ctx, dir, r); err != nil {
			return err
		}
	}
	if o.tables != "log" {
		if err := o.measureWire(ctx, dir, r); err != nil {
			return err
		}
	}
	if o.json {
		return r.json(os.Stdout, o)
	}
	return r.print(os.Stdout, o)
}

// measureLog measures the table of the log.
func (o *options) measureLog(ctx context.Context, dir string, r *results) error {
	if len(o.wanted()) == 0 {
		return nil
	}
	for n := range o.runs {
		for _, g := range groups(o.quick, o.cores) {
			if err := o.measure(ctx, dir, n, g, r); err != nil {
				return err
			}
		}
		limits, err := spawn(ctx, task{Step: "limits", Name: "limits", Dir: dir})
		if err != nil {
			return err
		}
		r.add("limits", limits)
	}
	return nil
}

// wanted returns the rows of the log that were asked for.
func (o *options) wanted() []row { return o.matching(rows()) }

func (o *options) matching(all []row) (list []row) {
	for _, r := range all {
		if o.workload.MatchString(r.figure) || o.workload.MatchString(r.what) {
			list = append(list, r)
		}
	}
	return list
}

// measure runs a group in both durabilities, each on a new store.
func (o *options) measure(ctx context.Context, dir string, n int, g group, r *results) error {
	some := false
	for _, w := range o.wanted() {
		some = some || g.makes(w.figure)
	}
	if !some {
		return nil
	}
	for _, d := range []datastore.Durability{datastore.Process, datastore.Full} {
		t := g.task
		t.Name, t.Durability, t.Profile = g.name, d.String(), o.profile
		t.Dir = filepath.Join(dir, fmt.Sprintf("%s-%s-%d", g.name, d, n))
		for _, t.Step = range g.steps {
			fmt.Fprintf(os.Stderr, "run %d of %d: %s %s, durability %s\n", n+1, o.runs, t.Name, t.Step, t.Durability)
			f, err := spawn(ctx, t)
			if err != nil {
				return err
			}
			r.add(t.Durability, f)
		}
		if err := os.RemoveAll(t.Dir); err != nil {
			return err
		}
	}
	return nil
}
