package badger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/datastore/datastoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func small(o datastore.Options) Options { return Options{Options: o, Memory: 4 << 20, Cache: 1 << 20} }

func open(t *testing.T, dir string, o datastore.Options) *datastore.DB {
	t.Helper()
	db, err := Open(dir, small(o))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// damage changes the first byte of a value, beneath the checksum.
func damage(t *testing.T, dir string, k datastore.Key, block bool) {
	t.Helper()
	if block {
		k = append(datastore.Key("/_"), k[1:]...)
	}
	e := openRaw(t, dir)
	r, err := e.Reader()
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Get(k)
	if err != nil {
		t.Fatal(err)
	}
	v[0] ^= 0x10
	if err := errors.Join(r.Close(), e.set(k, v), e.Close()); err != nil {
		t.Fatal(err)
	}
}

func openRaw(t *testing.T, dir string) *engine {
	t.Helper()
	e, err := openEngine(dir, small(datastore.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSuite(t *testing.T) {
	datastoretest.Run(t, open, datastoretest.Caps{Reopen: true, ReadOnly: true, Secrets: true, Damage: damage, Steps: 120})
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, datastore.Options{})
	for _, readOnly := range []bool{false, true} {
		_, err := Open(dir, small(datastore.Options{ReadOnly: readOnly}))
		if !errors.Is(err, datastore.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
			t.Errorf("second open, read-only %v: %v", readOnly, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, datastore.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFolders(t *testing.T) {
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(foreign, small(datastore.Options{})); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder with other files: %v", err)
	}
	if entries, _ := os.ReadDir(foreign); len(entries) != 1 {
		t.Errorf("the folder holds %v now", entries)
	}
	if _, err := Open(filepath.Join(foreign, "letter.txt"), small(datastore.Options{})); err == nil {
		t.Error("a file is opened as a store")
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(foreign, "none")} {
		if _, err := Open(dir, small(datastore.Options{ReadOnly: true})); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read-only open of none: %v", err)
		}
	}
	odd := filepath.Join(t.TempDir(), "a*[b]?", "deep")
	db := open(t, odd, datastore.Options{Durability: datastore.Process})
	err := db.Update(context.Background(), func(tx *datastore.Tx) error { tx.Set(datastore.Group('a').Item().Uint(1), nil); return nil })
	if err := errors.Join(err, db.Sync(context.Background()), db.Close()); err != nil {
		t.Errorf("a folder with an odd name: %v", err)
	}
}

func TestSecretsArePrivate(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, datastore.Options{})
	defer db.Close()
	if err := db.Secrets().Store("seed", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, secretsFolder, "seed"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// large is a batch that no transaction of a small store can hold: sets of a range, then a removal within it.
func large() *datastore.Batch {
	b := &datastore.Batch{}
	g := datastore.Group('p').Item()
	for i := range uint64(30_000) {
		b.Ops = append(b.Ops, datastore.Op{Kind: datastore.OpSet, Key: g.Uint(i), Value: bytes.Repeat([]byte{byte(i)}, 50)})
	}
	b.Ops = append(b.Ops,
		datastore.Op{Kind: datastore.OpDeleteRange, Key: g.Uint(100), End: g.Uint(29_000)},
		datastore.Op{Kind: datastore.OpDelete, Key: g.Uint(50)},
		datastore.Op{Kind: datastore.OpSet, Key: g.Uint(500), Value: []byte("kept")})
	return b
}

// count returns how many records a large batch has left, and whether one that it removes is there.
func count(t *testing.T, e *engine) (n int, old bool) {
	t.Helper()
	r, err := e.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	g := datastore.Group('p').Item()
	for _, err := range r.Scan(g, g.End(), false) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	_, err = r.Get(g.Uint(200))
	return n, err == nil
}

// TestCommitInParts stops a large commit after each of its steps.
func TestCommitInParts(t *testing.T) {
	const whole = 100 - 1 + 1_000 + 1
	for name, c := range map[string]struct {
		run  func(e *engine) error
		want int // records of the batch after a reopen
	}{
		"done":         {func(e *engine) error { return e.Commit(large(), true) }, whole},
		"written down": {func(e *engine) error { return e.writeParts(large().Ops) }, 0},
		"ready": {func(e *engine) error {
			return errors.Join(e.writeParts(large().Ops), e.set(partsReady, nil))
		}, whole},
		"applied in part": {func(e *engine) error {
			ops := large().Ops
			err := errors.Join(e.writeParts(ops), e.set(partsReady, nil))
			w := writer{db: e.db}
			for i := range 20_000 {
				err = errors.Join(err, w.apply(&ops[i]))
			}
			return errors.Join(err, w.flush())
		}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e := openRaw(t, dir)
			old := datastore.Group('p').Item().Uint(200)
			if err := e.set(old, []byte("old")); err != nil {
				t.Fatal(err)
			}
			if err := c.run(e); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
				e = openRaw(t, dir)
				n, isOld := count(t, e)
				if c.want == 0 && (n != 1 || !isOld) || c.want != 0 && (n != c.want || isOld) {
					t.Errorf("%d records, want %d; the old one is there: %v", n, c.want, isOld)
				}
				if left, err := e.has(partsReady); left || err != nil {
					t.Errorf("parts are left: %v, %v", left, err)
				}
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	e := openRaw(t, t.TempDir())
	op := datastore.Op{Kind: datastore.OpSet, Key: datastore.Group('p').Item().Uint(1), Value: make([]byte, maxValue+1)}
	if err := e.Commit(&datastore.Batch{Ops: []datastore.Op{op}}, true); !errors.Is(err, datastore.ErrTooLarge) {
		t.Errorf("a value of %d bytes: %v", len(op.Value), err)
	}
	if n, _ := count(t, e); n != 0 {
		t.Errorf("%d records", n)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzOps(f *testing.F) {
	f.Add(appendOp(appendOp(nil, &datastore.Op{Kind: datastore.OpSet, Key: []byte("/a/b"), Value: []byte("v")}),
		&datastore.Op{Kind: datastore.OpDeleteRange, Key: []byte("/a/b"), End: []byte("/a/c")}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			op, rest, err := cutOp(b)
			if err != nil {
				return
			}
			again, left, err := cutOp(appendOp(nil, &op))
			if err != nil || len(left) != 0 || again.Kind != op.Kind || !bytes.Equal(again.Key, op.Key) || !bytes.Equal(again.Value, op.Value) || !bytes.Equal(again.End, op.End) {
				t.Fatalf("%v became %v, %v", op, again, err)
			}
			b = rest
		}
	})
}
