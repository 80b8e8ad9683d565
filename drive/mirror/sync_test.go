package mirror

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// kinds are the pairs of trees that can be mirrored. Each makes a source that holds a model and a target.
var kinds = []struct {
	name string
	// from and to say whether the tree is a drive.
	from, to bool
}{
	{"folder to folder", false, false},
	{"folder to drive", false, true},
	{"drive to folder", true, false},
	{"drive to drive", true, true},
}

// place is a tree of a test, which can be set and read as a model.
type place struct {
	Tree
	set  func(model)
	read func() model
}

func newPlace(t *testing.T, isDrive bool) place {
	dir := t.TempDir()
	set := func(m model) {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		m.put(t, dir)
	}
	if !isDrive {
		return place{Dir(dir), set, func() model { return readDir(t, dir) }}
	}
	d := newDrive(t)
	return place{Drive(d), func(m model) {
		// A drive is set through a folder, which another test holds to be right.
		set(m)
		syncTrees(t, Dir(dir), Drive(d), Options{Prune: true, Times: true, NoIgnoreFiles: true})
	}, func() model { return readDrive(t, d) }}
}

func TestSyncAddsChangesRemoves(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			from, to := newPlace(t, k.from), newPlace(t, k.to)
			m := model{
				"a": text("1"), "a-b": text("2"), "b/c/d": text("3"), "b/c0": text("4"), "empty": text(""),
				"run": {data: []byte("#!"), executable: true}, "big": {data: bytes.Repeat([]byte("0123456789"), 300_000)},
				"ä/ß \n'\"": text("name"),
			}
			from.set(m)
			stats := syncTrees(t, from, to, Options{Prune: true})
			check(t, to.read(), m)
			if stats.Added != 8 || stats.Files != 8 || stats.Changed+stats.Removed+stats.Skipped+stats.Failed != 0 {
				t.Errorf("first run: %+v", stats)
			}
			stats = syncTrees(t, from, to, Options{Prune: true})
			if stats.Unchanged != 8 || stats.Added+stats.Changed+stats.Removed+stats.BytesWritten != 0 {
				t.Errorf("second run: %+v", stats)
			}
			later := old.Add(time.Hour)
			m["a"], m["b"] = file{data: []byte("x"), time: later}, file{data: []byte("a file now"), time: later}
			m["run"] = file{data: []byte("#!"), time: later}
			delete(m, "b/c/d")
			delete(m, "b/c0")
			m["empty/not"] = text("a folder now")
			delete(m, "empty")
			from.set(m)
			stats = syncTrees(t, from, to, Options{Prune: true})
			check(t, to.read(), m)
			if stats.Added != 2 || stats.Changed != 2 || stats.Removed != 3 {
				t.Errorf("third run: %+v", stats)
			}
			from.set(model{"big": m["big"]})
			stats = syncTrees(t, from, to, Options{})
			check(t, to.read(), m)
			if stats.Unchanged != 1 || stats.Files != 1 {
				t.Errorf("without pruning: %+v", stats)
			}
		})
	}
}

// An unchanged tree must give the same version, whether times are kept or not.
func TestUnchangedTreeKeepsTheVersion(t *testing.T) {
	for _, times := range []bool{false, true} {
		t.Run(fmt.Sprintf("times %v", times), func(t *testing.T) {
			dir, d := t.TempDir(), newDrive(t)
			m := model{"a": text("1"), "b/c": {data: make([]byte, 3<<20)}, "l": {link: "a"}}
			m.put(t, dir)
			syncTrees(t, Dir(dir), Drive(d), Options{Times: times, Prune: true})
			version := d.Version()
			stats := syncTrees(t, Dir(dir), Drive(d), Options{Times: times, Prune: true})
			if d.Version() != version || stats.Unchanged != 3 {
				t.Fatalf("version %d after %d, %+v", d.Version(), version, stats)
			}
			if read := stats.BytesRead > 0; read == times {
				t.Errorf("%d bytes were read", stats.BytesRead)
			}
			// Only the time changes: without times that is nothing, with times it is metadata.
			when := old.Add(time.Minute)
			if err := os.Chtimes(filepath.Join(dir, "b/c"), when, when); err != nil {
				t.Fatal(err)
			}
			blobs := d.Version()
			stats = syncTrees(t, Dir(dir), Drive(d), Options{Times: times})
			if times && (stats.Changed != 1 || stats.BytesWritten != 0 || d.Version() != blobs+1) || !times && d.Version() != version {
				t.Errorf("after a touch: version %d after %d, %+v", d.Version(), version, stats)
			}
			if e, err := d.Entry(t.Context(), "/b/c"); err != nil || times != e.ModTime().Equal(when) {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

func TestTimesAndPermissionsComeBack(t *testing.T) {
	a, b, d := t.TempDir(), t.TempDir(), newDrive(t)
	model{"f": {data: []byte("x"), time: old}, "g": {data: []byte("x"), time: old}}.put(t, a)
	if err := os.Chmod(filepath.Join(a, "g"), 0o440); err != nil {
		t.Fatal(err)
	}
	syncTrees(t, Dir(a), Drive(d), Options{})
	metadata := func(path, want string) {
		t.Helper()
		if e, err := d.Entry(t.Context(), path); err != nil || string(e.Metadata) != want {
			t.Errorf("the metadata of %s is %s, want %s, %v", path, e.Metadata, want, err)
		}
	}
	metadata("/f", "")
	syncTrees(t, Dir(a), Drive(d), Options{Times: true})
	metadata("/f", fmt.Sprintf(`{"mtime":%d,"mode":420}`, old.UnixMilli()))
	metadata("/g", fmt.Sprintf(`{"mtime":%d,"mode":288}`, old.UnixMilli()))
	syncTrees(t, Drive(d), Dir(b), Options{})
	for name, perm := range map[string]os.FileMode{"f": 0o644, "g": 0o440} {
		info, err := os.Stat(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !info.ModTime().Equal(old) || info.Mode().Perm() != perm {
			t.Errorf("%s: %v %v", name, info.ModTime(), info.Mode())
		}
	}
	if stats := syncTrees(t, Drive(d), Dir(b), Options{}); stats.Unchanged != 2 || stats.BytesRead != 0 {
		t.Errorf("%+v", stats)
	}
}

// Random trees, one after the other, through all pairs in a row: what comes out last must be what went in.
func TestRandomTrees(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dir, last := t.TempDir(), t.TempDir()
	first, second := newDrive(t), newDrive(t)
	m := model{}
	for round := range rounds() {
		m = mutate(r, m, round)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		os.Mkdir(dir, 0o777)
		m.put(t, dir)
		o := Options{Prune: true, Links: true, Times: round%2 == 0, NoIgnoreFiles: true}
		for _, hop := range [][2]Tree{{Dir(dir), Drive(first)}, {Drive(first), Drive(second)}, {Drive(second), Dir(last)}} {
			planned := map[Op]int64{}
			for c, err := range Plan(t.Context(), hop[0], hop[1], o) {
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				planned[c.Op]++
			}
			stats, err := Sync(t.Context(), hop[0], hop[1], o)
			if err != nil {
				t.Fatalf("round %d, %v to %v: %v", round, hop[0], hop[1], err)
			}
			if stats.Added != planned[Add] || stats.Changed != planned[Modify] || stats.Removed != planned[Remove] {
				t.Fatalf("round %d: %v was planned, %+v was done", round, planned, stats)
			}
			again := syncTrees(t, hop[0], hop[1], o)
			if again.Added+again.Changed+again.Removed != 0 {
				t.Fatalf("round %d: not equal after the first run: %+v", round, again)
			}
		}
		for _, got := range []model{readDrive(t, first), readDrive(t, second), readDir(t, last)} {
			if err := differ(got, m); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	}
}

// rounds is how many random trees follow each other: HYPERNODE_MIRROR_ROUNDS, or a few.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_MIRROR_ROUNDS")); err == nil {
		return n
	}
	return 8
}

// mutate returns a tree that has a few differences from another.
func mutate(r *rand.Rand, m model, round int) model {
	m = maps.Clone(m)
	names := []string{"a", "b", "a-b", "a0", "A", "c d", "ü", ".x"}
	for range 1 + r.IntN(20) {
		path := names[r.IntN(len(names))]
		for range r.IntN(4) {
			path += "/" + names[r.IntN(len(names))]
		}
		if r.IntN(4) == 0 && len(m) > 0 {
			keys := slices.Sorted(maps.Keys(m))
			delete(m, keys[r.IntN(len(keys))])
			continue
		}
		// What stands in the way goes.
		for p := parent(path); p != ""; p = parent(p) {
			delete(m, p)
		}
		maps.DeleteFunc(m, func(p string, _ file) bool { return len(p) > len(path) && p[:len(path)+1] == path+"/" })
		f := file{time: old.Add(time.Duration(round) * time.Second), executable: r.IntN(5) == 0}
		switch r.IntN(8) {
		case 0:
			f = file{link: names[r.IntN(len(names))]}
		case 1:
			f.data = random(r, r.IntN(2<<20))
		default:
			f.data = random(r, r.IntN(2000))
		}
		m[path] = f
	}
	return m
}
