package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// supplier is where "get" has a drive from: a node of this process, or the one that runs.
type supplier interface {
	// open returns once a version is known, which tree, stat and file read.
	open(ctx context.Context) error
	version() uint64
	tree(folder string) mirror.Tree
	stat(ctx context.Context, path string) (drive.Entry, error)
	// file opens the contents of what stat returned for a path, and says how many bytes it has, -1 if that is not known.
	file(ctx context.Context, path string, e drive.Entry) (io.ReadCloser, int64, error)
	// folder tells whether there is anything below a path.
	folder(ctx context.Context, path string) error
	// ahead fetches contents before they are read, until ctx ends.
	ahead(ctx context.Context, path string) error
	// fetched is how many bytes came from peers, and how many peers there are.
	fetched() (bytes uint64, peers int)
	// tried says where peers were looked for, and how many connections that gave.
	tried() (where []string, connections int)
	// over is closed when nothing more is fetched, and fault is why then; a nil channel is that of a fetch whose end the copy meets.
	over() <-chan struct{}
	fault() error
	// keep has it seeded over restarts, drop deletes it from the store unless it was there before.
	keep(ctx context.Context, label string) error
	drop(ctx context.Context) error
	close() error
}

func (a *app) getDrive(ctx context.Context, list []string, f *driveGetFlags) error {
	t, err := parseTarget(list)
	if err != nil {
		return err
	}
	if f.timeout <= 0 || f.maxBytes < 0 || f.watch && (f.noKeep || t.version > 0) {
		return fail(exitUsage, "", "--timeout and --max-bytes want positive numbers; --watch goes neither with --no-keep nor with a version")
	}
	if static := t.plainPeers(); len(static) > 0 {
		f.set = append(f.set, "peers.static="+strings.Join(static, ","))
	}
	g := &getting{target: t, app: a, flags: f}
	if _, err := g.options(); err != nil { // before anything is made
		return err
	}
	err = a.withEither(ctx, &f.nodeFlags, true, func(ctx context.Context, c *api.Client) error {
		if len(t.plainPeers()) > 0 {
			a.say("warning: the node that runs does not take hints like %s", t.plainPeers()[0])
		}
		return g.run(ctx, newNodeSupplier(ctx, c, t))
	}, func(ctx context.Context, n *node.Node) error {
		if err := room(n); err != nil {
			return err
		}
		return g.run(ctx, &ownSupplier{target: t, app: a, follows: f.watch, node: n})
	})
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		if f.watch && g.complete() {
			return nil
		}
		if err != nil {
			return fail(exitInterrupted, goesOn, "interrupted")
		}
	}
	return err
}

// goesOn is what to do about a fetch that was broken off.
const goesOn = "what came is kept; run it again to go on"

// getting is one "get".
type getting struct {
	*target
	app   *app
	flags *driveGetFlags
	from  supplier

	mu    sync.Mutex
	last  mirror.Progress
	first bool // the first copy is complete
}

func (g *getting) run(ctx context.Context, from supplier) (err error) {
	g.from = from
	defer func() { err = closed(err, "closing the drive", from.close()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var watch sync.WaitGroup
	watch.Go(func() { g.guard(ctx, cancel) })
	watch.Go(func() {
		select {
		case <-from.over():
			cancel(from.fault()) // what is still read may wait for ever; without a reason ctx has ended
		case <-ctx.Done():
		}
	})
	defer watch.Wait()
	defer cancel(nil)
	if err := from.open(ctx); err != nil {
		return g.judge(ctx, g.placed(err))
	}
	err = g.copy(ctx)
	if over := from.over(); over != nil && errors.Is(err, mirror.ErrPartial) {
		g.await(ctx, over)
	}
	if err = g.judge(ctx, err); err != nil && !errors.Is(err, mirror.ErrPartial) {
		return err
	}
	if kerr := g.keep(ctx); kerr != nil {
		return kerr
	}
	if g.flags.watch {
		return g.follow(ctx)
	}
	return err
}

// copy writes the files to their place, while contents are fetched ahead.
func (g *getting) copy(ctx context.Context) error {
	end := g.app.reporting(ctx, "file", g.progress)
	defer end()
	if g.path == "/" {
		return g.folder(ctx)
	}
	entry, err := g.from.stat(ctx, g.path)
	switch {
	case err == nil && entry.Mount == nil:
		return g.file(ctx, entry)
	case err != nil && !errors.Is(err, drive.ErrNotFound):
		return g.placed(err)
	case err != nil:
		if err := g.from.folder(ctx, g.path); err != nil {
			return g.placed(err)
		}
	}
	return g.folder(ctx)
}

// destination is where the files go: what the user said, or a name in the current folder.
func (g *getting) destination() string {
	switch {
	case g.dest != "":
		return g.dest
	case g.path != "/":
		return path.Base(g.path)
	}
	return g.key.String()[:8]
}

func (g *getting) folder(ctx context.Context) error {
	dest := g.destination()
	group, gctx := errgroup.WithContext(ctx)
	ahead, stop := context.WithCancel(gctx)
	group.Go(func() error {
		err := g.from.ahead(ahead, g.path)
		if ahead.Err() != nil || errors.Is(err, drive.ErrNotFound) {
			return nil // the copy is complete, or says what is wrong
		}
		return err
	})
	var stats mirror.Stats
	group.Go(func() error {
		defer stop()
		o, err := g.options()
		if err == nil {
			stats, err = mirror.Sync(gctx, g.from.tree(g.path), mirror.Dir(dest), o)
		}
		return err
	})
	err := group.Wait()
	if err != nil && !errors.Is(err, mirror.ErrPartial) {
		return g.placed(ofDrive(err))
	}
	return errors.Join(g.tell(dest, stats), partly(err))
}

func (g *getting) options() (o mirror.Options, err error) {
	o = mirror.Options{Prune: g.flags.prune, Links: g.flags.links, MaxBytes: g.flags.maxBytes, Changed: g.app.tellChange, Progress: g.note}
	o.Filter, err = g.app.guarded(g.destination(), nil)
	return o, err
}

// file writes one file: to the path that is named, or into the folder that is.
func (g *getting) file(ctx context.Context, e drive.Entry) error {
	dest := g.destination()
	if info, err := os.Stat(dest); err == nil && info.IsDir() {
		dest = filepath.Join(dest, path.Base(g.path))
	}
	f, n, err := g.from.file(ctx, g.path, e)
	if err != nil {
		return g.placed(err)
	}
	defer f.Close()
	if g.flags.maxBytes > 0 && n > g.flags.maxBytes {
		return fail(exitQuota, "allow more with --max-bytes", "%s has %s, more than allowed", g.place, size(uint64(n)))
	}
	g.note(mirror.Progress{TotalFiles: 1, TotalBytes: max(n, 0)})
	err = replaceFile(dest, func(w io.Writer) (err error) { n, err = io.Copy(w, f); return err })
	if err != nil {
		return g.placed(err)
	}
	if e.Executable {
		if err := os.Chmod(dest, 0o755); err != nil {
			return fmt.Errorf("writing %s: %w", plain(dest), err)
		}
	}
	return g.tell(dest, mirror.Stats{Files: 1, Added: 1, BytesWritten: n})
}

func (g *getting) complete() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.first
}

func (g *getting) note(p mirror.Progress) {
	g.mu.Lock()
	g.last = p
	g.mu.Unlock()
}

func (g *getting) progress() progress {
	g.mu.Lock()
	p := progress{Done: uint64(g.last.Files), Total: uint64(g.last.TotalFiles), Bytes: uint64(g.last.Bytes), TotalBytes: uint64(g.last.TotalBytes)}
	g.mu.Unlock()
	fetched, peers := g.from.fetched()
	if p.Peers = peers; p.TotalBytes == 0 {
		p.Bytes = fetched
	}
	return p
}

// errNobody ends a search, or a transfer that stands still.
var errNobody = errors.New("nobody answers")

// guard ends the work when nothing has come for too long.
func (g *getting) guard(ctx context.Context, end context.CancelCauseFunc) {
	tick := time.NewTicker(max(g.flags.timeout/16, time.Millisecond))
	defer tick.Stop()
	var seen uint64
	var done mirror.Progress
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			g.mu.Lock()
			p, first := g.last, g.first
			g.mu.Unlock()
			p.Path = ""
			n, _ := g.from.fetched()
			switch {
			case first || n != seen || p != done:
				seen, done, last = n, p, now
			case now.Sub(last) >= g.flags.timeout:
				end(errNobody)
				return
			}
		}
	}
}

// await gives a fetch that fails a moment to say why: who reads for it fails first.
func (g *getting) await(ctx context.Context, over <-chan struct{}) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-over:
		<-ctx.Done() // its reason ends this too
	case <-ctx.Done():
	case <-timer.C:
	}
}

// judge gives an end the exit code of its cause.
func (g *getting) judge(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(cause, context.Canceled) {
		return err
	}
	if !errors.Is(cause, errNobody) {
		return g.placed(cause)
	}
	if bytes, _ := g.from.fetched(); bytes > 0 {
		return fail(exitPartly, goesOn, "fetching %s: nothing came for %s", g, g.flags.timeout)
	}
	where, connections := g.from.tried()
	hint := `check that it is being shared; ask for the address with ?peer=, which "share" prints too, or name a node with --bootstrap`
	if len(where) == 0 {
		hint = `with the profile offline only hints are tried: ask for the address with ?peer=, or look for peers with --profile lan or public`
	}
	if n := len(g.text); n > 0 {
		where = append([]string{count(uint64(n), "hint") + " of the address"}, where...)
	}
	if len(where) == 0 {
		where = []string{"nothing"}
	}
	return fail(exitNoPeers, hint, "fetching %s: no peer that has it was found within %s; tried: %s; connected to %s", g, g.flags.timeout,
		strings.Join(where, ", "), count(uint64(connections), "peer"))
}

func (g *getting) tell(dest string, s mirror.Stats) error {
	g.mu.Lock()
	g.first = true
	g.mu.Unlock()
	bytes, _ := g.from.fetched()
	g.app.result = got{Key: address(g.key), Version: g.from.version(), Path: g.path, Dest: dest, Files: s.Files, Added: s.Added,
		Changed: s.Changed, Removed: s.Removed, Unchanged: s.Unchanged, Skipped: s.Skipped, Failed: s.Failed, Bytes: s.BytesWritten, Fetched: bytes}
	g.app.say("%s: version %d, %s, %s fetched", plain(dest), g.from.version(), changes(s), size(bytes))
	return nil
}

// placed tells what is known of an error of the drive, or of the files here.
func (g *getting) placed(err error) error {
	var local *fs.PathError
	if errors.As(err, &local) && errors.As(local.Err, new(syscall.Errno)) {
		return fmt.Errorf("writing to %s: %w", plain(g.destination()), local)
	}
	p := g.place
	p.path = strings.TrimSuffix(p.path, "/")
	return placed(p, err)
}

// String is what is fetched.
func (g *getting) String() string {
	p := g.place
	p.path = strings.TrimSuffix(p.path, "/")
	return p.String()
}

// keep seeds what was fetched whenever a node runs, or removes it.
func (g *getting) keep(ctx context.Context) error {
	switch {
	case g.flags.noKeep:
		return g.from.drop(ctx)
	case g.path != "/" || g.version > 0:
		return nil
	}
	return g.from.keep(ctx, g.destination())
}

func (g *getting) follow(ctx context.Context) error {
	o, err := g.options()
	if err != nil {
		return err
	}
	o.Progress = nil
	o.Synced = func(s mirror.Stats, err error) {
		if err != nil {
			g.app.say("warning: %s", err)
		}
		g.app.tellRound(g.from.version, s)
	}
	if g.app.json {
		if err := g.app.encode(g.app.result); err != nil {
			return err
		}
		g.app.result = nil
	}
	g.app.say("following; stop with Ctrl-C")
	return mirror.Follow(ctx, g.from.tree(g.path), mirror.Dir(g.destination()), o)
}

// places says where peers are looked for.
func places(profile string, networks []node.Network) (list []string) {
	if profile != config.Offline {
		list = []string{"this machine", "the LAN"}
	}
	for _, w := range networks {
		list = append(list, fmt.Sprintf("the network %s (%s known)", w.Name, count(uint64(w.Nodes), "node")))
	}
	return list
}
