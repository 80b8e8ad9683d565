package drive_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/drive"
)

// depth is how many mounts or links hostile drives lead through.
const depth = 10_000

// TestMountLoopsDeep goes through loops of mounts and links far deeper than is allowed, by everything that takes a path.
func TestMountLoopsDeep(t *testing.T) {
	s := newStore(t)
	d := newDrive(t, s, "loop")
	mustWrite(t, d, "/f", "f")
	if err := d.Mount(t.Context(), "/m", d.Key()); err != nil {
		t.Fatal(err)
	}
	if err := d.Symlink(t.Context(), "/l", "../m/l", drive.Meta{}); err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat("/m", depth) + "/f"
	for name, do := range map[string]func(ctx context.Context, path string) error{
		"entry":  func(ctx context.Context, p string) error { _, err := d.Entry(ctx, p); return err },
		"stat":   func(ctx context.Context, p string) error { _, err := d.Stat(ctx, p); return err },
		"exists": func(ctx context.Context, p string) error { _, err := d.Exists(ctx, p); return err },
		"read":   func(ctx context.Context, p string) error { _, err := d.ReadFile(ctx, p); return err },
		"open":   func(ctx context.Context, p string) error { _, err := d.Open(ctx, p); return err },
		"clear":  d.Clear,
		"mounted": func(ctx context.Context, p string) error {
			_, _, err := d.Mounted(ctx, p)
			return err
		},
		"list": func(ctx context.Context, p string) error {
			for _, err := range d.List(ctx, p, drive.ListOptions{Mounts: true}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"download": func(ctx context.Context, p string) error { return d.Download(ctx, p, drive.DownloadOptions{}) },
	} {
		if err := do(t.Context(), deep); !errors.Is(err, drive.ErrTooManyMounts) {
			t.Errorf("%s: %.200v", name, err)
		}
	}
	if _, err := d.Stat(t.Context(), "/l"); !errors.Is(err, drive.ErrTooManyMounts) && !errors.Is(err, drive.ErrLinks) {
		t.Errorf("a link that leads through a mount to itself: %v", err)
	}
	n := 0
	for _, err := range d.List(t.Context(), "/", drive.ListOptions{Mounts: true}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d entries are listed, want 3", n)
	}
}

// TestMountChainDeep lists a chain of drives of which each is mounted in the one before it: no more of them are opened than a
// path may go through.
func TestMountChainDeep(t *testing.T) {
	if testing.Short() {
		t.Skip("makes many drives")
	}
	const chain = 500
	s := newStore(t)
	first := newDrive(t, s, "0")
	last := first
	for i := 1; i < chain; i++ {
		next := newDrive(t, s, fmt.Sprint(i))
		mustWrite(t, next, "/f", "f")
		if err := last.Mount(t.Context(), "/m", next.Key()); err != nil {
			t.Fatal(err)
		}
		last = next
	}
	n := 0
	for e, err := range first.List(t.Context(), "/", drive.ListOptions{Mounts: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; strings.Count(e.Path, "/m") > drive.MaxHops+1 {
			t.Fatalf("listed %.300s", e.Path)
		}
	}
	if n == 0 || n > 2*(drive.MaxHops+2) {
		t.Errorf("%d entries were listed", n)
	}
	deep := strings.Repeat("/m", chain-1) + "/f"
	if _, err := first.Entry(t.Context(), deep); !errors.Is(err, drive.ErrTooManyMounts) {
		t.Errorf("entry: %v", err)
	}
}
