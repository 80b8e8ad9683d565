package drive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hypernode/hypernode/bee"
)

// place is where a path leads through mounts: a drive, and a path in it.
type place struct {
	drive *Drive
	path  string // "" for the root
	at    string // the path, in the drive that was asked, of the mount that was gone through last; "" for none
	root  string // the folder of drive that is shown there
	hops  int
}

// outer turns a path in the place's drive into one of the drive that was asked.
func (p *place) outer(inner string) string { return p.at + strings.TrimPrefix(inner, p.root) }

// entry makes an entry of the place's drive one of the drive that was asked.
func (p *place) entry(e Entry) Entry {
	e.Drive, e.Inner, e.Path = p.drive.Key(), e.Path, p.outer(e.Path)
	return e
}

// resolve goes from a clean path through the mounts above it, and with self also through one at the path itself.
func (d *Drive) resolve(ctx context.Context, path string, self bool) (place, error) {
	return place{drive: d, path: path}.through(ctx, self)
}

// through goes on from a place. The first mount counts, as seen from the root: it hides what lies below it.
func (p place) through(ctx context.Context, self bool) (place, error) {
	for {
		at, m, err := p.drive.firstMount(ctx, p.path, self)
		if err != nil || m == nil {
			return p, err
		}
		if p.hops++; p.hops > MaxHops {
			return p, ErrTooManyMounts
		}
		next, err := p.drive.s.mounted(ctx, m)
		if err != nil {
			return p, err
		}
		p.at = p.outer(at)
		p.drive, p.root, p.path = next, m.Path, m.Path+p.path[len(at):]
	}
}

// firstMount returns the highest mount above a path, or with self at it.
func (d *Drive) firstMount(ctx context.Context, path string, self bool) (at string, m *Mount, err error) {
	now := d.state()
	list := d.unsure(now, ancestors(path, self))
	if len(list) > 0 && d.sparse() {
		if err := d.warm(ctx, append(list, path)); err != nil {
			return "", nil, err
		}
	}
	for _, folder := range list {
		e, err := d.lookup(ctx, folder)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrEntry) {
			return "", nil, err
		}
		if err == nil && e.Mount != nil {
			return folder, e.Mount, nil
		}
		d.s.plain.add(now, folder)
	}
	return "", nil, nil
}

// sparse tells that lookups may have to wait for peers.
func (d *Drive) sparse() bool { return d.s.db.Contiguous() < d.s.db.Head().Length }

// warm looks up paths at the same time, so that their blocks come in together.
func (d *Drive) warm(ctx context.Context, paths []string) error {
	var wg sync.WaitGroup
	for _, p := range paths[:min(len(paths), MaxHops)] {
		wg.Go(func() { _, _ = d.tree.Get(ctx, files.Key(p)) })
	}
	wg.Wait()
	return ctx.Err()
}

// lookup returns the entry of a clean path in this drive itself, or ErrNotFound.
func (d *Drive) lookup(ctx context.Context, path string) (Entry, error) {
	if err := d.check(); err != nil {
		return Entry{}, err
	}
	found, err := d.tree.Get(ctx, files.Key(path))
	if errors.Is(err, bee.ErrNotFound) {
		return Entry{}, ErrNotFound
	}
	if err != nil {
		return Entry{}, err
	}
	return decodeFound(path, found)
}

// decodeFound makes an entry of what the bee has for a path.
func decodeFound(path string, found bee.Entry) (Entry, error) {
	e, err := decodeEntry(found.Value)
	if err != nil {
		return Entry{Path: path, Seq: found.Seq}, fmt.Errorf("%.200q: %w", path, err)
	}
	e.Path, e.Seq = path, found.Seq
	return e, nil
}

// state names the entries that a drive shows: a version of a fork.
type state struct{ fork, version uint64 }

func (d *Drive) state() state {
	return state{d.s.db.Head().Fork, d.tree.Version()}
}

// plainCache remembers paths where no mount is, of one state of the drive.
type plainCache struct {
	mu    sync.Mutex
	state state
	paths map[string]struct{}
}

// plainMax is how many paths are remembered.
const plainMax = 4096

func (c *plainCache) add(s state, path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != s || c.paths == nil || len(c.paths) == plainMax {
		c.state, c.paths = s, map[string]struct{}{}
	}
	c.paths[path] = struct{}{}
}

// unsure leaves out of a list the paths where no mount is for sure.
func (d *Drive) unsure(s state, list []string) []string {
	c := &d.s.plain
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != s {
		return list
	}
	rest := list[:0]
	for _, p := range list {
		if _, ok := c.paths[p]; !ok {
			rest = append(rest, p)
		}
	}
	return rest
}
