package mirror

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hypernode/hypernode/drive"
)

// following runs Follow until the test ends.
type following struct {
	t      *testing.T
	rounds chan error
}

func follow(t *testing.T, from, to Tree, o Options) *following {
	t.Helper()
	f := &following{t, make(chan error, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	o.Synced = func(_ Stats, err error) {
		select {
		case f.rounds <- err:
		default:
		}
	}
	go func() { done <- Follow(ctx, from, to, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow ended with %v", err)
		}
	})
	return f
}

// until waits until, after some round, the target is as it should be.
func (f *following) until(read func() model, want model) {
	f.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case err := <-f.rounds:
			if err != nil {
				f.t.Logf("a round: %v", err)
			}
			if err = differ(read(), want); err == nil {
				return
			}
			f.t.Logf("not yet: %v", err)
		case <-timeout:
			f.t.Fatalf("after 30 s: %v", differ(read(), want))
		}
	}
}

func TestFollowFolder(t *testing.T) {
	dir, d := t.TempDir(), newDrive(t)
	m := model{"a": text("1"), "b/c/d": text("2"), "skip/x": text("3"), IgnoreFile: text("skip/\n")}
	m.put(t, dir)
	f := follow(t, Dir(dir), Drive(d), Options{Prune: true})
	read := func() model { return readDrive(t, d) }
	delete(m, "skip/x")
	f.until(read, m)

	m["a"] = file{data: []byte("changed"), time: old.Add(time.Second)}
	m["new/deep/er"] = text("4")
	model{"a": m["a"], "new/deep/er": m["new/deep/er"]}.put(t, dir)
	f.until(read, m)

	// A folder that came is watched too, also after it was moved.
	m["new/deep/er2"] = text("5")
	model{"new/deep/er2": text("5")}.put(t, dir)
	f.until(read, m)
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "newer")); err != nil {
		t.Fatal(err)
	}
	m["newer/deep/er"], m["newer/deep/er2"] = m["new/deep/er"], m["new/deep/er2"]
	delete(m, "new/deep/er")
	delete(m, "new/deep/er2")
	f.until(read, m)
	m["newer/deep/er"] = text("6")
	model{"newer/deep/er": text("6")}.put(t, dir)
	f.until(read, m)

	if err := os.RemoveAll(filepath.Join(dir, "newer")); err != nil {
		t.Fatal(err)
	}
	delete(m, "newer/deep/er")
	delete(m, "newer/deep/er2")
	f.until(read, m)

	// The ignore file is followed as well.
	m[IgnoreFile] = text("*.tmp\n")
	m["skip/x"] = text("3")
	model{IgnoreFile: m[IgnoreFile], "z.tmp": text("t")}.put(t, dir)
	f.until(read, m)
}

func TestFollowDrive(t *testing.T) {
	dir, d := t.TempDir(), newDrive(t)
	ctx := t.Context()
	write := func(path, data string) {
		t.Helper()
		if err := d.WriteFile(ctx, path, []byte(data), drive.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	write("/in/a", "1")
	write("/out", "2")
	f := follow(t, Folder(d, "/in"), Dir(dir), Options{Prune: true})
	read := func() model { return readDir(t, dir) }
	m := model{"a": text("1")}
	f.until(read, m)
	for i := range 5 {
		path := fmt.Sprintf("d%d/f", i)
		write("/in/"+path, path)
		m[path] = text(path)
		f.until(read, m)
	}
	if err := d.Remove(ctx, "/in/d1/f"); err != nil {
		t.Fatal(err)
	}
	delete(m, "d1/f")
	f.until(read, m)
	version := d.Version()
	write("/in/a", "later")
	write("/in/z", "later")
	m["a"], m["z"] = text("later"), text("later")
	f.until(read, m)
	if err := d.Truncate(ctx, version); err != nil {
		t.Fatal(err)
	}
	m["a"] = text("1")
	delete(m, "z")
	f.until(read, m)
}

func TestFollowEndsWithTheSource(t *testing.T) {
	dir, d := filepath.Join(t.TempDir(), "source"), newDrive(t)
	if err := Follow(t.Context(), Dir(dir), Drive(d), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
