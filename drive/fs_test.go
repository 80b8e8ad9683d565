package drive_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hypernode/hypernode/drive"
)

// fsDrive returns a drive with something of everything.
func fsDrive(t testing.TB) *drive.Drive {
	t.Helper()
	s := newStore(t)
	d, other := newDrive(t, s, "fs"), newDrive(t, s, "other")
	for _, path := range []string{"/a.txt", "/dir/b.txt", "/dir/deep/er/c.txt", "/x", "/x-y", "/x0", "/empty"} {
		data := "content of " + path
		if path == "/empty" {
			data = ""
		}
		mustWrite(t, d, path, data)
	}
	mustWrite(t, other, "/theirs.txt", "theirs")
	mustWrite(t, other, "/sub/more.txt", "more")
	for link, target := range map[string]string{"/link": "../a.txt", "/dir/up": "../../a.txt", "/todir": "/dir"} {
		if err := d.Symlink(t.Context(), link, target, drive.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	meta := drive.Meta{ModTime: time.UnixMilli(1_700_000_000_123), Mode: 0o640}
	if err := d.WriteFile(t.Context(), "/dated", []byte("x"), meta); err != nil {
		t.Fatal(err)
	}
	if err := d.Mount(t.Context(), "/mnt/other", other.Key()); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFS(t *testing.T) {
	d := fsDrive(t)
	want := []string{"a.txt", "dir/b.txt", "dir/deep/er/c.txt", "x", "x-y", "x0", "empty", "dated", "mnt/other/theirs.txt",
		"mnt/other/sub/more.txt", "link", "todir"}
	if err := fstest.TestFS(d.FS(t.Context()), want...); err != nil {
		t.Error(err)
	}
	for _, d := range []*drive.Drive{d.At(d.Version()), d.Snapshot()} {
		if err := fstest.TestFS(d.FS(t.Context()), want...); err != nil {
			t.Error(err)
		}
	}
	if err := fstest.TestFS(newDrive(t, newStore(t), "empty").FS(t.Context())); err != nil {
		t.Errorf("an empty drive: %v", err)
	}
}

func TestFSLinks(t *testing.T) {
	fsys := fsDrive(t).FS(t.Context())
	for link, want := range map[string]string{"link": "a.txt", "dir/up": "../a.txt", "todir": "dir"} {
		if got, err := fsys.ReadLink(link); got != want || err != nil {
			t.Errorf("%s leads to %q, %v, want %q", link, got, err, want)
		}
	}
	if b, err := fsys.ReadFile("dir/up"); string(b) != "content of /a.txt" || err != nil {
		t.Errorf("through a link: %q, %v", b, err)
	}
	if info, err := fsys.Stat("todir"); err != nil || !info.IsDir() {
		t.Errorf("a link to a folder: %v, %v", info, err)
	}
	if info, err := fsys.Lstat("todir"); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("a link itself: %v, %v", info, err)
	}
	if _, err := fsys.ReadLink("a.txt"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("reading a link that is none: %v", err)
	}
}

func TestFSInfo(t *testing.T) {
	info, err := fsDrive(t).FS(t.Context()).Stat("dated")
	if err != nil {
		t.Fatal(err)
	}
	if info.ModTime().UnixMilli() != 1_700_000_000_123 || info.Mode() != 0o640 || info.Size() != 1 {
		t.Errorf("%v %v %d", info.ModTime(), info.Mode(), info.Size())
	}
	e, ok := info.Sys().(*drive.Entry)
	if !ok || string(e.Metadata) != `{"mtime":1700000000123,"mode":416}` {
		t.Errorf("the metadata is %s", e.Metadata)
	}
}

func TestFSErrors(t *testing.T) {
	fsys := fsDrive(t).FS(t.Context())
	for name, want := range map[string]error{"none": fs.ErrNotExist, "dir/none/x": fs.ErrNotExist, "/a.txt": fs.ErrInvalid,
		"../a": fs.ErrInvalid, "": fs.ErrInvalid, `a\b`: fs.ErrNotExist, "mnt/other/none": fs.ErrNotExist} {
		_, err := fsys.Open(name)
		var p *fs.PathError
		if !errors.Is(err, want) || !errors.As(err, &p) || p.Path != name {
			t.Errorf("open %q: %v, want %v", name, err, want)
		}
	}
	if _, err := fsys.ReadDir("a.txt"); !errors.Is(err, drive.ErrNotFolder) {
		t.Errorf("a file as a folder: %v", err)
	}
	if _, err := fsys.ReadFile("dir"); !errors.Is(err, drive.ErrIsFolder) {
		t.Errorf("a folder as a file: %v", err)
	}
}

// TestFSServed serves a drive over HTTP, with ranges.
func TestFSServed(t *testing.T) {
	server := httptest.NewServer(http.FileServerFS(fsDrive(t).FS(t.Context())))
	defer server.Close()
	get := func(path, bytes string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if bytes != "" {
			req.Header.Set("Range", "bytes="+bytes)
		}
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	if code, body := get("/dir/b.txt", "11-13"); code != http.StatusPartialContent || body != "/di" {
		t.Errorf("a range: %d %q", code, body)
	}
	if code, body := get("/mnt/other/sub/more.txt", ""); code != http.StatusOK || body != "more" {
		t.Errorf("below a mount: %d %q", code, body)
	}
	if code, body := get("/dir/", ""); code != http.StatusOK || !strings.Contains(body, `href="deep/"`) {
		t.Errorf("a folder: %d %q", code, body)
	}
	if code, _ := get("/none", ""); code != http.StatusNotFound {
		t.Errorf("nothing: %d", code)
	}
}
