package api_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypernode/hypernode/config"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/node"
	"github.com/hypernode/hypernode/node/api"
)

// serve runs a node with its socket and returns a client of it.
func serve(t *testing.T) (*api.Client, *node.Node, chan struct{}) {
	t.Helper()
	return serveWith(t, api.Options{})
}

// serveWith is serve with options.
func serveWith(t *testing.T, o api.Options) (*api.Client, *node.Node, chan struct{}) {
	t.Helper()
	return serveAt(t, func(dir string) string { return filepath.Join(dir, "node.sock") }, o)
}

// serveAt is serve with the place of the socket.
func serveAt(t *testing.T, at func(dir string) string, o api.Options) (*api.Client, *node.Node, chan struct{}) {
	t.Helper()
	c := config.Config{Path: t.TempDir(), Discovery: config.Discovery{Profile: config.Offline}}
	c.Network.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	n, err := node.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{}, 1)
	done := make(chan error, 2)
	path := at(c.Path)
	go func() { done <- n.Run(ctx) }()
	go func() {
		o.Version, o.Stop = "test", func() { stopped <- struct{}{} }
		done <- api.Serve(ctx, n, path, o)
	}()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	var client *api.Client
	for client == nil {
		if client, err = api.Dial(t.Context(), path); err != nil && !errors.Is(err, api.ErrNotRunning) {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { client.Close() })
	return client, n, stopped
}

func TestOrders(t *testing.T) {
	ctx := t.Context()
	c, n, stopped := serve(t)
	s, err := c.Status(ctx)
	if err != nil || s.Peer != n.Host().ID().String() || s.Version != "test" || s.PID != os.Getpid() {
		t.Fatalf("%+v, %v", s, err)
	}
	k := keys.Key{1}
	if err := c.Seed(ctx, k, node.SeedOptions{Label: "x"}); err != nil {
		t.Fatal(err)
	}
	if list, err := c.Seeds(ctx); err != nil || len(list) != 1 || list[0].Key != k || list[0].Label != "x" {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := c.Unseed(ctx, k); err != nil {
		t.Fatal(err)
	}
	var e *api.Error
	if err := c.Unseed(ctx, k); !errors.As(err, &e) || e.Code != api.CodeNotFound || e.Status != http.StatusNotFound {
		t.Fatalf("unseeding twice: %v", err)
	}
	if err := c.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	<-stopped
}

func archive(t *testing.T, add func(*tar.Writer)) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func file(w *tar.Writer, name, data string, mode int64) {
	w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: mode, Typeflag: tar.TypeReg})
	io.WriteString(w, data)
}

func TestTrees(t *testing.T) {
	ctx := t.Context()
	c, _, _ := serve(t)
	share, err := c.Share(ctx, "photos")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Share(ctx, "photos"); err != nil || again.Key != share.Key {
		t.Fatalf("%v, %v", again, err)
	}
	large := strings.Repeat("large", 1<<19)
	put, err := c.WriteTree(ctx, share, archive(t, func(w *tar.Writer) {
		file(w, "a.txt", "first", 0o644)
		file(w, "bin/run", "second", 0o755)
		file(w, "large", large, 0o644)
		w.WriteHeader(&tar.Header{Name: "link", Linkname: "a.txt", Typeflag: tar.TypeSymlink})
	}))
	if err != nil || put.Files != 4 || put.Bytes != int64(len(large)+11) {
		t.Fatalf("%+v, %v", put, err)
	}
	put, err = c.WriteTree(ctx, share, archive(t, func(w *tar.Writer) {
		w.WriteHeader(&tar.Header{Name: "a.txt", Typeflag: tar.TypeReg, PAXRecords: map[string]string{api.RemoveRecord: "1"}})
	}))
	if err != nil || put.Removed != 1 || put.Files != 0 {
		t.Fatalf("%+v, %v", put, err)
	}
	sizes := map[string]int64{}
	for e, err := range c.Entries(ctx, share.Key, 0, "") {
		if err != nil {
			t.Fatal(err)
		}
		sizes[e.Path] = e.Size
	}
	if len(sizes) != 3 || sizes["/bin/run"] != 6 || sizes["/large"] != int64(len(large)) {
		t.Fatalf("%v", sizes)
	}
	body, err := c.ReadTree(ctx, share.Key, "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got := map[string]string{}
	in := tar.NewReader(body)
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got[head.Name] = string(data) + head.Linkname
	}
	if len(got) != 3 || got["bin/run"] != "second" || got["large"] != large || got["link"] != "a.txt" {
		t.Fatalf("%d files", len(got))
	}
}

func TestFiles(t *testing.T) {
	ctx := t.Context()
	c, _, _ := serve(t)
	share, err := c.Share(ctx, "notes")
	if err != nil {
		t.Fatal(err)
	}
	const path = "/a folder/50% of ä#?.txt"
	when := time.UnixMilli(1_700_000_000_123)
	if err := c.WriteFile(ctx, share.Key, path, strings.NewReader("0123456789"), api.FileOptions{Executable: true, ModTime: when}); err != nil {
		t.Fatal(err)
	}
	for e, err := range c.Entries(ctx, share.Key, 0, "") {
		if err != nil || e.Path != path || !e.Executable || !e.ModTime.Equal(when) || e.Size != 10 {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	for offset, want := range map[int64]string{0: "0123456789", 7: "789"} {
		f, err := c.ReadFile(ctx, share.Key, 0, path, offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		f.Close()
		if err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := c.RemoveFile(ctx, share.Key, path); err != nil {
		t.Fatal(err)
	}
	var e *api.Error
	if _, err := c.ReadFile(ctx, share.Key, 0, path, 0); !errors.As(err, &e) || e.Code != api.CodeNotFound {
		t.Fatal(err)
	}
	if peers, err := c.Peers(ctx); err != nil || len(peers) != 0 {
		t.Fatalf("%v, %v", peers, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	if _, err := api.Dial(t.Context(), filepath.Join(t.TempDir(), "none.sock")); !errors.Is(err, api.ErrNotRunning) {
		t.Fatal(err)
	}
}

func TestSocketPath(t *testing.T) {
	if got := api.Path(config.Config{Path: "/data"}); got != "/data/node.sock" {
		t.Fatal(got)
	}
	long := "/" + strings.Repeat("x", 200)
	got := api.Path(config.Config{Path: long})
	if len(got) > 100 || got == api.Path(config.Config{Path: long + "y"}) {
		t.Fatal(got)
	}
}
