package pebble

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/hypernode/hypernode/datastore"
	"github.com/hypernode/hypernode/internal/durable/crashfs"
)

// TestListFails lets the list of tables fail at the end of a compaction, at each write, sync and file that this needs for it.
// Pebble has renumbered the tables by then, and does not go back: its checks, which are on with -race, end the process over it.
func TestListFails(t *testing.T) {
	for _, errno := range []error{syscall.EIO, syscall.ENOSPC} {
		for _, large := range []uint64{1, 1 << 20} { // MaxManifestFileSize: with 1 a new list is begun each time
			failed := true
			for at := int64(1); failed; at++ {
				if at > 200 {
					t.Fatal("the list fails at each of 200 operations")
				}
				failed = listFails(t, errno, large, at)
				if at == 1 && !failed {
					t.Fatal("the list did not fail")
				}
			}
		}
	}
}

// holdCompaction holds the first compaction before it makes its table.
type holdCompaction struct {
	vfs.FS
	once          sync.Once
	held, release chan struct{}
}

func (h *holdCompaction) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if c == "pebble-compaction" {
		h.once.Do(func() { close(h.held) })
		<-h.release
	}
	return h.FS.Create(name, c)
}

// listFails lets the at-th operation on the list fail and reports whether there were as many.
func listFails(t *testing.T, errno error, large uint64, at int64) (failed bool) {
	var broken atomic.Bool
	var ops atomic.Int64
	mem := vfs.NewCrashableMem()
	hook := func(op crashfs.Op) error {
		name := mem.PathBase(op.Path)
		if !broken.Load() || !isList(name) && !isListMarker(name) && op.Kind != crashfs.SyncDir || op.Kind == crashfs.Remove || ops.Add(1) != at {
			return nil
		}
		return errno
	}
	fs := &holdCompaction{FS: crashfs.Wrap(mem, hook), held: make(chan struct{}), release: make(chan struct{})}
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	o := tiny(fs, cache)
	tune := o.tune
	o.tune = func(p *pebble.Options) {
		tune(p)
		p.MaxManifestFileSize = int64(large)
	}
	e := mustOpen(t, "/store", o)
	put := func(k string) {
		mustCommit(t, e, true, set(k, "v"), set(k+"z", "v"))
		if err := e.flush(); err != nil {
			t.Fatal(err)
		}
	}
	put("/m") // goes down as it is
	put("/c") // goes down too, to become one with the first
	<-fs.held
	put("/m") // stays above it
	put("/x")
	broken.Store(true)
	close(fs.release)
	if err := e.Compact([]byte("/"), []byte("0")); ops.Load() < at {
		if err != nil {
			t.Fatal(err)
		}
		broken.Store(false)
		mustClose(t, e)
		return false
	}
	for e.Err() == nil {
		news, _ := e.health.trouble()
		if e.Err() == nil {
			<-news
		}
	}
	if err := e.Err(); !errors.Is(err, errno) || !errors.Is(err, datastore.ErrStoreFailed) {
		t.Fatal(err)
	}
	wantListed(t, e)
	mustClose(t, e)
	for _, kept := range []int{0, 100} {
		e := mustOpen(t, "/store", quiet(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: rand.New(rand.NewPCG(uint64(at), large))}), cache))
		wantListed(t, e)
		mustClose(t, e)
	}
	return true
}

// wantListed makes sure that all records are there.
func wantListed(t *testing.T, e *Engine) {
	t.Helper()
	r, err := e.BlockReader()
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for rec, err := range r.Scan([]byte("/"), []byte("0"), false) {
		if err != nil {
			t.Fatal(err)
		}
		got += string(rec.Key) + "=" + string(rec.Value) + " "
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "/c=v /cz=v /m=v /mz=v /x=v /xz=v "; got != want {
		t.Fatalf("found %q, want %q", got, want)
	}
}
