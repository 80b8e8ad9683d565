package mirror

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hypernode/hypernode/drive"
)

// mountPoll is how often mounts are looked at of which nothing is heard: those that could not be reached may be there by now.
const mountPoll = 10 * time.Second

// mountWatch follows the drives that are mounted in a drive too.
type mountWatch struct {
	driveWatch
	shown   map[string]shown // what the mounts showed when they were looked at last, by path
	woken   chan struct{}
	ended   chan error
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// shown is what a mount shows.
type shown struct {
	drive.Mount
	unavailable bool
}

func (t *driveTree) watchMounts(ctx context.Context) *mountWatch {
	w := &mountWatch{driveWatch: driveWatch{tree: t, last: t.drive.Snapshot()}, woken: make(chan struct{}, 1), ended: make(chan error, 1)}
	w.shown = w.look(ctx)
	ctx, w.cancel = context.WithCancel(ctx)
	w.running.Go(func() {
		for _, err := range t.drive.Watch(ctx, t.folder, drive.WatchOptions{Mounts: true}) {
			if err != nil {
				w.ended <- err
				return
			}
			select {
			case w.woken <- struct{}{}:
			default:
			}
		}
	})
	return w
}

// wait returns what differs in the drive itself, and the mounts that show something else than before. That a drive has changed is
// only a reason to look: nothing is missed that came before it was watched.
func (w *mountWatch) wait(ctx context.Context) ([]string, error) {
	for {
		now := w.tree.drive.Snapshot()
		paths, err := w.paths(ctx, now)
		if err != nil {
			return nil, err
		}
		w.last = now
		before := w.shown
		w.shown = w.look(ctx)
		if paths = append(paths, w.moved(before)...); len(paths) > 0 {
			return paths, nil
		}
		select {
		case <-w.woken:
		case <-time.After(mountPoll):
		case err := <-w.ended:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// look returns what the mounts show. When they cannot be listed it is what they showed before: a round tells what is wrong.
func (w *mountWatch) look(ctx context.Context) map[string]shown {
	pins, err := w.tree.drive.Pins(ctx, w.tree.folder)
	if err != nil {
		return w.shown
	}
	m := make(map[string]shown, len(pins))
	for _, p := range pins {
		m[strings.TrimPrefix(p.Path, w.tree.prefix()+"/")] = shown{p.Mount, p.Unavailable != nil}
	}
	return m
}

// moved returns the mounts that do not show what they did.
func (w *mountWatch) moved(before map[string]shown) (paths []string) {
	for _, p := range slices.Sorted(maps.Keys(w.shown)) {
		if before[p] != w.shown[p] && checkPath(p) == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

func (w *mountWatch) close() error {
	w.cancel()
	w.running.Wait()
	return nil
}
