package api_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive/mirror"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// tree makes a folder of files, one of them larger than what is sent in one piece.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"a.txt": "a", "sub/50% ä#?.txt": "b", "sub/deeper/empty": "", "large": strings.Repeat("large", 1<<19), ".hypernodeignore": "*.tmp\n", "x.tmp": "x",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMirrorThrough(t *testing.T) {
	ctx := t.Context()
	c, _, _ := serve(t)
	share, err := c.Share(ctx, "/a path/with slashes")
	if err != nil {
		t.Fatal(err)
	}
	dir := tree(t)
	o := mirror.Options{Prune: true, Times: true, Links: true}
	drive := mirror.Kept(c.Files(share.Key, 0), "/")
	sync := func(from, to mirror.Tree, o mirror.Options) mirror.Stats {
		t.Helper()
		stats, err := mirror.Sync(ctx, from, to, o)
		if err != nil {
			t.Fatal(err)
		}
		return stats
	}
	if s := sync(mirror.Dir(dir), drive, o); s.Added != 5 {
		t.Fatalf("%+v", s)
	}
	first, err := c.Version(ctx, share.Key)
	if err != nil {
		t.Fatal(err)
	}
	if s := sync(mirror.Dir(dir), drive, o); s.Unchanged != 5 {
		t.Fatalf("%+v", s)
	}
	if v, err := c.Version(ctx, share.Key); err != nil || v != first {
		t.Fatalf("version %d became %d: %v", first, v, err)
	}
	// An attribute is set without the contents; a file goes, a link comes.
	if err := os.Chmod(filepath.Join(dir, "large"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("large", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if s := sync(mirror.Dir(dir), drive, o); s.Removed != 1 || s.Added != 1 || s.Changed != 1 || s.BytesWritten != 0 {
		t.Fatalf("%+v", s)
	}
	out := t.TempDir()
	if s := sync(drive, mirror.Dir(out), mirror.Options{Links: true}); s.Added != 5 {
		t.Fatalf("%+v", s)
	}
	if info, err := os.Stat(filepath.Join(out, "link")); err != nil || info.Size() != 5<<19 || info.Mode().Perm()&0o100 == 0 {
		t.Fatalf("%v, %v", info, err)
	}
	if s := sync(mirror.Kept(c.Files(share.Key, first), "/sub"), mirror.Dir(filepath.Join(out, "old")), mirror.Options{}); s.Added != 2 {
		t.Fatalf("%+v", s)
	}
	var e *api.Error
	if _, err := mirror.Sync(ctx, mirror.Kept(c.Files(share.Key, first+100), "/"), mirror.Dir(out), mirror.Options{}); !errors.As(err, &e) || e.Code != api.CodeVersion {
		t.Fatal(err)
	}
}

func TestFetch(t *testing.T) {
	ctx := t.Context()
	a, n, _ := serve(t)
	b, _, _ := serve(t)
	share, err := a.Share(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mirror.Sync(ctx, mirror.Dir(tree(t)), mirror.Kept(a.Files(share.Key, 0), "/"), mirror.Options{}); err != nil {
		t.Fatal(err)
	}
	var last api.Fetching
	for told, err := range b.Fetch(ctx, share.Key, api.Fetch{Peers: n.Addresses()}) {
		if err != nil {
			t.Fatal(err)
		}
		if last = told; told.Held {
			break
		}
	}
	if v, err := a.Version(ctx, share.Key); err != nil || last.Version != v || last.Peers != 1 || last.Bytes < 5<<19 {
		t.Fatalf("%+v, %v", last, err)
	}
	if err := b.Purge(ctx, share.Key); err != nil {
		t.Fatal(err)
	}
	var e *api.Error
	if err := a.Purge(ctx, share.Key); !errors.As(err, &e) || e.Code != api.CodeRefused {
		t.Fatal(err)
	}
	for _, err := range b.Fetch(ctx, share.Key, api.Fetch{Peers: []string{"x"}}) {
		if !errors.As(err, &e) || e.Code != api.CodeInvalid {
			t.Fatal(err)
		}
	}
	for told, err := range b.Fetch(ctx, keys.Key{7}, api.Fetch{}) {
		if err != nil || told.Version != 0 || told.Profile != "offline" {
			t.Fatalf("%+v, %v", told, err)
		}
		break
	}
}

func TestMetrics(t *testing.T) {
	r := api.NewRegistry()
	c, _, _ := serveWith(t, api.Options{Registry: r})
	if err := c.Seed(t.Context(), keys.Key{1}, node.SeedOptions{}); err != nil {
		t.Fatal(err)
	}
	text, err := c.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	found := map[string]bool{}
	for in := bufio.NewScanner(text); in.Scan(); {
		found[in.Text()] = true
	}
	if !found["hypernode_seeds 1"] || !found["# TYPE go_goroutines gauge"] {
		t.Fatal(found)
	}
	if _, err := io.Copy(io.Discard, text); err != nil {
		t.Fatal(err)
	}
}

// A socket that lies elsewhere can be found in the folder that holds everything.
func TestSignpost(t *testing.T) {
	run := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", run)
	c, n, _ := serveAt(t, func(dir string) string { return filepath.Join(run, "x.sock") }, api.Options{})
	if _, err := c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := api.Dial(t.Context(), filepath.Join(n.Config().Path, "node.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := api.RuntimePath(n.Config()); filepath.Dir(p) != filepath.Join(run, "hypernode") {
		t.Fatal(p)
	}
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(run, "none"))
	if p := api.RuntimePath(n.Config()); p != "" {
		t.Fatal(p)
	}
}
