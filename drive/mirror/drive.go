package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive"
)

// Drive is a drive, or a version of one, which can be a source. As a source it is read as it is when the run begins.
func Drive(d *drive.Drive) Tree { return Folder(d, "/") }

// Folder is what lies below a folder of a drive. The folder need not exist.
func Folder(d *drive.Drive, folder string) Tree { return &driveTree{d, folder} }

type driveTree struct {
	drive  *drive.Drive
	folder string
}

// String names the drive by its key.
func (t *driveTree) String() string { return "hyper://" + t.drive.Key().String() + t.prefix() }

// prefix is the folder's path, "" for the root.
func (t *driveTree) prefix() string {
	// Clean takes no root.
	p, err := drive.Clean(t.folder + "/.x")
	if err != nil {
		return t.folder
	}
	return strings.TrimSuffix(p, "/.x")
}

func (t *driveTree) source(_ context.Context, o Options) (source, error) {
	if _, err := drive.Clean(t.folder + "/.x"); err != nil {
		return nil, err
	}
	// What is not known is not empty: files must not be removed for that.
	if t.drive.Core().Head().Length == 0 && !t.drive.Core().Writable() {
		return nil, fmt.Errorf("mirror: %s: %w", t, drive.ErrEmpty)
	}
	return &driveFiles{drive: t.drive.Snapshot(), prefix: t.prefix(), options: o}, nil
}

func (t *driveTree) target(_ context.Context, o Options) (target, error) {
	if _, err := drive.Clean(t.folder + "/.x"); err != nil {
		return nil, err
	}
	if !t.drive.Writable() && !o.DryRun {
		return nil, fmt.Errorf("mirror: %s: %w", t, drive.ErrReadOnly)
	}
	o.Mounts = false
	return &driveFiles{drive: t.drive, prefix: t.prefix(), options: o}, nil
}

// driveFiles is a folder of a drive that is read or changed.
type driveFiles struct {
	drive   *drive.Drive
	prefix  string
	options Options
}

func (f *driveFiles) close() error { return nil }

// path returns the path in the drive.
func (f *driveFiles) path(p string) string { return f.prefix + "/" + p }

func (f *driveFiles) list(ctx context.Context, under string, _ func(string) bool) iter.Seq2[entry, error] {
	folder := f.prefix
	if under != "" {
		folder = f.path(under)
	}
	return func(yield func(entry, error) bool) {
		if under != "" {
			e, err := f.drive.Entry(ctx, folder)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				yield(entry{}, err)
				return
			}
			if err == nil && !f.give(e, yield) {
				return
			}
		}
		for e, err := range f.drive.List(ctx, folder, drive.ListOptions{Mounts: f.options.Mounts}) {
			if errors.Is(err, drive.ErrEntry) && strings.HasPrefix(e.Path, f.prefix+"/") {
				if !yield(entry{path: e.Path[len(f.prefix)+1:], note: err}, nil) {
					return
				}
				continue
			}
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

// give yields what an entry is to a mirror.
func (f *driveFiles) give(e drive.Entry, yield func(entry, error) bool) bool {
	out := entry{path: strings.TrimPrefix(e.Path, f.prefix+"/"), link: e.Link, executable: e.Executable, metadata: e.Metadata, at: &e}
	if e.Mount != nil {
		switch {
		case !f.options.Mounts:
			out.note, out.benign = fmt.Errorf("%w: a mount", ErrSpecial), true
		case e.Unavailable != nil:
			out.note = e.Unavailable
		case e.Cycle:
			out.note, out.benign = fmt.Errorf("%w: a mount that leads back", ErrSpecial), true
		default:
			return true
		}
		return yield(out, nil)
	}
	n, known := e.Size()
	out.size = n
	if !known || n < 0 {
		out.size = -1
	}
	if e.Metadata != nil && !e.IsLink() {
		if out.time = e.ModTime(); !usable(out.time) {
			out.time = time.Time{}
		}
		out.mode = keptMode(&e)
	}
	return yield(out, nil)
}

// keptMode returns the permissions that are kept with an entry, or 0.
func keptMode(e *drive.Entry) fs.FileMode {
	bare := drive.Entry{Executable: e.Executable}
	if m := e.Mode().Perm(); m != bare.Mode().Perm() {
		return m
	}
	return 0
}

func (f *driveFiles) open(ctx context.Context, e entry) (content, entry, error) {
	file, err := f.drive.OpenEntry(ctx, *e.at)
	if err != nil {
		return nil, entry{}, err
	}
	return driveContent{file}, e, nil
}

// driveContent is an open file of a drive, which never changes.
type driveContent struct{ *drive.File }

func (driveContent) unchanged() error { return nil }

func (f *driveFiles) lookup(ctx context.Context, path string, limit int64) ([]byte, error) {
	e, err := f.drive.Entry(ctx, f.path(path))
	if behindMount(err) || err == nil && f.prefix == "" && !f.options.Mounts && e.Drive != f.drive.Key() {
		return nil, fs.ErrNotExist // nothing is done there
	}
	if err != nil {
		return nil, err
	}
	if e.IsLink() || e.Mount != nil || e.Blob == nil {
		return nil, fs.ErrNotExist
	}
	file, err := f.drive.OpenEntry(ctx, e)
	if err != nil {
		return nil, notMissing(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", ErrSize, limit)
	}
	return data, notMissing(err)
}

// behindMount tells of an error that a path leads through a mount that cannot be gone through, which the listing gives as a note.
func behindMount(err error) bool {
	for _, why := range []error{
		drive.ErrMountUnavailable, drive.ErrVersionUnavailable, drive.ErrPinMismatch, drive.ErrLocked, drive.ErrTooManyMounts,
	} {
		if errors.Is(err, why) {
			return true
		}
	}
	return false
}

// notMissing sees to it that contents that cannot be had are not taken for a file that does not exist.
func notMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mirror: %v", err)
	}
	return err
}

// canonical is metadata as a drive stores it.
func canonical(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return nil
	}
	if b, err := bee.AppendJSON(nil, m); err == nil {
		return b
	}
	return m
}
