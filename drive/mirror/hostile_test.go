package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive"
)

// hostileNames are names that mean another place, nothing, or something special somewhere.
func hostileNames() []string {
	names := []string{
		"", "/", ".", "..", "../", "../x", "../../x", "a/../../x", "a/..", "a/.", "./a", "/etc/passwd", "//a", "a//b", "a/", "/a/",
		"a\x00b", "\x00", "..\x00", `..\x`, `a\..\..\x`, `C:\x`, `\\server\share`, `\`, "a/\\../x", "a/\xff\xfe", "\xc0\xae\xc0\xae/x",
		partialName("x"), "d/" + partialName("x"), strings.ToUpper(partialName("x")),
		strings.Repeat("x", 256), strings.Repeat("y/", 600) + "y", strings.Repeat("zz/", 2000) + "z", strings.Repeat("é", 200),
	}
	// Every way up from every depth.
	for depth := range 12 {
		down := strings.Repeat("d/", depth)
		for up := depth; up < depth+20; up++ {
			names = append(names, down+strings.Repeat("../", up+1)+"evil")
		}
	}
	for _, sep := range []string{"\\", "//", "/./", "/.../", "/ /", "/\t/"} {
		for _, tail := range []string{"..", "../..", "evil", "..evil", "...", ".. "} {
			names = append(names, "q"+sep+tail, ".."+sep+tail)
		}
	}
	return names
}

func TestHostileNames(t *testing.T) {
	names := hostileNames()
	if len(names) < 300 {
		t.Fatalf("only %d names", len(names))
	}
	parent := t.TempDir()
	root := filepath.Join(parent, "1", "2", "3", "target")
	if err := os.MkdirAll(root, 0o777); err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	for _, n := range names {
		if _, ok := f.data[n]; !ok {
			f.add(n, "evil")
		}
	}
	f.add("good", "good")
	for _, links := range []bool{false, true} {
		stats, err := Sync(t.Context(), f, Dir(root), Options{Prune: true, Links: links})
		if !errors.Is(err, ErrPartial) || !errors.Is(err, ErrName) || stats.Failed < 280 {
			t.Errorf("%+v, %v", stats, err)
		}
	}
	for path := range readDir(t, parent) {
		if !strings.HasPrefix(path, "1/2/3/target/") {
			t.Errorf("%q was written", path)
		}
	}
	if b, err := os.ReadFile(filepath.Join(root, "good")); err != nil || string(b) != "good" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestHostileDrive mirrors a drive whose writer put the names into it as they are, and files beneath links: to a folder, with links and
// without, and to another drive.
func TestHostileDrive(t *testing.T) {
	d, parent := newDrive(t), t.TempDir()
	root := filepath.Join(parent, "1", "2", "3", "target")
	must(t, os.MkdirAll(root, 0o777))
	must(t, d.WriteFile(t.Context(), "/good", []byte("good"), drive.Meta{}))
	must(t, d.Symlink(t.Context(), "/up", "../../..", drive.Meta{}))
	must(t, d.Symlink(t.Context(), "/in", "folder", drive.Meta{}))
	e, err := d.Bee().Get(t.Context(), []byte("files\x00/good"))
	must(t, err)
	names := append(hostileNames(), "up/evil", "in/evil", "up/2/evil")
	must(t, d.Bee().Update(t.Context(), func(tx *bee.Batch) error {
		for _, n := range names {
			for _, key := range []string{"files\x00/" + n, "files\x00" + n} {
				if err := tx.Put([]byte(key), e.Value); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	for _, links := range []bool{false, true} {
		stats, err := Sync(t.Context(), Drive(d), Dir(root), Options{Prune: true, Links: links})
		if !errors.Is(err, ErrName) || stats.Failed < 250 {
			t.Errorf("links %v: %+v, %v", links, stats, err)
		}
		for path, f := range readDir(t, parent) {
			rest, ok := strings.CutPrefix(path, "1/2/3/target/")
			if !ok || f.link != "" && (rest != "in" || f.link != "folder") {
				t.Errorf("links %v: %q was written, a link to %q", links, path, f.link)
			}
		}
		if b, err := os.ReadFile(filepath.Join(root, "good")); err != nil || string(b) != "good" {
			t.Errorf("links %v: %q, %v", links, b, err)
		}
	}
	copied := newDrive(t)
	if stats, err := Sync(t.Context(), Drive(d), Drive(copied), Options{}); !errors.Is(err, ErrName) || stats.Failed < 250 {
		t.Errorf("to a drive: %+v, %v", stats, err)
	}
	for path := range readDrive(t, copied) {
		if err := checkPath(path); err != nil {
			t.Errorf("%q is in the copy: %v", path, err)
		}
	}
}

func TestWindowsNames(t *testing.T) {
	f := &folder{windows: true}
	bad := []string{
		"CON", "con", "a/PRN", "aux.txt", "NUL.tar.gz", "COM1", "com9.x", "LPT0", "COM¹", "lpt².x", "CONIN$", "a.", "a ", "b./c", "c:",
		"C:/x", "a:b", "a?", "a*", "a<b", "a>b", "a|b", `a"b`, "a\x01b", "NUL ", "con .txt",
	}
	for _, n := range bad {
		if err := f.check(entry{path: n}); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", n, err)
		}
	}
	for _, n := range []string{"CONSOLE", "com", "COM10", "a.b", ".a", "nul-", "lpt", "ünï"} {
		if err := f.check(entry{path: n}); err != nil {
			t.Errorf("%q: %v", n, err)
		}
	}
}

func TestHostileLinks(t *testing.T) {
	parent := t.TempDir()
	root, outside := filepath.Join(parent, "target"), filepath.Join(parent, "outside")
	for _, dir := range []string{root, outside} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	good := map[string]string{"l1": "a", "a/l2": "../b", "a/b/l3": "../..", "l4": ".", "l5": "a/b/c", "l6": "nowhere", "a/l7": "./x"}
	bad := map[string]string{
		"k1": "..", "k2": "../outside", "k3": "/etc/passwd", "k4": outside, "a/k5": "../../outside", "a/b/k6": "../../../outside",
		"k7": "a/b/l3/../outside", "k8": "a/..", "k9": `..\outside`, "k10": `C:\x`, "k11": "a\x00", "k12": strings.Repeat("x", 5000),
	}
	f := &fake{}
	for _, m := range []map[string]string{good, bad} {
		for path, link := range m {
			f.entries = append(f.entries, entry{path: path, link: link})
		}
	}
	f.add("a/b/file", "1")
	// Files beneath links: the link comes first, the file must not go where it leads.
	f.add("k2/evil", "evil")
	f.add("l1/evil", "evil")
	f.add("l4/evil", "evil")

	stats, err := Sync(t.Context(), f, Dir(root), Options{Prune: true})
	if stats.Skipped != int64(len(good)+len(bad)) || stats.Failed != 0 || err != nil {
		t.Fatalf("without links: %+v, %v", stats, err)
	}
	check(t, readDir(t, root), model{"a/b/file": text("1"), "k2/evil": text("evil"), "l1/evil": text("evil"), "l4/evil": text("evil")})

	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	stats, err = Sync(t.Context(), f, Dir(root), Options{Links: true})
	if !errors.Is(err, ErrLink) || !errors.Is(err, ErrInTheWay) {
		t.Errorf("with links: %+v, %v", stats, err)
	}
	got := readDir(t, root)
	for path := range bad {
		if f, ok := got[path]; ok {
			t.Errorf("%s was written: %+v", path, f)
		}
	}
	for path, f := range got {
		if f.link != "" && good[path] != f.link {
			t.Errorf("%s links to %s", path, f.link)
		}
	}
	check(t, readDir(t, outside), model{})
}

// Links that others put into the target are never written through.
func TestLinksInTheTarget(t *testing.T) {
	parent := t.TempDir()
	root, outside := filepath.Join(parent, "target"), filepath.Join(parent, "outside")
	model{"victim": text("victim"), "dir/victim": text("victim")}.put(t, outside)
	model{"victim": {link: "../outside/victim"}, "dir": {link: "../outside/dir"}, "inner": {link: "real"}, "real/x": text("mine")}.put(t, root)
	f := &fake{}
	f.add("victim", "evil")
	f.add("dir/victim", "evil")
	f.add("inner/x", "evil")
	f.add("good", "good")
	stats, err := Sync(t.Context(), f, Dir(root), Options{})
	if stats.Failed != 3 || stats.Added != 1 || !errors.Is(err, ErrInTheWay) {
		t.Errorf("%+v, %v", stats, err)
	}
	check(t, readDir(t, outside), model{"victim": text("victim"), "dir/victim": text("victim")})
	if got := readDir(t, root); string(got["real/x"].data) != "mine" || string(got["good"].data) != "good" {
		t.Errorf("%+v", got)
	}
}

// A folder on the way is swapped for a link to the outside again and again: nothing may arrive there.
func TestSwappedFolder(t *testing.T) {
	parent := t.TempDir()
	root, outside := filepath.Join(parent, "target"), filepath.Join(parent, "outside")
	for _, dir := range []string{outside, filepath.Join(root, "d", "e")} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		d, aside := filepath.Join(root, "d"), filepath.Join(parent, "aside")
		for {
			select {
			case <-stop:
				return
			default:
			}
			os.Rename(d, aside)
			os.Symlink(outside, d)
			os.Remove(d)
			os.Rename(aside, d)
		}
	}()
	f := &fake{}
	for i := range 2000 {
		f.add(fmt.Sprintf("d/e/f%d", i), "evil")
	}
	// Errors are to be expected, and runs that are ended by them too.
	_, _ = Sync(t.Context(), f, Dir(root), Options{})
	close(stop)
	<-stopped
	check(t, readDir(t, outside), model{})
}

func TestSizesThatLie(t *testing.T) {
	dir := t.TempDir()
	f := &fake{}
	f.add("good", "good")
	f.add("shorter", "12")
	f.add("longer", "1234567890")
	f.add("huge", "1")
	f.add("unknown", "123")
	for i := range f.entries {
		switch e := &f.entries[i]; e.path {
		case "shorter":
			e.size = 100
		case "longer":
			e.size = 3
		case "huge":
			e.size = 1 << 53
		case "unknown":
			e.size = -1
		}
	}
	start := time.Now()
	stats, err := Sync(t.Context(), f, Dir(dir), Options{})
	if !errors.Is(err, ErrSize) || stats.Failed != 3 || stats.Added != 2 || time.Since(start) > 10*time.Second {
		t.Errorf("%+v, %v", stats, err)
	}
	m := readDir(t, dir)
	maps := model{"good": text("good"), "unknown": text("123")}
	for path := range m {
		if isPartial(filepath.Base(path)) {
			delete(m, path)
		}
	}
	check(t, m, maps)
}

func TestQuota(t *testing.T) {
	f := &fake{}
	for i := range 10 {
		f.add(fmt.Sprint("f", i), strings.Repeat("x", 100))
	}
	for name, c := range map[string]struct {
		o    Options
		most int
	}{
		"files":     {Options{MaxFiles: 3}, 3},
		"bytes":     {Options{MaxBytes: 450}, 4},
		"dry bytes": {Options{MaxBytes: 450, DryRun: true}, 0},
	} {
		dir := t.TempDir()
		stats, err := Sync(t.Context(), f, Dir(dir), c.o)
		if !errors.Is(err, ErrQuota) || len(readDir(t, dir)) > c.most {
			t.Errorf("%s: %d files, %+v, %v", name, len(readDir(t, dir)), stats, err)
		}
	}
	if _, err := Sync(t.Context(), f, Dir(t.TempDir()), Options{MaxFiles: 10, MaxBytes: 1000}); err != nil {
		t.Error(err)
	}
	unknown := &fake{}
	unknown.add("u", strings.Repeat("x", 4<<20))
	unknown.entries[0].size = -1
	if stats, err := Sync(t.Context(), unknown, Dir(t.TempDir()), Options{MaxBytes: 1 << 20}); !errors.Is(err, ErrQuota) {
		t.Errorf("unknown size: %+v, %v", stats, err)
	}
}

// Something else comes to stand where a file belongs after the target was listed, as another spelling of its name does on systems
// that ignore case: it must not be overwritten.
func TestClash(t *testing.T) {
	dir := t.TempDir()
	f := &fake{}
	f.add("f", "theirs")
	f.open_ = func(e entry) (content, entry, error) {
		model{"f": text("mine")}.put(t, dir)
		return stringContent{strings.NewReader("theirs")}, e, nil
	}
	if _, err := Sync(t.Context(), f, Dir(dir), Options{}); !errors.Is(err, ErrClash) {
		t.Error(err)
	}
	check(t, readDir(t, dir), model{"f": text("mine")})
}

func TestFilesAndFoldersInTheWay(t *testing.T) {
	dir := t.TempDir()
	have := model{"a": text("file"), "b/c": text("file"), "d/e/f": text("file")}
	f := &fake{}
	f.add("a/x", "1")
	f.add("b", "2")
	f.add("d/e", "3")
	f.add("empty", "4")
	have.put(t, dir)
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	stats, err := Sync(t.Context(), f, Dir(dir), Options{})
	if !errors.Is(err, ErrInTheWay) || stats.Failed != 4 {
		t.Errorf("%+v, %v", stats, err)
	}
	check(t, readDir(t, dir), have)
	if stats, err = Sync(t.Context(), f, Dir(dir), Options{Prune: true}); err != nil || stats.Added != 4 || stats.Removed != 3 {
		t.Errorf("%+v, %v", stats, err)
	}
	check(t, readDir(t, dir), model{"a/x": text("1"), "b": text("2"), "d/e": text("3"), "empty": text("4")})
}

// What could not be read is not removed elsewhere.
func TestUnreadableIsNotPruned(t *testing.T) {
	dir := t.TempDir()
	have := model{"a": text("0"), "bad/x": text("1"), "bad/y/z": text("2"), "bad-": text("3"), "gone": text("4"), "sock": text("5")}
	have.put(t, dir)
	f := &fake{}
	f.add("a", "0")
	f.entries = append(f.entries, entry{path: "bad", note: fs.ErrPermission}, entry{path: "sock", note: ErrSpecial, benign: true})
	stats, err := Sync(t.Context(), f, Dir(dir), Options{Prune: true})
	if !errors.Is(err, fs.ErrPermission) || stats.Removed != 2 || stats.Failed != 1 || stats.Skipped != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	delete(have, "gone")
	delete(have, "bad-")
	check(t, readDir(t, dir), have)
}

// A listing that fails must not be taken for the end of the tree.
func TestBrokenListing(t *testing.T) {
	dir := t.TempDir()
	have := model{"a": text("0"), "z": text("1")}
	have.put(t, dir)
	broken := errors.New("broken")
	f := &brokenSource{fake{}, broken}
	if _, err := Sync(t.Context(), f, Dir(dir), Options{Prune: true}); !errors.Is(err, broken) {
		t.Error(err)
	}
	check(t, readDir(t, dir), have)
}

type brokenSource struct {
	fake
	err error
}

func (f *brokenSource) source(context.Context, Options) (source, error) { return f, nil }
func (f *brokenSource) list(context.Context, string, func(string) bool) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if yield(entry{path: "a", size: 1}, nil) {
			yield(entry{}, f.err)
		}
	}
}
