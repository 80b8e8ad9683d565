package mirror

import (
	"context"
	"errors"
	"strings"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/drive"
)

// maxScope is how many paths a watcher tells; when there are more it says that anything may have changed.
const maxScope = 4096

func (t *driveTree) watch(ctx context.Context, o Options) (watcher, error) {
	if o.Mounts {
		return t.watchMounts(ctx), nil
	}
	return &driveWatch{tree: t, last: t.drive.Snapshot()}, nil
}

// driveWatch compares versions of a drive.
type driveWatch struct {
	tree *driveTree
	last *drive.Drive
}

func (w *driveWatch) wait(ctx context.Context) ([]string, error) {
	for {
		// The head is read before the version: what comes between is seen twice, not missed.
		head := w.tree.drive.Core().Head()
		now := w.tree.drive.Snapshot()
		paths, err := w.paths(ctx, now)
		if err != nil {
			return nil, err
		}
		w.last = now
		if len(paths) > 0 {
			return paths, nil
		}
		if _, err := w.tree.drive.Core().Wait(ctx, head); err != nil {
			return nil, err
		}
	}
}

// paths returns what differs between the last version and another.
func (w *driveWatch) paths(ctx context.Context, now *drive.Drive) (paths []string, err error) {
	prefix := w.tree.prefix()
	for d, err := range now.Diff(ctx, w.last, prefix, drive.DiffOptions{}) {
		if errors.Is(err, core.ErrTruncated) {
			return []string{""}, nil // it is on another fork
		}
		if errors.Is(err, drive.ErrEntry) {
			return []string{""}, nil // the round will tell
		}
		if err != nil {
			return nil, err
		}
		p := strings.TrimPrefix(d.Path(), prefix+"/")
		if checkPath(p) != nil || len(paths) == maxScope || strings.HasSuffix(p, IgnoreFile) {
			return []string{""}, nil
		}
		paths = append(paths, p)
	}
	return paths, nil
}

func (w *driveWatch) close() error { return nil }
