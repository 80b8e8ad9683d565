package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// shared is what "share" prints.
type shared struct {
	Key     string   `json:"key"`
	Link    string   `json:"link"` // the key with the addresses of this node
	Version uint64   `json:"version"`
	Files   int64    `json:"files"`
	Added   int64    `json:"added"`
	Changed int64    `json:"changed"`
	Removed int64    `json:"removed"`
	Skipped int64    `json:"skipped"`
	Failed  int64    `json:"failed"`
	Bytes   int64    `json:"bytes"` // that were read
	Peers   []string `json:"addresses"`
}

type shareFlags struct {
	nodeFlags
	name   string
	live   bool
	once   bool
	qr     bool
	ignore []string
}

func (a *app) shareCommand() *cobra.Command {
	var f shareFlags
	c := &cobra.Command{
		Use:   "share PATH",
		Short: "Share a folder or a file",
		Long: `Make a drive of a folder or a file, or bring the one that was made of it before up
to date, and serve it: until Ctrl-C, or, when a node runs, by that one, and the
command ends. Two lines are printed: the address, and the address with hints at
which this machine can be reached, which works for "get" also where no peer can
be looked for. Whoever has the address can read what is shared; it cannot be
guessed.

The drive is chosen by --name, by default the real path. What has not changed is
not read again, and an unchanged folder keeps its version. A file .hypernodeignore
leaves files out, in the syntax of gitignore.`,
		Example: `  hypernode share ~/Photos
  hypernode share ~/Photos --live
  hypernode share film.mkv --name film`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, list []string) error { return a.share(c.Context(), list[0], &f) },
	}
	f.add(c.Flags())
	c.Flags().StringVar(&f.name, "name", "", "local name of the drive (default the real path)")
	c.Flags().BoolVar(&f.live, "live", false, "follow changes of the folder")
	c.Flags().BoolVar(&f.once, "once", false, "make the drive and end, without serving it unless a node runs")
	c.Flags().BoolVar(&f.qr, "qr", false, "also draw the address as a QR code, on standard error")
	c.Flags().StringArrayVar(&f.ignore, "ignore", nil, "pattern of files to leave out, as in gitignore; may be repeated")
	return c
}

// sharing is one "share".
type sharing struct {
	app   *app
	flags *shareFlags
	path  string // real
	only  string // the one file that is shared, "" for a folder

	mu   sync.Mutex
	last mirror.Progress
}

func (a *app) share(ctx context.Context, path string, f *shareFlags) error {
	s, err := a.newSharing(path, f)
	if err != nil {
		return err
	}
	if _, err := s.options(); err != nil { // before anything is made
		return err
	}
	if f.once {
		err = a.withClientOr(ctx, &f.nodeFlags, s.give, func() error {
			return a.withStore(ctx, making, func(store *corestore.Store) error { return s.once(ctx, store) })
		})
	} else {
		err = a.withEither(ctx, &f.nodeFlags, false, s.give, s.run)
	}
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) && s.served() {
		return nil // a server has no other end
	}
	return err
}

func (a *app) newSharing(path string, f *shareFlags) (*sharing, error) {
	real, err := filepath.Abs(path)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if err != nil {
		return nil, fmt.Errorf("sharing %s: %w", plain(path), err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, fmt.Errorf("sharing %s: %w", plain(path), err)
	}
	s := &sharing{app: a, flags: f, path: real}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return nil, fail(exitUsage, "", "sharing %s: it is neither a folder nor a file", plain(path))
		}
		s.path, s.only = filepath.Dir(real), filepath.Base(real)
	}
	return s, nil
}

// ref is the drive in which the files are kept.
func (s *sharing) ref() (drive.Ref, string) {
	name := s.flags.name
	if name == "" {
		name = filepath.Join(s.path, s.only)
	}
	return drive.Name(name), name
}

// options says how the folder is mirrored. The store is there by then, so that it can be left out.
func (s *sharing) options() (o mirror.Options, err error) {
	o = mirror.Options{Prune: true, Times: true, Links: true, Ignore: s.flags.ignore, Changed: s.app.tellChange, Progress: s.note}
	if s.only != "" {
		o.Filter = func(path string, folder bool) bool { return !folder && path == s.only }
	}
	o.Filter, err = s.app.guarded(s.path, o.Filter)
	return o, err
}

func (s *sharing) note(p mirror.Progress) {
	s.mu.Lock()
	s.last = p
	s.mu.Unlock()
}

func (s *sharing) progress() progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return progress{Done: uint64(s.last.Files), Total: uint64(s.last.TotalFiles), Bytes: uint64(s.last.Bytes),
		TotalBytes: uint64(s.last.TotalBytes), Peers: alone}
}

// once makes the drive in the store, with no node.
func (s *sharing) once(ctx context.Context, store *corestore.Store) (err error) {
	ref, _ := s.ref()
	d, err := drive.Create(ctx, store, ref)
	if err != nil {
		return fmt.Errorf("sharing %s: %w", plain(s.path), err)
	}
	defer func() { err = closed(err, "closing the drive", d.Close()) }()
	stats, err := s.sync(ctx, mirror.Drive(d))
	if err != nil && !errors.Is(err, mirror.ErrPartial) {
		return err
	}
	return errors.Join(s.print(d.Key(), d.Version(), stats, []string{}, true), partly(err))
}

// sync brings the drive up to date.
func (s *sharing) sync(ctx context.Context, to mirror.Tree) (mirror.Stats, error) {
	o, err := s.options()
	if err != nil {
		return mirror.Stats{}, err
	}
	end := s.app.reporting(ctx, "file", s.progress)
	defer end()
	return mirror.Sync(ctx, mirror.Dir(s.path), to, o)
}

// give has the node that runs keep the drive and serve it.
func (s *sharing) give(ctx context.Context, c *api.Client) error {
	_, name := s.ref()
	share, err := c.Share(ctx, name)
	if err != nil {
		return noNode(fmt.Errorf("sharing %s: %w", plain(s.path), err))
	}
	to := mirror.Kept(c.Files(share.Key, 0), "/")
	stats, failed := s.sync(ctx, to)
	if failed != nil && !errors.Is(failed, mirror.ErrPartial) {
		return noNode(failed)
	}
	if share, err = c.Share(ctx, name); err != nil { // with the version of now
		return noNode(err)
	}
	if err := s.print(share.Key, share.Version, stats, share.Addresses, !s.flags.live); err != nil {
		return err
	}
	if !s.flags.live {
		s.app.say(`served by the node that runs; "hypernode unseed %s" ends that`, address(share.Key))
		return partly(failed)
	}
	if failed != nil {
		s.app.say("warning: %s", failed)
	}
	return s.follow(ctx, to, func() uint64 {
		now, err := c.Share(ctx, name)
		if err != nil {
			return 0
		}
		return now.Version
	})
}

// run serves the drive until ctx ends.
func (s *sharing) run(ctx context.Context, n *node.Node) (err error) {
	if err := room(n); err != nil {
		return err
	}
	ref, name := s.ref()
	made, err := drive.Create(ctx, n.Store(), ref)
	if err != nil {
		return fmt.Errorf("sharing %s: %w", plain(s.path), err)
	}
	defer func() { err = closed(err, "closing the drive", made.Close()) }()
	stats, failed := s.sync(ctx, mirror.Drive(made))
	if failed != nil && !errors.Is(failed, mirror.ErrPartial) {
		return failed
	}
	if err := made.Core().Sync(ctx); err != nil { // who hears of a version can have it
		return fmt.Errorf("sharing %s: %w", plain(s.path), err)
	}
	if err := n.Seed(ctx, made.Key(), node.SeedOptions{Label: name}); err != nil {
		return fmt.Errorf("seeding %s: %w", address(made.Key()), err)
	}
	if err := s.print(made.Key(), made.Version(), stats, n.Addresses(), false); err != nil {
		return err
	}
	if !s.flags.live {
		s.app.say("serving; stop with Ctrl-C")
	}
	if failed != nil {
		s.app.say("warning: %s", failed)
	}
	if s.flags.live {
		return s.follow(ctx, mirror.Drive(made), made.Version)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *sharing) follow(ctx context.Context, to mirror.Tree, version func() uint64) error {
	o, err := s.options()
	if err != nil {
		return err
	}
	s.app.say("serving and following changes; stop with Ctrl-C")
	o.Synced = func(stats mirror.Stats, err error) {
		if err != nil {
			s.app.say("warning: %s", err)
		}
		s.app.tellRound(version, stats)
	}
	o.Progress = nil
	return mirror.Follow(ctx, mirror.Dir(s.path), to, o)
}

// served tells whether all was shared before the end.
func (s *sharing) served() bool { return s.app.announced }

// print prints the address, or notes it as the result of a command that ends now.
func (s *sharing) print(k keys.Key, version uint64, stats mirror.Stats, peers []string, last bool) error {
	key := address(k)
	out := shared{Key: key, Link: link(key, hints(peers)), Version: version, Files: stats.Files, Added: stats.Added,
		Changed: stats.Changed, Removed: stats.Removed, Skipped: stats.Skipped, Failed: stats.Failed, Bytes: stats.BytesRead, Peers: peers}
	s.app.say("%s: version %d, %s", plain(filepath.Join(s.path, s.only)), out.Version, changes(stats))
	s.app.announced = true
	if s.flags.qr {
		picture, err := drawQR(out.Key)
		if err != nil {
			return err
		}
		fmt.Fprint(s.app.stderr, picture)
	}
	switch {
	case s.app.json && last:
		s.app.result = out
		return nil
	case s.app.json:
		return s.app.encode(out)
	}
	if err := s.app.print("%s", out.Key); err != nil || len(peers) == 0 {
		return err
	}
	if err := s.app.print("%s", out.Link); err != nil {
		return err
	}
	s.app.detail("the address with hints is %s", out.Link)
	return nil
}

// maxHints is how many addresses a link carries.
const maxHints = 4

// hints are the addresses that a link carries: TCP and QUIC, which every node can dial and which stay good, those first
// that others are most likely to reach. Without any of these it carries what there is.
func hints(peers []string) []string {
	plain := slices.DeleteFunc(slices.Clone(peers), func(s string) bool {
		return strings.Contains(s, "/ws") || strings.Contains(s, "/certhash/") || strings.Contains(s, "/webtransport") ||
			strings.Contains(s, "/p2p-circuit") || strings.HasPrefix(s, tcpScheme)
	})
	if len(plain) == 0 {
		plain = peers
	}
	return plain[:min(len(plain), maxHints)]
}

// round is what "share --live" and "get --watch" print with --json for each change.
type round struct {
	Version uint64 `json:"version"`
	Added   int64  `json:"added"`
	Changed int64  `json:"changed"`
	Removed int64  `json:"removed"`
}

// tellRound tells what was done about a change.
func (a *app) tellRound(version func() uint64, s mirror.Stats) {
	if s.Added+s.Changed+s.Removed == 0 {
		return
	}
	r := round{version(), s.Added, s.Changed, s.Removed}
	a.say("version %d: %d added, %d changed, %d removed", r.Version, r.Added, r.Changed, r.Removed)
	if a.json {
		_ = a.encode(r) // a reader that went away shows when the command ends
	}
}

// room refuses to write a store that uses all that it may.
func room(n *node.Node) error {
	if !n.Full() {
		return nil
	}
	return fail(exitQuota, hintOf(api.CodeQuota), "the store uses all of the disk that limits.store allows")
}

// changes is what a mirror did, for people.
func changes(s mirror.Stats) string {
	text := fmt.Sprintf("%s, %d added, %d changed, %d removed", count(uint64(s.Files), "file"), s.Added, s.Changed, s.Removed)
	if s.Unchanged > 0 {
		text += fmt.Sprintf(", %d unchanged", s.Unchanged)
	}
	if s.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped (--verbose says which)", s.Skipped)
	}
	if s.Failed > 0 {
		text += fmt.Sprintf(", %d failed", s.Failed)
	}
	return text
}

// partly gives what was done but in parts its exit code. The files that failed have been told one by one.
func partly(err error) error {
	var partial *mirror.PartialError
	if err == nil || !errors.As(err, &partial) {
		return err
	}
	f := &failure{code: exitPartly, hint: "all others are done; mend what is wrong with it and run it again"}
	text := []string{}
	for _, p := range partial.Problems[:min(len(partial.Problems), 3)] {
		text = append(text, plain(p.Path)+": "+reason(p.Err))
	}
	if more := len(partial.Problems) + partial.More - len(text); more > 0 {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	f.err = &partlyError{"partly done; failed: " + strings.Join(text, "; "), err}
	return f
}

// partlyError is an error of a mirror in other words.
type partlyError struct {
	text string
	err  error
}

// Error implements error.
func (e *partlyError) Error() string { return e.text }

// Unwrap returns the error.
func (e *partlyError) Unwrap() error { return e.err }

// reason is why a file was not mirrored, without what everybody knows.
func reason(err error) string {
	if links := errors.Is(err, mirror.ErrLink); links {
		return "a symbolic link; --links writes those that stay inside"
	}
	if local := new(fs.PathError); errors.As(err, &local) {
		return local.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "mirror: ")
}

// tellChange tells of each file, for those who want to know, and of those that could not be done.
func (a *app) tellChange(c mirror.Change) {
	switch c.Op {
	case mirror.Fail:
		a.say("failed: %s: %s", plain(c.Path), reason(c.Err))
	case mirror.Skip:
		a.detail("skipped: %s: %s", plain(c.Path), reason(c.Err))
	default:
		a.detail("%s %s", c.Op, plain(c.Path))
	}
}

// reporting reports progress until the function that it returns is called.
func (a *app) reporting(ctx context.Context, noun string, now func() progress) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.report(ctx, noun, now)
	}()
	return func() {
		cancel()
		<-done
	}
}
