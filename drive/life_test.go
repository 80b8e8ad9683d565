package drive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// watched collects changes while do runs, which can ask whether one of a drive has come.
func watched(t *testing.T, d *drive.Drive, folder string, o drive.WatchOptions, do func(change func(drive.Change) bool)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	var last []drive.Change
	var wg sync.WaitGroup
	wg.Go(func() {
		for c, err := range d.Watch(ctx, folder, o) {
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			last = append(last, c)
			mu.Unlock()
		}
	})
	defer wg.Wait()
	defer cancel()
	do(func(c drive.Change) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(last, func(l drive.Change) bool { return l.At == c.At })
	})
}

// TestWatch watches a folder: what is written elsewhere, or at the path of the folder itself, is no change.
func TestWatch(t *testing.T) {
	d := newDrive(t, newStore(t), "watch")
	mustWrite(t, d, "/a/x", "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes := make(chan drive.Change)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(changes)
		for c, err := range d.Watch(ctx, "/a", drive.WatchOptions{}) {
			if err != nil {
				return
			}
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		}
	})
	for i := 0; ; i++ { // until the watch has begun
		mustWrite(t, d, "/a/x", fmt.Sprint(i))
		c, ok := poll(changes)
		if ok {
			if c.Now.Version() <= c.Before.Version() || c.Folder != "/a" {
				t.Errorf("%+v", c)
			}
			break
		}
	}
	mustWrite(t, d, "/b", "elsewhere")
	mustWrite(t, d, "/a", "the folder's name")
	mustWrite(t, d, "/a/new", "new")
	for c := range changes {
		if _, err := c.Now.Entry(t.Context(), "/a/new"); err == nil {
			break
		}
		for diff, err := range c.Now.Diff(t.Context(), c.Before, "/a", drive.DiffOptions{}) {
			if err != nil || diff.Path() != "/a/x" {
				t.Errorf("a change of %s, %v", diff.Path(), err)
			}
		}
	}
	cancel()
	wg.Wait()
}

// poll receives if there is something soon.
func poll[T any](c <-chan T) (v T, ok bool) {
	for range 100 {
		select {
		case v, ok = <-c:
			return v, ok
		default:
		}
	}
	return v, false
}

// TestWatchMounts watches a mounted drive, also one that is mounted while it is watched.
func TestWatchMounts(t *testing.T) {
	outer, inner := mounted(t)
	late := newDrive(t, outerStore(t, outer), "late")
	watched(t, outer, "/", drive.WatchOptions{Mounts: true}, func(seen func(drive.Change) bool) {
		until := func(at string, write func(i int)) {
			for i := 0; !seen(drive.Change{At: at}); i++ {
				write(i)
			}
		}
		until("/m", func(i int) { mustWrite(t, inner, "/f", fmt.Sprint(i)) })
		if err := outer.Mount(t.Context(), "/late", late.Key()); err != nil {
			t.Fatal(err)
		}
		until("/late", func(i int) { mustWrite(t, late, "/f", fmt.Sprint(i)) })
		until("", func(i int) { mustWrite(t, outer, "/own", fmt.Sprint(i)) })
	})
}

// outerStore is a store of its own, whose drives are in reach of d because they are the only ones: mounts need the same store.
func outerStore(t *testing.T, d *drive.Drive) *corestore.Store {
	t.Helper()
	s, err := drive.StoreOf(d).Session()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestTags(t *testing.T) {
	d := newDrive(t, newStore(t), "tags")
	mustWrite(t, d, "/f", "one")
	if err := d.Tag(t.Context(), "v1", 0); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, d, "/f", "two")
	v, err := d.Tagged(t.Context(), "v1")
	if err != nil || v != 2 {
		t.Fatalf("version %d, %v", v, err)
	}
	mustRead(t, d.At(v), "/f", "one")
	if got := listed(t, d, "/", drive.ListOptions{}); !slices.Equal(got, []string{"/f"}) {
		t.Errorf("tags are listed as files: %q", got)
	}
	if err := d.Untag(t.Context(), "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Tagged(t.Context(), "v1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tag that was removed: %v", err)
	}
	if err := d.Tag(t.Context(), "late", 1000); !errors.Is(err, drive.ErrVersion) {
		t.Errorf("a version that is not there: %v", err)
	}
	if err := d.Tag(t.Context(), "", 1); !errors.Is(err, drive.ErrTag) {
		t.Errorf("a tag without a name: %v", err)
	}
}

func TestPurge(t *testing.T) {
	s := newStore(t)
	d := newDrive(t, s, "purged")
	mustWrite(t, d, "/f", "gone")
	b, err := d.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cores := []keys.DiscoveryKey{d.DiscoveryKey(), b.Core().DiscoveryKey()}
	if err := d.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range cores {
		if _, err := s.Lookup(t.Context(), k); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a core is still there: %v", err)
		}
	}
	if _, err := d.ReadFile(t.Context(), "/f"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading on: %v", err)
	}
	again := newDrive(t, s, "purged")
	if again.Key() != d.Key() || again.Version() != 1 {
		t.Errorf("made anew it has version %d", again.Version())
	}
}

func TestClosed(t *testing.T) {
	d := newDrive(t, newStore(t), "closed")
	mustWrite(t, d, "/f", "f")
	old := d.Snapshot()
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, err := range map[string]error{
		"write":  d.WriteFile(t.Context(), "/f", nil, drive.Meta{}),
		"remove": d.Remove(t.Context(), "/f"),
		"tag":    d.Tag(t.Context(), "x", 0),
		"mount":  d.Mount(t.Context(), "/m", keys.Key{1}),
		"update": d.Update(t.Context(), func(*drive.Batch) error { return nil }),
		"watch":  first(d.Watch(t.Context(), "/", drive.WatchOptions{})),
		"list":   first(d.List(t.Context(), "/", drive.ListOptions{})),
		"old":    first(old.List(t.Context(), "/", drive.ListOptions{})),
	} {
		if !errors.Is(err, drive.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// first returns the first error of a sequence.
func first[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		return err
	}
	return nil
}

func TestReadOnly(t *testing.T) {
	s := newStore(t)
	d := newDrive(t, s, "read-only")
	mustWrite(t, d, "/f", "f")
	ref := drive.Key(d.Key())
	ref.ReadOnly = true
	if _, err := drive.Create(t.Context(), s, ref); !errors.Is(err, core.ErrNotWritable) {
		t.Errorf("making a read-only drive: %v", err)
	}
	ro, err := drive.OpenRef(t.Context(), s, ref)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	mustRead(t, ro, "/f", "f")
	for _, d := range []*drive.Drive{ro, d.Snapshot(), d.At(1)} {
		if err := d.WriteFile(t.Context(), "/f", nil, drive.Meta{}); !errors.Is(err, drive.ErrReadOnly) {
			t.Errorf("writing: %v", err)
		}
		if _, err := d.Create(t.Context(), "/f", drive.Meta{}); !errors.Is(err, drive.ErrReadOnly) {
			t.Errorf("writing: %v", err)
		}
		if err := d.Truncate(t.Context(), 1); !errors.Is(err, drive.ErrReadOnly) {
			t.Errorf("cutting: %v", err)
		}
	}
}

// TestTwoDrives writes through two values on one drive, by all ways at a time.
func TestTwoDrives(t *testing.T) {
	s := newStore(t)
	list := []*drive.Drive{newDrive(t, s, "two"), newDrive(t, s, "two")}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			d := list[i%2]
			for k := range 10 {
				path, data := fmt.Sprintf("/%d/%d", i, k), pattern(uint64(i*10+k), 70_000)
				switch i / 2 {
				case 0:
					mustWrite(t, d, path, string(data))
				case 1:
					w, err := d.Create(t.Context(), path, drive.Meta{})
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := w.Write(data); err != nil {
						t.Error(err)
					}
					if err := w.Close(); err != nil {
						t.Error(err)
					}
				default:
					err := d.Update(t.Context(), func(tx *drive.Batch) error { return tx.WriteFile(path, data, drive.Meta{}) })
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range 6 {
		for k := range 10 {
			mustRead(t, list[(i+1)%2], fmt.Sprintf("/%d/%d", i, k), string(pattern(uint64(i*10+k), 70_000)))
		}
	}
}

// TestUpdateFails has a callback that fails, and one that panics: nothing is changed, and no lock is left.
func TestUpdateFails(t *testing.T) {
	d := newDrive(t, newStore(t), "fails")
	mustWrite(t, d, "/f", "before")
	version, broken := d.Version(), errors.New("broken")
	err := d.Update(t.Context(), func(tx *drive.Batch) error {
		if err := tx.WriteFile("/f", []byte("after"), drive.Meta{}); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("the callback's error: %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic was swallowed")
			}
		}()
		_ = d.Update(t.Context(), func(tx *drive.Batch) error { panic("broken") })
	}()
	var kept *drive.Batch
	if err := d.Update(t.Context(), func(tx *drive.Batch) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := kept.WriteFile("/x", nil, drive.Meta{}); !errors.Is(err, drive.ErrClosed) {
		t.Errorf("a batch that ended: %v", err)
	}
	if d.Version() != version {
		t.Error("something was changed")
	}
	mustWrite(t, d, "/f", "after")
	mustRead(t, d, "/f", "after")
}

func TestInfo(t *testing.T) {
	d := newDrive(t, newStore(t), "info")
	mustWrite(t, d, "/f", "0123456789")
	info, err := d.Info(t.Context())
	if err != nil || info.Version != 2 || !info.Writable || info.Contents == nil || info.Contents.Head.ByteLength != 10 || info.Entries.Key != d.Key() {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestFileStays reads a file that is overwritten and removed while it is open.
func TestFileStays(t *testing.T) {
	d := newDrive(t, newStore(t), "stays")
	mustWrite(t, d, "/f", "before")
	f, err := d.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mustWrite(t, d, "/f", "after")
	if err := d.Remove(t.Context(), "/f"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); string(b) != "before" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if e := f.Entry(); e.Path != "/f" || e.Seq != 1 {
		t.Errorf("%+v", e)
	}
}

// TestClosedReader reads a file after it was closed, and one whose context ended.
func TestClosedReader(t *testing.T) {
	d := newDrive(t, newStore(t), "reader")
	mustWrite(t, d, "/f", "f")
	ctx, cancel := context.WithCancel(t.Context())
	f, err := d.Open(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context ended: %v", err)
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
}
