package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/hypernode/hypernode/drive"
)

// A Keeper gives access to a drive that another process has open. Paths are those of the drive, absolute and clean. Its methods are
// called from several goroutines, those that change the drive from one at a time.
type Keeper interface {
	// String names the drive.
	String() string
	// List yields the entries below a folder, "" for all, in the order of the bytes of their paths. An error ends it.
	List(ctx context.Context, folder string) iter.Seq2[drive.Entry, error]
	// Entry returns what is at a path; its error is fs.ErrNotExist where there is nothing.
	Entry(ctx context.Context, path string) (drive.Entry, error)
	// Open opens the contents of an entry that List or Entry gave.
	Open(ctx context.Context, e drive.Entry) (io.ReadCloser, error)
	// Apply makes changes, in one commit.
	Apply(ctx context.Context, changes []KeeperChange) error
	// Write puts one file of any size, which r reads to its end: whole, or not at all when r fails.
	Write(ctx context.Context, path string, m drive.Meta, r io.Reader) error
	// Wait returns when the drive may have changed since it was last listed.
	Wait(ctx context.Context) error
}

// KeeperChange is one change of a drive that another process has open.
type KeeperChange struct {
	Path string
	// Remove removes the entry, Keep leaves its contents as they are and puts Meta, Link makes a symbolic link; else Data is put as a
	// file.
	Remove, Keep bool
	Link         string
	Data         []byte
	Meta         drive.Meta
}

// Kept is what lies below a folder of a drive that another process has open. The folder need not exist.
func Kept(k Keeper, folder string) Tree { return &keptTree{k, driveTree{folder: folder}} }

type keptTree struct {
	keeper Keeper
	at     driveTree // has no drive, only the folder
}

// String names the drive as its keeper does.
func (t *keptTree) String() string { return t.keeper.String() + t.at.prefix() }

func (t *keptTree) open(o Options) (*keptFiles, error) {
	if _, err := drive.Clean(t.at.folder + "/.x"); err != nil {
		return nil, err
	}
	o.Mounts = false
	return &keptFiles{driveFiles{prefix: t.at.prefix(), options: o}, t.keeper}, nil
}

func (t *keptTree) source(_ context.Context, o Options) (source, error) { return t.open(o) }
func (t *keptTree) target(_ context.Context, o Options) (target, error) { return t.open(o) }

func (t *keptTree) watch(context.Context, Options) (watcher, error) { return keptWatch{t.keeper}, nil }

type keptWatch struct{ keeper Keeper }

func (w keptWatch) wait(ctx context.Context) ([]string, error) {
	return []string{""}, w.keeper.Wait(ctx)
}
func (keptWatch) close() error { return nil }

// keptFiles reads and changes the drive through its keeper. What only looks at entries it has from driveFiles.
type keptFiles struct {
	driveFiles
	keeper Keeper
}

func (f *keptFiles) list(ctx context.Context, under string, _ func(string) bool) iter.Seq2[entry, error] {
	folder := f.prefix
	if under != "" {
		folder = f.path(under)
	}
	return func(yield func(entry, error) bool) {
		if under != "" {
			e, err := f.keeper.Entry(ctx, folder)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				yield(entry{}, err)
				return
			}
			if err == nil && !f.give(e, yield) {
				return
			}
		}
		for e, err := range f.keeper.List(ctx, folder) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			if !f.give(e, yield) {
				return
			}
		}
	}
}

func (f *keptFiles) open(ctx context.Context, e entry) (content, entry, error) {
	r, err := f.keeper.Open(ctx, *e.at)
	if err != nil {
		return nil, entry{}, err
	}
	return keptContent{r}, e, nil
}

// keptContent is an open file. That a drive was truncated beneath it shows in its size.
type keptContent struct{ io.ReadCloser }

func (keptContent) unchanged() error { return nil }

func (f *keptFiles) lookup(ctx context.Context, path string, limit int64) ([]byte, error) {
	e, err := f.keeper.Entry(ctx, f.path(path))
	if err != nil {
		return nil, err
	}
	if e.IsLink() || e.Mount != nil || e.Blob == nil {
		return nil, fs.ErrNotExist
	}
	r, err := f.keeper.Open(ctx, e)
	if err != nil {
		return nil, notMissing(err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", ErrSize, limit)
	}
	return data, notMissing(err)
}

func (f *keptFiles) apply(ctx context.Context, writes []write) error {
	changes := make([]KeeperChange, len(writes))
	for i := range writes {
		w := &writes[i]
		changes[i] = KeeperChange{Path: f.path(w.want.path), Keep: w.keep, Link: w.want.link, Data: w.data, Meta: f.meta(w)}
	}
	return f.keeper.Apply(ctx, changes)
}

func (f *keptFiles) stream(ctx context.Context, w write, r io.Reader, check func() error) error {
	in := &reading{r: &checked{r: r, check: check}}
	err := f.keeper.Write(ctx, f.path(w.want.path), f.meta(&w), in)
	if in.err != nil {
		return in.err
	}
	return fatal(err)
}

// checked fails at its end when what was read is not to be kept.
type checked struct {
	r     io.Reader
	check func() error
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err == io.EOF {
		if cerr := c.check(); cerr != nil {
			err = cerr
		}
	}
	return n, err
}

func (f *keptFiles) remove(ctx context.Context, es []entry, _ func(entry, error)) error {
	changes := make([]KeeperChange, len(es))
	for i, e := range es {
		changes[i] = KeeperChange{Path: f.path(e.path), Remove: true}
	}
	return f.keeper.Apply(ctx, changes)
}
