package pebble

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

// holdEnv makes the test binary a process that holds a store open until its standard input ends.
const holdEnv = "HYPERNODE_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		os.Exit(hold(dir))
	}
	os.Exit(m.Run())
}

func hold(dir string) int {
	e, err := OpenEngine(dir, Options{})
	if err != nil {
		return 1
	}
	_, _ = os.Stdout.WriteString("open\n")
	_, _ = os.Stdin.Read(make([]byte, 1))
	_ = e.Close()
	return 0
}

func TestLockSameProcess(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, dir, Options{})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, dir + "/.", link} {
		start := time.Now()
		_, err := OpenEngine(name, Options{})
		if !errors.Is(err, datastore.ErrLocked) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
			t.Fatalf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("it took %v", d)
		}
		if _, err := OpenEngine(name, Options{Options: datastore.Options{ReadOnly: true}}); !errors.Is(err, datastore.ErrLocked) {
			t.Fatalf("%s, read-only: %v", name, err)
		}
	}
	mustClose(t, e)
	mustClose(t, mustOpen(t, dir, Options{}))
}

func TestLockOtherProcess(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if b := make([]byte, 5); !readsOpen(out.Read(b)) {
		t.Fatal("the other process did not open the store")
	}
	_, err = OpenEngine(dir, Options{})
	want := "process " + strconv.Itoa(cmd.Process.Pid) + " (" + filepath.Base(self) + ")"
	if !errors.Is(err, datastore.ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want one with %q", err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	mustClose(t, mustOpen(t, dir, Options{}))
}

func readsOpen(n int, err error) bool { return n == 5 && err == nil }

func TestReadersShare(t *testing.T) {
	dir := t.TempDir()
	ro := Options{Options: datastore.Options{ReadOnly: true}}
	e := mustOpen(t, dir, Options{})
	mustCommit(t, e, true, set("/r/a", "1"))
	mustClose(t, e)
	a, b := mustOpen(t, dir, ro), mustOpen(t, dir, ro)
	if _, err := OpenEngine(dir, Options{}); !errors.Is(err, datastore.ErrLocked) {
		t.Fatal(err)
	}
	mustClose(t, a)
	mustClose(t, b)
	mustClose(t, mustOpen(t, dir, Options{}))
}

// TestReadOnly opens a store that was not closed, and counts what is written meanwhile.
func TestReadOnly(t *testing.T) {
	mem := vfs.NewCrashableMem()
	e := mustOpen(t, "/store", Options{FS: mem})
	block := bytes.Repeat([]byte("x"), 5000)
	mustCommit(t, e, true, set("/r/a", "1"), setBlock("/b/1", block))
	clone := mem.CrashClone(vfs.CrashCloneCfg{})
	mustClose(t, e)
	writes := 0
	ro := Options{FS: crashfs.Wrap(clone, func(crashfs.Op) error { writes++; return nil }),
		Options: datastore.Options{ReadOnly: true}}
	e = mustOpen(t, "/store", ro)
	r := mustView(t, e)
	if v, err := r.Get([]byte("/r/a")); err != nil || string(v) != "1" {
		t.Fatalf("%q, %v", v, err)
	}
	wantBlock(t, r, "/b/1", block)
	if err := e.Commit(&datastore.Batch{Ops: []datastore.Op{set("/r/b", "2")}}, false); !errors.Is(err, datastore.ErrReadOnly) {
		t.Fatal(err)
	}
	if err := e.Secrets().Store("x", nil); !errors.Is(err, datastore.ErrReadOnly) {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, e)
	if writes != 0 {
		t.Fatalf("%d writes", writes)
	}
}

func TestOpenRefuses(t *testing.T) {
	ro := Options{Options: datastore.Options{ReadOnly: true}}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "x")
	foreign := filepath.Join(dir, "foreign")
	mkdir(t, foreign)
	write(t, filepath.Join(foreign, "thesis.txt"), "x")
	newer := filepath.Join(dir, "newer")
	mustClose(t, mustOpen(t, newer, Options{}))
	write(t, filepath.Join(newer, formatFile), "hypernode store 2\n")
	for _, c := range []struct {
		name string
		dir  string
		o    Options
		want error
	}{
		{"no name", "", Options{}, nil},
		{"a file", file, Options{}, syscall.ENOTDIR},
		{"below a file", filepath.Join(file, "store"), Options{}, syscall.ENOTDIR},
		{"foreign files", foreign, Options{}, nil},
		{"no store to read", filepath.Join(dir, "none"), ro, fs.ErrNotExist},
		{"empty folder to read", mkdir(t, filepath.Join(dir, "empty")), ro, fs.ErrNotExist},
		{"newer format", newer, Options{}, datastore.ErrFormat},
		{"newer format to read", newer, ro, datastore.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenEngine(c.dir, c.o)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("%v; want %v", err, c.want)
			}
			if !strings.Contains(err.Error(), c.dir) {
				t.Errorf("the message does not name the folder: %v", err)
			}
		})
	}
	if list, err := os.ReadDir(foreign); err != nil || len(list) != 1 {
		t.Fatalf("the foreign folder was changed: %v, %v", list, err)
	}
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t testing.TB, name string) string {
	t.Helper()
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestDamagedJournal flips a bit in a frame that a later one says was synced: that is no tear.
func TestDamagedJournal(t *testing.T) {
	mem := vfs.NewCrashableMem()
	e := mustOpen(t, "/store", Options{FS: mem})
	for _, v := range []string{"1", "2", "3", "4"} {
		mustCommit(t, e, true, set("/r/"+v, strings.Repeat(v, 100)))
	}
	clone := mem.CrashClone(vfs.CrashCloneCfg{})
	mustClose(t, e)
	name := "/store/journal/000001"
	data, err := clone.UnsafeGetFileDataBuffer(name)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("2222"))
	data[at] ^= 1
	before := strings.Join(allFiles(t, clone, "/store"), " ")
	e = mustOpen(t, "/store", Options{FS: clone})
	if err := e.Err(); !errors.Is(err, datastore.ErrCorrupt) {
		t.Fatalf("Err: %v", err)
	}
	if err := e.Commit(&datastore.Batch{Ops: []datastore.Op{set("/r/5", "5")}}, true); !errors.Is(err, datastore.ErrCorrupt) {
		t.Fatalf("commit: %v", err)
	}
	r := mustView(t, e)
	if v, err := r.Get([]byte("/r/1")); err != nil || len(v) != 100 {
		t.Fatalf("what comes before the damage: %q, %v", v, err)
	}
	if _, err := r.Get([]byte("/r/2")); !errors.Is(err, datastore.ErrNotFound) {
		t.Fatalf("what comes after it: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, e)
	data[at] ^= 1 // nothing was removed: with the bit as it was, all is there
	for _, f := range strings.Fields(before) {
		if _, err := clone.Stat(f); err != nil && strings.Contains(f, "journal") {
			t.Errorf("%s is gone", f)
		}
	}
	e = mustOpen(t, "/store", Options{FS: clone})
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	if v, err := mustView(t, e).Get([]byte("/r/4")); err != nil || len(v) != 100 {
		t.Fatalf("%q, %v", v, err)
	}
}

func TestCloseTwice(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{})
	mustClose(t, e)
	mustClose(t, e)
	if err := e.Commit(&datastore.Batch{}, false); !errors.Is(err, datastore.ErrClosed) {
		t.Fatal(err)
	}
	if _, err := e.Reader(); !errors.Is(err, datastore.ErrClosed) {
		t.Fatal(err)
	}
}
