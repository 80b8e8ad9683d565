package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node"
)

// got is the result of "get".
type got struct {
	Key       string `json:"key"`
	Version   uint64 `json:"version"`
	Path      string `json:"path"`
	Dest      string `json:"dest"`
	Files     int64  `json:"files"`
	Added     int64  `json:"added"`
	Changed   int64  `json:"changed"`
	Removed   int64  `json:"removed"`
	Unchanged int64  `json:"unchanged"`
	Bytes     int64  `json:"bytes"`   // that were written
	Fetched   uint64 `json:"fetched"` // bytes of blocks that came from peers
}

type driveGetFlags struct {
	nodeFlags
	timeout       time.Duration
	watch, noKeep bool
	prune, links  bool
	maxBytes      int64
	encryptionKey string
}

func (a *app) fetchDriveCommand() *cobra.Command {
	var f driveGetFlags
	c := &cobra.Command{
		Use:   "get hyper://KEY[@VERSION][/PATH] [DEST]",
		Short: "Fetch what somebody shares into a folder",
		Long: `Find peers that have a drive, fetch it, or one folder or file of it, check every
byte, and write it to DEST, by default a folder here that is named as the path, or
after the key. Files that are there and equal are left alone; a fetch that was
interrupted goes on. What was fetched stays in the store, and is served to others
whenever a node runs, unless --no-keep is given.

Peers are tried in this order: hints of the address (?peer=), nodes of this machine
and of the LAN, and those that the networks of the profile tell of.`,
		Example: `  hypernode get hyper://KEY
  hypernode get 'hyper://KEY/2026?peer=/ip4/192.0.2.7/tcp/4977/p2p/12D3…' ~/in
  hypernode get hyper://KEY ~/in --watch --prune`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, list []string) error { return a.getDrive(c.Context(), list, &f) },
	}
	f.add(c.Flags())
	c.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "give up when no peer was found, or nothing has come, for so long")
	c.Flags().BoolVar(&f.watch, "watch", false, "go on with what changes, until Ctrl-C")
	c.Flags().BoolVar(&f.noKeep, "no-keep", false, "keep nothing in the store")
	c.Flags().BoolVar(&f.prune, "prune", false, "remove what is in DEST and not in the drive")
	c.Flags().BoolVar(&f.links, "links", false, "write symbolic links that stay inside DEST")
	c.Flags().Int64Var(&f.maxBytes, "max-bytes", 0, "end before more than so many bytes are written; 0 is no limit")
	keyFlag(c.Flags(), &f.encryptionKey)
	return c
}

// target is what is to be fetched.
type target struct {
	place
	hints []peer.AddrInfo
	text  []string // of the hints
	dest  string
}

// parseTarget reads an address with its hints, and where to put it.
func parseTarget(list []string) (*target, error) {
	t := new(target)
	text, query, _ := strings.Cut(list[0], "?")
	for _, field := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' }) {
		name, value, _ := strings.Cut(field, "=")
		value, err := url.QueryUnescape(strings.ReplaceAll(value, "+", "%2B"))
		if err != nil || name != "peer" {
			return nil, fail(exitUsage, "hints are ?peer=MULTIADDR&peer=…", "%s is no hint", plain(field))
		}
		t.text = append(t.text, value)
		if strings.HasPrefix(value, tcpScheme) {
			continue // of a stock Hypercore peer: given to the node as a static peer
		}
		info, err := peer.AddrInfoFromString(value)
		if err != nil {
			return nil, fail(exitUsage, "a hint is a multiaddr that ends in /p2p/ID", "%s is no hint: %w", plain(value), err)
		}
		t.hints = append(t.hints, *info)
	}
	var err error
	if t.place, err = parsePlace([]string{text}); err != nil {
		return nil, err
	}
	if t.name != "" {
		return nil, fail(exitUsage, "an address is "+scheme+"KEY", "%s is not the address of a drive", plain(list[0]))
	}
	if t.path != "" && t.path != "/" {
		if t.path, err = drive.Clean(t.path); err != nil {
			return nil, fail(exitUsage, "", "%s: %w", plain(list[0]), err)
		}
	} else {
		t.path = "/"
	}
	if len(list) > 1 {
		t.dest = list[1]
	}
	return t, nil
}

// plainPeers are the hints that speak Hypercore's own transport.
func (t *target) plainPeers() (list []string) {
	for _, s := range t.text {
		if strings.HasPrefix(s, tcpScheme) {
			list = append(list, s)
		}
	}
	return list
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
	g := &getting{app: a, target: t, flags: f}
	err = a.withNode(ctx, &f.nodeFlags, true, g.run)
	if ctx.Err() != nil && f.watch && g.complete() && (err == nil || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

// getting is one "get".
type getting struct {
	*target
	app   *app
	flags *driveGetFlags
	node  *node.Node
	drive *drive.Drive // at the version that is wanted

	mu      sync.Mutex
	last    mirror.Progress
	first   bool       // the first copy is complete
	content *core.Core // of the drive's files, once it is known
}

func (g *getting) run(ctx context.Context, n *node.Node) (err error) {
	g.node = n
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		g.guard(ctx, cancel)
	}()
	defer func() { <-watch }()
	defer cancel(nil)
	d, err := n.Drive(ctx, g.key, g.hints...)
	if err != nil {
		return g.judge(ctx, fmt.Errorf("opening %s: %w", g.reference, err))
	}
	defer func() { err = closed(err, "closing the drive", d.Close()) }()
	if err := g.meet(ctx, d.Drive); err != nil {
		return g.judge(ctx, err)
	}
	if err = g.judge(ctx, g.copy(ctx)); err != nil && !errors.Is(err, mirror.ErrPartial) {
		return err
	}
	if kerr := g.keep(ctx, d.Drive); kerr != nil {
		return kerr
	}
	if g.flags.watch {
		return g.follow(ctx, d.Drive)
	}
	return err
}

// meet gets the newest version, of a peer or of the store.
func (g *getting) meet(ctx context.Context, d *drive.Drive) error {
	g.drive = d
	if g.version > 0 {
		g.drive = d.At(g.version)
	}
	if d.Core().Head().Length == 0 {
		if err := g.node.Joined(ctx, d.DiscoveryKey()); err != nil {
			return err
		}
	}
	if err := d.Refresh(ctx); err != nil {
		return err
	}
	if d.Core().Head().Length == 0 {
		return drive.ErrEmpty
	}
	b, err := d.Blobs(ctx)
	if err != nil {
		return placed(g.place, err)
	}
	g.mu.Lock()
	g.content = b.Core()
	g.mu.Unlock()
	return nil
}

// copy writes the files to their place, while contents are fetched ahead.
func (g *getting) copy(ctx context.Context) error {
	end := g.app.reporting(ctx, "file", g.progress)
	defer end()
	entry, err := g.drive.Stat(ctx, g.path)
	file := err == nil && g.path != "/" && entry.Mount == nil
	if err != nil && g.path != "/" && !errors.Is(err, drive.ErrNotFound) {
		return placed(g.place, err)
	}
	if file {
		return g.file(ctx, entry)
	}
	if g.path != "/" && entry.Mount == nil {
		if err := g.there(ctx); err != nil {
			return placed(g.place, err)
		}
	}
	return g.folder(ctx)
}

// there tells whether the folder has anything in it.
func (g *getting) there(ctx context.Context) error {
	for _, err := range g.drive.List(ctx, g.path, drive.ListOptions{}) {
		return err
	}
	return drive.ErrNotFound
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
		err := g.drive.Download(ahead, g.path, drive.DownloadOptions{})
		if ahead.Err() != nil || errors.Is(err, drive.ErrNotFound) {
			return nil // the copy is complete, or says what is wrong
		}
		return err
	})
	var stats mirror.Stats
	group.Go(func() (err error) {
		defer stop()
		stats, err = mirror.Sync(gctx, mirror.Folder(g.drive, g.path), mirror.Dir(dest), g.options())
		return err
	})
	err := group.Wait()
	if err != nil && !errors.Is(err, mirror.ErrPartial) {
		return err
	}
	return errors.Join(g.tell(dest, stats), partly(err))
}

func (g *getting) options() mirror.Options {
	return mirror.Options{Prune: g.flags.prune, Links: g.flags.links, MaxBytes: g.flags.maxBytes, Changed: g.app.tellChange, Progress: g.note}
}

// file writes one file: to the path that is named, or into the folder that is.
func (g *getting) file(ctx context.Context, e drive.Entry) error {
	dest := g.destination()
	if info, err := os.Stat(dest); err == nil && info.IsDir() {
		dest = filepath.Join(dest, path.Base(g.path))
	}
	n, err := g.drive.Size(ctx, e)
	if err != nil {
		return placed(g.place, err)
	}
	if g.flags.maxBytes > 0 && n > g.flags.maxBytes {
		return fail(exitQuota, "allow more with --max-bytes", "%s has %s, more than allowed", g.place, size(uint64(n)))
	}
	f, err := g.drive.Open(ctx, g.path)
	if err != nil {
		return placed(g.place, err)
	}
	defer f.Close()
	g.note(mirror.Progress{TotalFiles: 1, TotalBytes: n})
	err = replaceFile(dest, func(w io.Writer) error { _, err := io.Copy(w, f); return err })
	if err != nil {
		return placed(g.place, err)
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
	p := progress{Done: uint64(g.last.Files), Total: uint64(g.last.TotalFiles)}
	g.mu.Unlock()
	var peers int
	p.Bytes, peers = g.fetched()
	p.Peers = peers
	return p
}

// fetched is how many bytes came from peers, and how many peers there are.
func (g *getting) fetched() (bytes uint64, peers int) {
	g.mu.Lock()
	list := []keys.DiscoveryKey{g.key.Discovery()}
	if g.content != nil {
		list = append(list, g.content.DiscoveryKey())
	}
	g.mu.Unlock()
	for _, d := range list {
		if r := g.node.Transfer(d); r != nil {
			s := r.Stats()
			bytes += s.BytesIn
			peers = max(peers, s.Peers)
		}
	}
	return bytes, peers
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
			n, _ := g.fetched()
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

// judge gives an end the exit code of its cause.
func (g *getting) judge(ctx context.Context, err error) error {
	if err == nil || !errors.Is(context.Cause(ctx), errNobody) {
		return err
	}
	bytes, _ := g.fetched()
	if bytes > 0 {
		return fail(exitPartly, "what came is kept; run it again to go on", "fetching %s: nothing came for %s", g.place, g.flags.timeout)
	}
	st := g.node.Status()
	tried := fmt.Sprintf("profile %s, %s, %s", st.Profile, count(uint64(len(g.text)), "hint"), count(uint64(st.Connections), "connection"))
	for _, w := range st.Networks {
		tried += fmt.Sprintf(", %s in the network %s", count(uint64(w.Nodes), "node"), w.Name)
	}
	return fail(exitNoPeers, "check that it is being shared; ask for the address with ?peer=, which \"share\" prints too, or name a node with --bootstrap",
		"fetching %s: no peer has it that could be found within %s (tried: %s)", g.place, g.flags.timeout, tried)
}

func (g *getting) tell(dest string, s mirror.Stats) error {
	g.mu.Lock()
	g.first = true
	g.mu.Unlock()
	bytes, _ := g.fetched()
	g.app.result = got{Key: address(g.key), Version: g.drive.Version(), Path: g.path, Dest: dest, Files: s.Files, Added: s.Added,
		Changed: s.Changed, Removed: s.Removed, Unchanged: s.Unchanged, Bytes: s.BytesWritten, Fetched: bytes}
	g.app.say("%s: version %d, %s, %d added, %d changed, %d removed, %s fetched", plain(dest), g.drive.Version(),
		count(uint64(s.Files), "file"), s.Added, s.Changed, s.Removed, size(bytes))
	return nil
}

// keep seeds what was fetched whenever a node runs, or removes it.
func (g *getting) keep(ctx context.Context, d *drive.Drive) error {
	if g.flags.noKeep {
		if d.Writable() {
			return nil // it is ours
		}
		return d.Purge(ctx)
	}
	if g.path != "/" || g.version > 0 || d.Writable() {
		return nil
	}
	for _, s := range g.node.Seeds() {
		if s.Key == g.key {
			return nil
		}
	}
	return g.node.Seed(ctx, g.key, node.SeedOptions{Label: g.destination()})
}

func (g *getting) follow(ctx context.Context, d *drive.Drive) error {
	o := g.options()
	o.Progress = nil
	o.Synced = func(s mirror.Stats, err error) {
		if err != nil {
			g.app.say("warning: %s", err)
		}
		if s.Added+s.Changed+s.Removed > 0 {
			g.app.say("version %d: %d added, %d changed, %d removed", d.Version(), s.Added, s.Changed, s.Removed)
		}
	}
	g.app.say("following; stop with Ctrl-C")
	return mirror.Follow(ctx, mirror.Folder(d, g.path), mirror.Dir(g.destination()), o)
}
