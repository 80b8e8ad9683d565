package drive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/corestore"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
)

// source serves the cores of a store from another one in the same process.
type source struct {
	from *corestore.Store

	delay time.Duration // of each answer

	mu     sync.Mutex
	blocks map[keys.Key]map[uint64]bool // fetched
}

func newSource(from *corestore.Store) *source {
	return &source{from: from, blocks: map[keys.Key]map[uint64]bool{}}
}

// Attach implements core.Source.
func (s *source) Attach(c *core.Core) core.Session { return &session{s, c} }

// fetched is how many different blocks of a core were asked for.
func (s *source) fetched(k keys.Key) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.blocks[k])
}

type session struct {
	*source
	reader *core.Core
}

// Changed implements core.Session.
func (*session) Changed(core.Change) {}

// Close implements core.Session.
func (*session) Close() error { return nil }

// Fetch implements core.Session.
func (s *session) Fetch(ctx context.Context, w core.Want) error {
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
		return ctx.Err()
	}
	writer, err := s.from.Find(ctx, s.reader.DiscoveryKey())
	if err != nil {
		return fmt.Errorf("%w: %w", core.ErrNotAvailable, err)
	}
	defer writer.Close()
	if w.Head || s.reader.Head().Length == 0 {
		if err := s.head(ctx, writer); err != nil || w.Head {
			return err
		}
	}
	for _, r := range w.Ranges {
		for i := r.Start; i < r.End || r.End == 0 && i < writer.Head().Length; i++ {
			w.Blocks = append(w.Blocks, i)
		}
	}
	for n, i := range w.Blocks {
		if i >= s.reader.Head().Length {
			if err := s.head(ctx, writer); err != nil {
				return err
			}
		}
		if err := s.block(ctx, writer, i); err != nil {
			return err
		}
		if w.Progress != nil {
			w.Progress(uint64(n+1), uint64(len(w.Blocks)))
		}
	}
	if w.Seek != nil {
		at, _, err := writer.Seek(ctx, w.Seek.Bytes)
		if err != nil {
			return err
		}
		return s.block(ctx, writer, at)
	}
	return nil
}

func (s *session) head(ctx context.Context, writer *core.Core) error {
	have, want := s.reader.Head(), writer.Head()
	if want.Length <= have.Length {
		return nil
	}
	return s.ask(ctx, writer, &merkle.Request{ID: 1, Fork: want.Fork, Manifest: true,
		Upgrade: &merkle.UpgradeRequest{Start: have.Length, Length: want.Length - have.Length}})
}

func (s *session) block(ctx context.Context, writer *core.Core, i uint64) error {
	s.mu.Lock()
	if s.blocks[writer.Key()] == nil {
		s.blocks[writer.Key()] = map[uint64]bool{}
	}
	s.blocks[writer.Key()][i] = true
	s.mu.Unlock()
	n, err := s.reader.MissingNodes(ctx, i)
	if err != nil {
		return err
	}
	return s.ask(ctx, writer, &merkle.Request{ID: 1, Fork: s.reader.Head().Fork, Block: &merkle.BlockRequest{Index: i, Nodes: n}})
}

func (s *session) ask(ctx context.Context, writer *core.Core, q *merkle.Request) error {
	p, err := writer.Prove(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: %w", core.ErrNotAvailable, err)
	}
	list, err := s.reader.Apply(ctx, p)
	if err != nil {
		return err
	}
	return list[0].Err
}

// copied returns a writer's drive, and the same drive in a store that has nothing of it and asks the writer's.
func copied(t testing.TB) (writer, reader *drive.Drive, s *source) {
	t.Helper()
	from := newStore(t)
	writer = newDrive(t, from, "writer")
	s = newSource(from)
	to := openStore(t, memory(t), corestore.Options{PrimaryKey: keys.PrimaryKey{2}, Source: s})
	reader, err := drive.Open(t.Context(), to, writer.Key())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return writer, reader, s
}

// TestRemoteRange reads from the midst of a large file: little more than that is fetched.
func TestRemoteRange(t *testing.T) {
	writer, reader, s := copied(t)
	data := pattern(1, 8<<20)
	if err := writer.WriteFile(t.Context(), "/large", data, drive.Meta{}); err != nil {
		t.Fatal(err)
	}
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := reader.Open(t.Context(), "/large")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const at, n = 5_000_001, 1 << 20
	got := make([]byte, n)
	if _, err := f.ReadAt(got, at); err != nil || !bytes.Equal(got, data[at:at+n]) {
		t.Fatalf("a range: %v", err)
	}
	b, err := writer.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if fetched := s.fetched(b.Core().Key()); fetched > 19 {
		t.Errorf("%d blocks were fetched for 17", fetched)
	}
	if whole, err := reader.ReadFile(t.Context(), "/large"); err != nil || !bytes.Equal(whole, data) {
		t.Errorf("all of it: %v", err)
	}
}

// TestRemoteRoundTrips counts the round trips from a drive of which the head is known to the first bytes from the midst of a file.
func TestRemoteRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, s := copied(t)
		data := pattern(1, 4<<20)
		if err := writer.WriteFile(t.Context(), "/film", data, drive.Meta{}); err != nil {
			t.Fatal(err)
		}
		if err := reader.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.delay = 50 * time.Millisecond
		start := time.Now()
		f, err := reader.Open(t.Context(), "/film")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got := make([]byte, 1<<20)
		if _, err := f.ReadAt(got, 2_345_678); err != nil || !bytes.Equal(got, data[2_345_678:][:1<<20]) {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 3*s.delay {
			t.Errorf("%v, which is %d round trips, want 3", took, took/s.delay)
		}
	})
}

// TestRemoteReadAhead reads a file from afar piece after piece: more and more is fetched ahead, and nothing after a read elsewhere.
func TestRemoteReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, s := copied(t)
		const size, block = 32 << 20, blobs.DefaultBlockSize
		data := pattern(1, size)
		if err := writer.WriteFile(t.Context(), "/film", data, drive.Meta{}); err != nil {
			t.Fatal(err)
		}
		b, err := writer.Blobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f, err := reader.Open(t.Context(), "/film")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		read := func() (fetched int) {
			t.Helper()
			got := make([]byte, block)
			at, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				t.Fatal(err)
			}
			before := s.fetched(b.Core().Key())
			if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, data[at:][:block]) {
				t.Fatalf("other bytes at %d, %v", at, err)
			}
			synctest.Wait() // what is fetched ahead has come
			return s.fetched(b.Core().Key()) - before
		}
		total, ahead := read(), []int{}
		if total > 2 { // a piece may begin in the midst of a block
			t.Errorf("%d blocks were fetched for the first", total)
		}
		for i := 2; i <= 65; i++ {
			if total += read(); i == 2 || i == 9 || i == 33 || i == 65 {
				ahead = append(ahead, total-i)
			}
		}
		t.Logf("blocks ahead after 2, 9, 33 and 65: %v", ahead)
		if !slices.IsSorted(ahead) || ahead[0] < 2 || ahead[0] > 8 || ahead[3] < 64 || ahead[3] > 256 {
			t.Errorf("blocks ahead after 2, 9, 33 and 65: %v", ahead)
		}
		if _, err := f.Seek(size-10*block, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if n := read(); n > 2 {
			t.Errorf("%d blocks were fetched for one elsewhere", n)
		}
	})
}

// TestRemoteEmpty opens a drive of which there is nothing yet.
func TestRemoteEmpty(t *testing.T) {
	writer, reader, _ := copied(t)
	if got := listed(t, reader, "/", drive.ListOptions{}); len(got) > 0 {
		t.Errorf("listed %q", got)
	}
	if _, err := reader.Blobs(t.Context()); !errors.Is(err, drive.ErrEmpty) {
		t.Errorf("contents of nothing: %v", err)
	}
	if err := reader.WriteFile(t.Context(), "/x", nil, drive.Meta{}); !errors.Is(err, core.ErrNotWritable) {
		t.Errorf("writing: %v", err)
	}
	mustWrite(t, writer, "/x", "now")
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustRead(t, reader, "/x", "now")
}

// TestRemoteDownload downloads a folder, then what changed.
func TestRemoteDownload(t *testing.T) {
	writer, reader, s := copied(t)
	for i := range 10 {
		mustWrite(t, writer, fmt.Sprintf("/%s/%d", []string{"a", "b"}[i%2], i), fmt.Sprint(i))
	}
	b, err := writer.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := b.Core().Key()
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := reader.Snapshot()
	has := func(path string) bool {
		ok, err := reader.Has(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if has("/a") || has("/a/0") {
		t.Error("what was not fetched is here")
	}
	var done uint64
	progress := func(n, total uint64) {
		if done = n; total != 5 {
			t.Errorf("%d of %d", n, total)
		}
	}
	if err := reader.Download(t.Context(), "/a", drive.DownloadOptions{Progress: progress}); err != nil {
		t.Fatal(err)
	}
	if s.fetched(key) != 5 || done != 5 || !has("/a") || has("/b") || has("/none") {
		t.Errorf("%d blocks were fetched, %d told", s.fetched(key), done)
	}
	mustWrite(t, writer, "/b/new", "new")
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := reader.DownloadDiff(t.Context(), old, "/", drive.DownloadOptions{}); err != nil {
		t.Fatal(err)
	}
	if s.fetched(key) != 6 || !has("/b/new") {
		t.Errorf("%d blocks were fetched", s.fetched(key))
	}
	if err := reader.DownloadRange(t.Context(), nil, []core.Range{{Start: 1, End: 2}}, drive.DownloadOptions{}); err != nil || !has("/b/1") {
		t.Errorf("a range: %v", err)
	}
	if err := reader.Download(t.Context(), "", drive.DownloadOptions{}); err != nil || !has("/") {
		t.Errorf("all: %v", err)
	}
	if err := reader.Clear(t.Context(), "/a"); err != nil || has("/a") || !has("/b") {
		t.Errorf("clearing a folder: %v", err)
	}
	mustRead(t, reader, "/a/0", "0")
	if err := reader.ClearAll(t.Context()); err != nil || has("/b/1") {
		t.Errorf("clearing all: %v", err)
	}
	mustRead(t, reader, "/b/1", "1")
}

// TestRemoteMount reads through a mount of a drive that the reader has never met, and downloads and clears with and without what is
// mounted.
func TestRemoteMount(t *testing.T) {
	writer, reader, s := copied(t)
	other := newDrive(t, s.from, "other")
	mustWrite(t, other, "/deep/er/f", "far away")
	mustWrite(t, other, "/deep/g", "too")
	mustWrite(t, writer, "/own", "own")
	for path, key := range map[string]keys.Key{"/m": other.Key(), "/nobody": {9}} {
		if err := writer.Mount(t.Context(), path, key); err != nil {
			t.Fatal(err)
		}
	}
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	here := func(want string, paths ...string) {
		t.Helper()
		var got []string
		for _, p := range paths {
			ok, err := reader.Has(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(ok))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("of %q here are %v, want %s", paths, got, want)
		}
	}
	if err := reader.Download(t.Context(), "/", drive.DownloadOptions{}); err != nil {
		t.Error(err)
	}
	here("true false", "/own", "/m")
	mustRead(t, reader, "/m/deep/er/f", "far away")
	here("true false", "/m/deep/er/f", "/m/deep/g")
	var told []uint64
	progress := func(done, total uint64) { told = append(told, done, total) }
	if err := reader.Download(t.Context(), "/", drive.DownloadOptions{Mounts: true, Progress: progress}); err != nil {
		t.Error(err)
	}
	here("true", "/m")
	if len(told) == 0 || told[len(told)-1] == 0 {
		t.Errorf("the progress told was %v", told)
	}
	if err := reader.WriteFile(t.Context(), "/m/x", nil, drive.Meta{}); !errors.Is(err, core.ErrNotWritable) {
		t.Errorf("writing: %v", err)
	}
	if err := reader.Clear(t.Context(), "/"); err != nil {
		t.Error(err)
	}
	here("false true", "/own", "/m")
	if err := reader.Clear(t.Context(), "/m/deep"); err != nil {
		t.Error(err)
	}
	here("false", "/m")
	if err := reader.Download(t.Context(), "/m/deep/g", drive.DownloadOptions{}); err != nil {
		t.Error(err)
	}
	here("false true", "/m/deep/er/f", "/m/deep/g")
}

// TestRemoteWatchMount watches a drive with a mount that nobody has yet: once it comes within reach, that is a change, and so is what is
// written then.
func TestRemoteWatchMount(t *testing.T) {
	writer, reader, s := copied(t)
	late := newDrive(t, s.from, "late")
	for path, key := range map[string]keys.Key{"/late": late.Key(), "/never": {9}} {
		if err := writer.Mount(t.Context(), path, key); err != nil {
			t.Fatal(err)
		}
	}
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	far, err := drive.Open(t.Context(), drive.StoreOf(reader), late.Key())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan drive.Change), make(chan struct{})
	go func() {
		defer close(done)
		for c, err := range reader.Watch(ctx, "/", drive.WatchOptions{Mounts: true}) {
			if err != nil {
				return
			}
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		}
	}()
	defer func() { cancel(); <-done }()
	refresh := func(d *drive.Drive) {
		t.Helper()
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; ; i++ { // until the watch has begun
		mustWrite(t, writer, "/own", fmt.Sprint(i))
		refresh(reader)
		if _, ok := poll(changes); ok {
			break
		}
	}
	mustWrite(t, late, "/f", "0")
	refresh(far)
	for c := range changes {
		if c.At != "/late" {
			continue // what was written before the watch was looked at
		}
		if c.Before.Version() != 1 || c.Now.Version() != late.Version() {
			t.Errorf("it came as a change from version %d to %d", c.Before.Version(), c.Now.Version())
		}
		mustRead(t, c.Now, "/f", "0")
		break
	}
	for i := 1; ; i++ {
		mustWrite(t, late, "/f", fmt.Sprint(i))
		refresh(far)
		if c, ok := poll(changes); ok && c.At == "/late" {
			if c.Now.Version() <= c.Before.Version() {
				t.Errorf("from version %d to %d", c.Before.Version(), c.Now.Version())
			}
			return
		}
	}
}
