package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// Dir is a folder of the system. A leading "~/" stands for the user's home. A target is made if it does not exist, a source must
// exist. A path that is a link to a folder is followed, links below it are not.
func Dir(path string) Tree { return dir(path) }

type dir string

// String returns the path as it was given.
func (d dir) String() string { return string(d) }

// path returns the path with the home put in.
func (d dir) path() (string, error) {
	rest, ok := strings.CutPrefix(string(d), "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return string(d), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, rest), err
}

func (d dir) open() (*folder, error) {
	path, err := d.path()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, holds: newHolds(root), windows: runtime.GOOS == "windows", failed: map[string]struct{}{}}, nil
}

func (d dir) source(context.Context, Options) (source, error) {
	f, err := d.open()
	if err != nil {
		return nil, fmt.Errorf("mirror: opening the source: %w", err)
	}
	return f, nil
}

func (d dir) target(ctx context.Context, o Options) (target, error) {
	path, err := d.path()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if o.DryRun {
			return &folder{options: o, target: true, windows: runtime.GOOS == "windows"}, nil
		}
		if err := os.MkdirAll(path, 0o777); err != nil {
			return nil, err
		}
	}
	f, err := d.open()
	if err != nil {
		return nil, err
	}
	f.options, f.target = o, true
	if !o.DryRun {
		if f.lock, err = lockFolder(ctx, f.root); err != nil {
			return nil, errors.Join(fmt.Errorf("mirror: waiting for another run: %w", err), f.close())
		}
	}
	return f, nil
}

// apart fails with ErrOverlap when both trees are folders and one lies in the other.
func apart(from, to Tree) error {
	a, ok := from.(dir)
	b, also := to.(dir)
	if !ok || !also {
		return nil
	}
	x, err := a.real()
	if err != nil {
		return err
	}
	y, err := b.real()
	if err != nil {
		return err
	}
	if inside(x, y) || inside(y, x) {
		return fmt.Errorf("%w: %s and %s", ErrOverlap, a, b)
	}
	return nil
}

// real returns the path without links, as far as it exists.
func (d dir) real() (string, error) {
	path, err := d.path()
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(real, rest), nil
		}
		if p == filepath.Dir(p) {
			return path, nil
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

func inside(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// folder is a folder that is read or changed. All its work goes through root, or through the folders below it that are held.
type folder struct {
	root    *os.Root // nil, as are the holds, in a dry run on a folder that does not exist
	holds   *holds
	lock    *os.File // of a target: nobody else writes to it; nil where there are no locks
	options Options
	target  bool
	windows bool

	// finishing lets one file at a time take its name, so that two that the system takes for one name are noticed.
	finishing sync.Mutex

	mu     sync.Mutex          // guards all below
	stale  []string            // partial files that were seen
	failed map[string]struct{} // partial files that are worth keeping
}

func (f *folder) close() error {
	if f.root == nil {
		return nil
	}
	f.holds.close()
	var err error
	if f.lock != nil {
		err = f.lock.Close()
	}
	return errors.Join(err, f.root.Close())
}

func (f *folder) list(ctx context.Context, under string, skip func(string) bool) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if f.root == nil {
			return
		}
		w := &walk{ctx: ctx, folder: f, skip: skip, yield: yield}
		w.start(under)
	}
}

// lookup returns a small file, to which no link leads.
func (f *folder) lookup(_ context.Context, path string, limit int64) ([]byte, error) {
	if f.root == nil {
		return nil, fs.ErrNotExist
	}
	info, err := f.root.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	file, err := f.root.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", ErrSize, limit)
	}
	return data, err
}
