package mirror

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(tb testing.TB, err error) {
	if err != nil {
		tb.Helper()
		tb.Fatal(err)
	}
}

// file is a file or link of a model.
type file struct {
	data       []byte
	executable bool
	link       string
	time       time.Time // of the last change; zero leaves it to the system
}

// model is a tree as a map, by path.
type model map[string]file

func text(s string) file { return file{data: []byte(s)} }

// newStore returns a store in memory.
func newStore(t testing.TB) *corestore.Store {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	store, err := corestore.Open(t.Context(), db, corestore.Options{PrimaryKey: keys.PrimaryKey{1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, close := range []func() error{store.Close, db.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	return store
}

// newDrive returns a drive in a store in memory.
func newDrive(t testing.TB) *drive.Drive { return openDrive(t, newStore(t), drive.Name("drive")) }

func openDrive(t testing.TB, store *corestore.Store, ref drive.Ref) *drive.Drive {
	t.Helper()
	d, err := drive.OpenRef(context.Background(), store, ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// bad puts a value that is no entry.
func bad(t testing.TB, d *drive.Drive, path string) {
	t.Helper()
	err := d.Bee().Update(t.Context(), func(tx *bee.Batch) error { return tx.Put([]byte("files\x00"+path), []byte("no entry")) })
	if err != nil {
		t.Fatal(err)
	}
}

// old is a time long gone: no file that is written in a test has it by itself.
var old = time.Date(2020, 2, 3, 4, 5, 6, 789e6, time.UTC)

// put writes a model's files into a folder, and leaves alone what else is there.
func (m model) put(t testing.TB, dir string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(m)) {
		f, at := m[path], filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Remove(at)
		if f.link != "" {
			if err := os.Symlink(f.link, at); err != nil {
				t.Fatal(err)
			}
			continue
		}
		perm := fs.FileMode(0o644)
		if f.executable {
			perm = 0o755
		}
		if err := os.WriteFile(at, f.data, perm); err != nil {
			t.Fatal(err)
		}
		when := f.time
		if when.IsZero() {
			when = old
		}
		if err := os.Chtimes(at, when, when); err != nil {
			t.Fatal(err)
		}
	}
}

// readDir returns what is in a folder. What somebody takes away meanwhile is not in it.
func readDir(t testing.TB, dir string) model {
	t.Helper()
	m := model{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			err = m.read(path, filepath.ToSlash(rel))
		}
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// read adds the file at path.
func (m model) read(path, rel string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	f := file{executable: info.Mode()&0o100 != 0, time: info.ModTime()}
	if info.Mode()&fs.ModeSymlink != 0 {
		f = file{}
		f.link, err = os.Readlink(path)
	} else {
		f.data, err = os.ReadFile(path)
	}
	if err == nil {
		m[rel] = f
	}
	return err
}

// readDrive returns what is in a drive at one version.
func readDrive(t testing.TB, d *drive.Drive) model {
	t.Helper()
	d = d.Snapshot()
	m := model{}
	for e, err := range d.List(t.Context(), "/", drive.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		f := file{executable: e.Executable, link: e.Link, time: e.ModTime()}
		if !e.IsLink() {
			if f.data, err = d.ReadFile(t.Context(), e.Path); err != nil {
				t.Fatal(err)
			}
		}
		m[strings.TrimPrefix(e.Path, "/")] = f
	}
	return m
}

// differ says how two models differ in all but times.
func differ(got, want model) error {
	for _, path := range slices.Sorted(maps.Keys(want)) {
		w := want[path]
		g, ok := got[path]
		switch {
		case !ok:
			return fmt.Errorf("%q is missing", path)
		case g.link != w.link:
			return fmt.Errorf("%q links to %q instead of %q", path, g.link, w.link)
		case !bytes.Equal(g.data, w.data):
			return fmt.Errorf("%q has %d other bytes instead of %d", path, len(g.data), len(w.data))
		case g.executable != w.executable:
			return fmt.Errorf("%q: executable is %v", path, g.executable)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			return fmt.Errorf("%q should not be there", path)
		}
	}
	return nil
}

func check(t testing.TB, got, want model) {
	t.Helper()
	if err := differ(got, want); err != nil {
		t.Fatal(err)
	}
}

// sync mirrors and wants no error.
func syncTrees(t testing.TB, from, to Tree, o Options) Stats {
	t.Helper()
	stats, err := Sync(t.Context(), from, to, o)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// random returns bytes that do not repeat.
func random(r *rand.Rand, n int) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], r.Uint64())
	b := make([]byte, n)
	rand.NewChaCha8(seed).Read(b)
	return b
}
