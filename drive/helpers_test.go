package drive_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/crypto/blake2b"

	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/internal/vectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory returns a store that lives in memory.
func memory(t testing.TB) *datastore.DB {
	t.Helper()
	db := datastore.NewMemory(datastore.Options{})
	t.Cleanup(func() { db.Close() })
	return db
}

func openStore(t testing.TB, db *datastore.DB, o corestore.Options) *corestore.Store {
	t.Helper()
	s, err := corestore.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newStore(t testing.TB) *corestore.Store {
	t.Helper()
	return openStore(t, memory(t), corestore.Options{PrimaryKey: keys.PrimaryKey{1}})
}

// newDrive returns a drive of a name in a store.
func newDrive(t testing.TB, s *corestore.Store, name string) *drive.Drive {
	t.Helper()
	return create(t, s, drive.Name(name))
}

func create(t testing.TB, s *corestore.Store, ref drive.Ref) *drive.Drive {
	t.Helper()
	d, err := drive.Create(context.Background(), s, ref)
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

func mustWrite(t testing.TB, d *drive.Drive, path, data string) {
	t.Helper()
	if err := d.WriteFile(context.Background(), path, []byte(data), drive.Meta{}); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t testing.TB, d *drive.Drive, path, want string) {
	t.Helper()
	got, err := d.ReadFile(context.Background(), path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %.60q, %v, want %.60q", path, got, err, want)
	}
}

// listed returns the paths below a folder.
func listed(t testing.TB, d *drive.Drive, folder string, o drive.ListOptions) (paths []string) {
	t.Helper()
	for e, err := range d.List(context.Background(), folder, o) {
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, e.Path)
	}
	return paths
}

// names returns the names in a folder.
func names(t testing.TB, d *drive.Drive, folder string) (list []string) {
	t.Helper()
	entries, err := d.ReadDir(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name)
	}
	return list
}

// generator is the data of the golden files: one of its fields is set.
type generator struct {
	Hex     *vectors.Hex
	Text    *string
	Pattern []uint64
	LCG     []uint64
	Zeros   *int
}

func (g generator) bytes(t testing.TB) []byte {
	t.Helper()
	switch {
	case g.Hex != nil:
		return *g.Hex
	case g.Text != nil:
		return []byte(*g.Text)
	case len(g.Pattern) == 2:
		b := make([]byte, g.Pattern[1])
		for i := range b {
			b[i] = byte(int(g.Pattern[0])*31 + i*7 + i/256*13)
		}
		return b
	case len(g.LCG) == 2:
		b, x := make([]byte, g.LCG[1]), uint32(g.LCG[0])
		for i := range b {
			x = x*1664525 + 1013904223
			b[i] = byte(x >> 24)
		}
		return b
	case g.Zeros != nil:
		return make([]byte, *g.Zeros)
	}
	t.Fatal("golden data: a data generator of no kind")
	return nil
}

func hashOf(b []byte) string {
	h := blake2b.Sum256(b)
	return fmt.Sprintf("%x", h)
}

// readRange reads n bytes of a file from an offset on, all that follow for a negative n.
func readRange(f *drive.File, offset, n int64) ([]byte, error) {
	if n < 0 || n > f.Size()-offset {
		n = max(0, f.Size()-offset)
	}
	b := make([]byte, n)
	if n == 0 {
		return b, nil
	}
	_, err := io.ReadFull(io.NewSectionReader(f, offset, n), b)
	return b, err
}
