package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Partial files stand beside the file that they become. Their names say of which path they are, so that the next run finds them.
const (
	partialPrefix = ".hypernode-"
	partialSuffix = ".part"
	partialDigits = 24
)

// partialName returns where the contents of a path are gathered.
func partialName(p string) string {
	sum := sha256.Sum256([]byte(p))
	return path.Join(parent(p), partialPrefix+hex.EncodeToString(sum[:partialDigits/2])+partialSuffix)
}

// isPartial tells whether a name is that of a partial file. Systems that ignore case do so here too.
func isPartial(name string) bool {
	name = strings.ToLower(name)
	return len(name) == len(partialPrefix)+partialDigits+len(partialSuffix) &&
		strings.HasPrefix(name, partialPrefix) && strings.HasSuffix(name, partialSuffix)
}

// maxStale bounds how many partial files of former runs are remembered, and removed at the end of one.
const maxStale = 1 << 14

func (f *folder) sawPartial(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.stale) < maxStale {
		f.stale = append(f.stale, path)
	}
}

func (f *folder) keepPartial(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed[path] = struct{}{}
}

// finish removes the partial files that no run will go on with.
func (f *folder) finish(_ context.Context, whole bool) error {
	if f.root == nil || f.options.DryRun {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !whole {
		return nil
	}
	for _, p := range f.stale {
		if _, ok := f.failed[p]; !ok {
			// What cannot be removed is left for the next run; nobody takes it for a file.
			_ = f.root.Remove(p)
		}
	}
	return nil
}

// remove removes files, and the folders that are empty without them.
func (f *folder) remove(ctx context.Context, es []entry, failed func(entry, error)) error {
	bare := map[string]struct{}{}
	for _, e := range es {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.removeFile(e); err != nil {
			failed(e, err)
			continue
		}
		for p := parent(e.path); p != ""; p = parent(p) {
			bare[p] = struct{}{}
		}
	}
	folders := make([]string, 0, len(bare))
	for p := range bare {
		folders = append(folders, p)
	}
	slices.Sort(folders)
	for _, p := range slices.Backward(folders) {
		f.holds.forget(p)
		_ = f.root.Remove(p) // it is not empty, mostly
	}
	return nil
}

func (f *folder) removeFile(e entry) error {
	// The name may have become that of a folder meanwhile, which Remove would remove if it were empty.
	info, err := f.root.Lstat(e.path)
	if err == nil && info.IsDir() {
		return ErrChanging
	}
	if err == nil {
		err = f.root.Remove(e.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
