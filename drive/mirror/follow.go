package mirror

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Follow tries again what failed after retryFirst, then after twice as long each time, up to retryLast.
const (
	retryFirst = time.Second
	retryLast  = time.Minute
)

// A watcher tells what changed in a tree.
type watcher interface {
	// wait returns paths at or below which something may have changed since it last returned, or since the watcher was made; ""
	// for anywhere. It waits until there are some.
	wait(ctx context.Context) ([]string, error)
	close() error
}

// Follow does what Sync does, and again whenever the source changes, until ctx ends: then it returns ctx's error. Of a folder it is
// told by the system, and changes that follow each other fast are taken together; of a drive, by its core, and with
// Options.Mounts by those of the drives that are mounted in it. Files that failed are tried again. It ends with the error of a round
// that is not an ErrPartial; Options.Synced is told of each round. A dry run does one round and changes nothing.
func Follow(ctx context.Context, from, to Tree, o Options) (err error) {
	w, err := from.watch(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	pause := retryFirst
	for scope := []string{""}; ; {
		stats, err := round(ctx, from, to, o, scope)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !errors.Is(err, ErrPartial) {
			return err
		}
		if o.Synced != nil {
			o.Synced(stats, err)
		}
		if o.DryRun {
			return err
		}
		failed := again(err)
		if len(failed) == 0 {
			pause = retryFirst
		}
		if scope, err = await(ctx, w, failed, pause); err != nil {
			return err
		}
		pause = min(2*pause, retryLast)
	}
}

// again returns the paths of a round that failed.
func again(err error) (paths []string) {
	var p *PartialError
	if !errors.As(err, &p) {
		return nil
	}
	if p.More > 0 {
		return []string{""}
	}
	for _, problem := range p.Problems {
		// What can never be written is not worth another look.
		if !errors.Is(problem.Err, ErrName) && !errors.Is(problem.Err, ErrLink) {
			paths = append(paths, problem.Path)
		}
	}
	return paths
}

// await waits for changes, or until it is time to try what failed.
func await(ctx context.Context, w watcher, failed []string, pause time.Duration) ([]string, error) {
	if len(failed) == 0 {
		return w.wait(ctx)
	}
	soon, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	scope, err := w.wait(soon)
	if err != nil && ctx.Err() == nil && soon.Err() != nil {
		return failed, nil
	}
	return slices.Concat(scope, failed), err
}
