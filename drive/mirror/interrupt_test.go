package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hypernode/hypernode/drive"
)

// A run that ends in the midst of a large file leaves a partial file, which the next run goes on with, whatever is wrong with it.
func TestInterruptedFileResumes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	data := random(r, 8<<20)
	cut := errors.New("cut off")
	for name, damage := range map[string]func(t *testing.T, part string){
		"as it was": func(*testing.T, string) {},
		"damaged": func(t *testing.T, part string) {
			f, err := os.OpenFile(part, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte("damage"), 1<<20); err != nil {
				t.Fatal(err)
			}
		},
		"too long": func(t *testing.T, part string) {
			if err := os.Truncate(part, 20<<20); err != nil {
				t.Fatal(err)
			}
		},
		"a link": func(t *testing.T, part string) {
			if err := os.Remove(part); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("../victim", part); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir, victim := filepath.Join(parent, "root"), filepath.Join(parent, "victim")
			if err := os.WriteFile(victim, bytes.Repeat([]byte("v"), 2<<20), 0o666); err != nil {
				t.Fatal(err)
			}
			f := &fake{entries: []entry{{path: "d/big", size: int64(len(data))}}}
			left := 5 << 20
			f.open_ = func(e entry) (content, entry, error) {
				return &failing{bytes.NewReader(data), left, cut}, e, nil
			}
			if _, err := Sync(t.Context(), f, Dir(dir), Options{}); !errors.Is(err, cut) {
				t.Fatal(err)
			}
			part := filepath.Join(dir, partialName("d/big"))
			if info, err := os.Stat(part); err != nil || info.Size() < 4<<20 {
				t.Fatalf("no partial file of some size: %v, %v", info, err)
			}
			damage(t, part)
			left = len(data) + 1
			syncTrees(t, f, Dir(dir), Options{})
			check(t, readDir(t, dir), model{"d/big": {data: data}})
			if b, err := os.ReadFile(victim); err != nil || len(bytes.Trim(b, "v")) > 0 {
				t.Errorf("the file that a link led to was changed: %v", err)
			}
		})
	}
}

func TestResumeWritesOnlyTheRest(t *testing.T) {
	data := random(rand.New(rand.NewPCG(2, 2)), 4<<20)
	file, err := os.Create(filepath.Join(t.TempDir(), "part"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(data[:3<<20]); err != nil {
		t.Fatal(err)
	}
	n, err := copyOver(t.Context(), file, bytes.NewReader(data), false)
	if n > 1<<20+chunk || err != nil {
		t.Errorf("%d bytes were written, %v", n, err)
	}
	if got, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("not what it should be, %v", err)
	}
}

// A run that is ended by its context leaves what it did, and the next one does the rest.
func TestCancelledRunGoesOn(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			from, to := newPlace(t, k.from), newPlace(t, k.to)
			r := rand.New(rand.NewPCG(3, 3))
			m := model{}
			for i := range 60 {
				m[strings.Repeat("d/", i%4)+fmt.Sprint("f", i)] = file{data: random(r, 200_000)}
			}
			from.set(m)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := Sync(ctx, from, to, Options{Changed: func(Change) { cancel() }})
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			first := int64(len(to.read()))
			stats := syncTrees(t, from, to, Options{Prune: true})
			check(t, to.read(), m)
			if stats.Added > int64(len(m))-min(first, 1) {
				t.Errorf("%d were there, then %+v", first, stats)
			}
		})
	}
}

// changing is a file of a folder that is written to while it is read.
func TestFileThatChangesWhileItIsRead(t *testing.T) {
	for name, size := range map[string]int{"small": 1000, "large": 3 << 20} {
		t.Run(name, func(t *testing.T) {
			at, d := t.TempDir(), newDrive(t)
			path := filepath.Join(at, "f")
			model{"f": {data: make([]byte, size)}, "g": text("other")}.put(t, at)
			times := 2
			step := 0
			tree := &touching{dir(at), func() {
				if step++; step <= times {
					when := old.Add(time.Duration(step) * time.Second)
					if err := os.Chtimes(path, when, when); err != nil {
						t.Error(err)
					}
				}
			}}
			syncTrees(t, tree, Drive(d), Options{})
			if got := readDrive(t, d); len(got["f"].data) != size || step != times+1 {
				t.Errorf("%d bytes after %d tries", len(got["f"].data), step)
			}
			step, times = 0, 100
			if err := os.WriteFile(path, make([]byte, size+1), 0o666); err != nil {
				t.Fatal(err)
			}
			stats, err := Sync(t.Context(), tree, Drive(d), Options{})
			if !errors.Is(err, ErrChanging) || stats.Failed != 1 || step != tries {
				t.Errorf("%+v after %d tries, %v", stats, step, err)
			}
			if got := readDrive(t, d); len(got["f"].data) != size {
				t.Errorf("half a file came through")
			}
		})
	}
}

// touching is a folder in which something happens after the file f was opened.
type touching struct {
	dir
	touch func()
}

func (d *touching) source(ctx context.Context, o Options) (source, error) {
	s, err := d.dir.source(ctx, o)
	return &touchingSource{s, d.touch}, err
}

type touchingSource struct {
	source
	touch func()
}

func (s *touchingSource) open(ctx context.Context, e entry) (content, entry, error) {
	c, now, err := s.source.open(ctx, e)
	if err == nil && e.path == "f" {
		s.touch()
	}
	return c, now, err
}

// TestRunsTakeTurns has several runs at a time write the same drive to one folder: none disturbs the other.
func TestRunsTakeTurns(t *testing.T) {
	d, dir, m := newDrive(t), t.TempDir(), model{}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 40 {
		m[fmt.Sprintf("d%d/f%d", i%3, i)] = file{data: random(r, 1000)}
	}
	m["large"] = file{data: random(r, 3<<20)}
	for path, f := range m {
		must(t, d.WriteFile(t.Context(), "/"+path, f.data, drive.Meta{}))
	}
	var runs sync.WaitGroup
	for range 4 {
		runs.Go(func() {
			if _, err := Sync(t.Context(), Drive(d), Dir(dir), Options{Prune: true}); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	check(t, readDir(t, dir), m)
}
