package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "nodebench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if os.Getenv(othersVar) != "" {
		return serveOthers(ctx)
	}
	f := flag.NewFlagSet("nodebench", flag.ContinueOnError)
	dir := f.String("dir", os.TempDir(), "folder for stores and files, on a disk")
	binary := f.String("hypernode", "", "the hypernode command; it is built when none is named")
	pattern := f.String("rows", ".", "regular expression: which rows")
	runs := f.Int("runs", 3, "how often; medians are shown")
	idle := f.Duration("idle", time.Minute, "how long a node is left alone before its memory is read, and its CPU time is taken")
	quick := f.Bool("quick", false, "small files and short waits: shows that it works, no more")
	if err := f.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil || f.NArg() > 0 || *runs < 1 {
		return errors.Join(errors.New("-runs is at least 1, and there are no arguments"), err)
	}
	l, err := newLab(ctx, *dir, *binary, *quick)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if !*quick {
		l.idle = *idle
	}
	var results []result
	for _, r := range rows() {
		if !wanted.MatchString(r.name) {
			continue
		}
		got, err := l.measure(ctx, r, *runs)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		results = append(results, got)
	}
	return table(os.Stdout, results, *runs)
}

// lab is where rows are measured.
type lab struct {
	dir    string // of this run alone
	binary string // the hypernode command
	large  int64  // bytes of the large file
	small  int    // how many small files
	idle   time.Duration
}

func newLab(ctx context.Context, dir, binary string, quick bool) (*lab, error) {
	own, err := os.MkdirTemp(dir, "nodebench-")
	if err != nil {
		return nil, err
	}
	if binary != "" {
		if binary, err = filepath.Abs(binary); err != nil {
			return nil, err
		}
	}
	l := &lab{dir: own, binary: binary, large: 1 << 30, small: 5000, idle: time.Minute}
	if quick {
		l.large, l.small, l.idle = 8<<20, 50, 200*time.Millisecond
	}
	if binary == "" {
		l.binary = filepath.Join(own, "hypernode")
		build := exec.CommandContext(ctx, "go", "build", "-o", l.binary, "github.com/hypernode/hypernode/cmd/hypernode")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, errors.Join(fmt.Errorf("building hypernode: %w", err), l.close())
		}
	}
	return l, nil
}

func (l *lab) close() error { return os.RemoveAll(l.dir) }

// measure runs a row several times, each in a folder of its own.
func (l *lab) measure(ctx context.Context, r row, runs int) (result, error) {
	out := result{row: r}
	for n := range runs {
		fmt.Fprintf(os.Stderr, "run %d of %d: %s\n", n+1, runs, r.name)
		at := *l
		at.dir = filepath.Join(l.dir, fmt.Sprintf("%s-%d", r.name, n))
		if err := os.Mkdir(at.dir, 0o755); err != nil {
			return out, err
		}
		s, err := r.measure(ctx, &at)
		if err != nil {
			return out, err
		}
		out.samples = append(out.samples, s)
		if err := os.RemoveAll(at.dir); err != nil {
			return out, err
		}
	}
	return out, nil
}
