package mirror

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

func TestIgnoreFiles(t *testing.T) {
	m := model{
		IgnoreFile: text("# comment\n\n*.log\n/build/\n!keep.log\n**/cache/**\ndocs/*.txt\r\n"),
		"a.log":    text("x"), "keep.log": text("x"), "sub/b.log": text("x"), "sub/keep.log": text("x"),
		"build/out": text("x"), "sub/build/out": text("x"), "x/cache/y/z": text("x"), "docs/a.txt": text("x"), "docs/sub/a.txt": text("x"),
		"sub/" + IgnoreFile: text("/only\n!b.log\n"), "sub/only": text("x"), "sub/deep/only": text("x"), "only": text("x"),
		".git/config": text("x"), "node_modules/m/i.js": text("x"),
	}
	hidden := []string{"a.log", "build/out", "x/cache/y/z", "docs/a.txt", "sub/only", "node_modules/m/i.js"}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			from, to := newPlace(t, k.from), newPlace(t, k.to)
			from.set(m)
			// What is left out is not removed from the target either.
			to.set(model{"build/theirs": text("y"), "sub/z.log": text("y"), "gone": text("y")})
			want := model{"build/theirs": text("y"), "sub/z.log": text("y")}
			for path, f := range m {
				want[path] = f
			}
			for _, path := range hidden {
				delete(want, path)
			}
			// The folder's own file lets *.log of its own name in again, but not others.
			stats := syncTrees(t, from, to, Options{Prune: true, Ignore: []string{"node_modules/"}})
			check(t, to.read(), want)
			if stats.Removed != 1 {
				t.Errorf("%+v", stats)
			}
			syncTrees(t, from, to, Options{Prune: true, NoIgnoreFiles: true})
			check(t, to.read(), m)
		})
	}
}

func TestFilter(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			from, to := newPlace(t, k.from), newPlace(t, k.to)
			from.set(model{"a/1": text("1"), "b/2": text("2"), "c": text("3")})
			to.set(model{"b/theirs": text("4"), "a/gone": text("5")})
			syncTrees(t, from, to, Options{Prune: true, Filter: func(path string, folder bool) bool {
				if strings.Contains(path, "b/") {
					t.Errorf("asked for %q below a folder that was refused", path)
				}
				return !folder || path != "b"
			}})
			check(t, to.read(), model{"a/1": text("1"), "b/theirs": text("4"), "c": text("3")})
		})
	}
}

// An ignore file that cannot be read must not count as an empty one: it may keep secrets out of a drive.
func TestIgnoreFileThatCannotBeRead(t *testing.T) {
	dir, d := t.TempDir(), newDrive(t)
	model{IgnoreFile: text(strings.Repeat("secret\n", 10_000)), "secret": text("x")}.put(t, dir)
	if _, err := Sync(t.Context(), Dir(dir), Drive(d), Options{}); err == nil || errors.Is(err, ErrPartial) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if ok, err := d.Exists(t.Context(), "/secret"); ok || err != nil {
		t.Errorf("it came through: %v", err)
	}
}

func TestMountsArePassedOver(t *testing.T) {
	store := newStore(t)
	dir, d, child := t.TempDir(), openDrive(t, store, drive.Name("parent")), openDrive(t, store, drive.Name("child"))
	ctx := t.Context()
	for _, err := range []error{
		d.WriteFile(ctx, "/a", []byte("1"), drive.Meta{}), d.Mount(ctx, "/m", child.Key()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	model{"m/mine": text("mine")}.put(t, dir)
	stats := syncTrees(t, Drive(d), Dir(dir), Options{Prune: true})
	if stats.Added != 1 || stats.Skipped != 1 || stats.Removed != 0 {
		t.Errorf("%+v", stats)
	}
	check(t, readDir(t, dir), model{"a": text("1"), "m/mine": text("mine")})
	// Nor does pruning remove a mount of the target.
	syncTrees(t, Dir(t.TempDir()), Drive(d), Options{Prune: true})
	if e, err := d.Entry(ctx, "/m"); err != nil || e.Mount == nil {
		t.Errorf("%+v, %v", e, err)
	}
}

// One value that is no entry, as another writer can put, concerns its path alone.
func TestBadEntry(t *testing.T) {
	dir, d := t.TempDir(), newDrive(t)
	model{"a": text("1"), "z": text("2")}.put(t, dir)
	syncTrees(t, Dir(dir), Drive(d), Options{})
	bad(t, d, "/m")
	dir = t.TempDir()
	model{"m": text("mine"), "n": text("gone")}.put(t, dir)
	stats, err := Sync(t.Context(), Drive(d), Dir(dir), Options{Prune: true})
	if !errors.Is(err, drive.ErrEntry) || stats.Failed != 1 || stats.Added != 2 || stats.Removed != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	check(t, readDir(t, dir), model{"a": text("1"), "m": text("mine"), "z": text("2")})
}

func TestEmptyRemoteDriveIsNoSource(t *testing.T) {
	dir, d := t.TempDir(), openDrive(t, newStore(t), drive.Key(keys.Key{7}))
	model{"a": text("1")}.put(t, dir)
	if _, err := Sync(t.Context(), Drive(d), Dir(dir), Options{Prune: true}); !errors.Is(err, drive.ErrEmpty) {
		t.Error(err)
	}
	check(t, readDir(t, dir), model{"a": text("1")})
	if _, err := Sync(t.Context(), Dir(dir), Drive(d), Options{}); !errors.Is(err, drive.ErrReadOnly) {
		t.Error(err)
	}
}

func TestProgressAndPlan(t *testing.T) {
	dir, d := t.TempDir(), newDrive(t)
	m := model{"a": text("123"), "b/c": {data: make([]byte, 3<<20)}, "d": text("")}
	m.put(t, dir)
	var planned []Change
	for c, err := range Plan(t.Context(), Dir(dir), Drive(d), Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		planned = append(planned, c)
	}
	if len(planned) != 3 || d.Version() != 1 {
		t.Fatalf("%+v, version %d", planned, d.Version())
	}
	for range Plan(t.Context(), Dir(dir), Drive(d), Options{}) {
		break
	}
	var last Progress
	stats := syncTrees(t, Dir(dir), Drive(d), Options{Progress: func(p Progress) {
		if p.Bytes < last.Bytes || p.Bytes > p.TotalBytes || p.Files > p.TotalFiles {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	}})
	if last.Files != 3 || last.TotalFiles != 3 || last.Bytes != 3<<20+3 || last.TotalBytes != last.Bytes {
		t.Errorf("%+v", last)
	}
	if stats.BytesRead != last.Bytes || stats.BytesWritten != last.Bytes {
		t.Errorf("%+v", stats)
	}
}

func TestOverlap(t *testing.T) {
	dir := t.TempDir()
	model{"a/b/c": text("1")}.put(t, dir)
	for _, to := range []string{dir, dir + "/a", dir + "/new/deeper"} {
		for _, pair := range [][2]Tree{{Dir(dir), Dir(to)}, {Dir(to), Dir(dir)}} {
			if _, err := Sync(t.Context(), pair[0], pair[1], Options{Prune: true}); !errors.Is(err, ErrOverlap) {
				t.Errorf("%v to %v: %v", pair[0], pair[1], err)
			}
		}
	}
	check(t, readDir(t, dir), model{"a/b/c": text("1")})
}
