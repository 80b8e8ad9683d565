package drive_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/blobs"
)

// raw puts a value as it is.
func raw(t testing.TB, d *drive.Drive, key, value string) {
	t.Helper()
	if err := d.Bee().Put(t.Context(), []byte("files\x00"+key), []byte(value)); err != nil {
		t.Fatal(err)
	}
}

// TestHostileValues has values that are no entries: each is an error of its own, and hides nothing else.
func TestHostileValues(t *testing.T) {
	d := newDrive(t, newStore(t), "hostile")
	mustWrite(t, d, "/good", "good")
	mustWrite(t, d, "/zz", "good too")
	bad := []string{"", "null", "{", "[]", "7", `"x"`, `{"executable":7}`, `{"linkname":{}}`, `{"blob":7}`, `{"blob":{"blockOffset":-1}}`,
		`{"blob":{"blockOffset":0,"byteOffset":0,"blockLength":1,"byteLength":9007199254740993}}`,
		`{"blob":{"blockOffset":0,"byteOffset":0,"blockLength":1,"byteLength":1e99}}`,
		`{"blob":{"blockOffset":0,"byteOffset":0,"blockLength":0,"byteLength":5}}`, "\xff\xfe", strings.Repeat("[", 100_000)}
	for i, value := range bad {
		raw(t, d, fmt.Sprintf("/bad-%02d", i), value)
	}
	good, wrong := 0, 0
	for e, err := range d.List(t.Context(), "/", drive.ListOptions{}) {
		switch {
		case err == nil:
			good++
		case errors.Is(err, drive.ErrEntry) && strings.HasPrefix(e.Path, "/bad-"):
			wrong++
		default:
			t.Fatal(err)
		}
	}
	if good != 2 || wrong != len(bad) {
		t.Errorf("%d good entries and %d bad ones, want 2 and %d", good, wrong, len(bad))
	}
	for i := range bad {
		if _, err := d.ReadFile(t.Context(), fmt.Sprintf("/bad-%02d", i)); !errors.Is(err, drive.ErrEntry) {
			t.Errorf("%.40q: %v", bad[i], err)
		}
	}
	mustRead(t, d, "/zz", "good too")
	mustWrite(t, d, "/bad-00", "mended")
	if names := names(t, d, "/"); len(names) != 2+len(bad) {
		t.Errorf("%d names", len(names))
	}
	if list, err := fs.ReadDir(d.FS(t.Context()), "."); err != nil || len(list) != 3 {
		t.Errorf("%d names are shown, %v", len(list), err)
	}
}

// TestHostilePaths has keys that no path leads to.
func TestHostilePaths(t *testing.T) {
	d := newDrive(t, newStore(t), "paths")
	mustWrite(t, d, "/good", "good")
	const value = `{"executable":false,"linkname":null,"blob":null,"metadata":null}`
	for _, key := range []string{"", "/", "//", "//x", "/../../etc/passwd", "/a/../b", "/./c", "x", "../x", "/d/", `/e\f`, "/\x00", "/\xff\xfe",
		"/good/", "/" + strings.Repeat("a/", 1000)} {
		raw(t, d, key, value)
	}
	for _, err := range d.List(t.Context(), "/", drive.ListOptions{}) {
		if err != nil {
			t.Error(err)
		}
	}
	names(t, d, "/")
	err := fs.WalkDir(d.FS(t.Context()), ".", func(path string, _ fs.DirEntry, err error) error {
		if !fs.ValidPath(path) || strings.Contains(path, "..") {
			t.Errorf("walked to %q", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	mustRead(t, d, "/good", "good")
}

// TestHostileBlobs has entries whose contents are elsewhere, or nowhere.
func TestHostileBlobs(t *testing.T) {
	d := newDrive(t, newStore(t), "blobs")
	mustWrite(t, d, "/a", "0123456789")
	mustWrite(t, d, "/b", "secret")
	for _, id := range []blobs.ID{
		{BlockOffset: 1 << 50, ByteOffset: 0, BlockLength: 1, ByteLength: 1},
		{BlockOffset: 0, ByteOffset: 0, BlockLength: 1, ByteLength: 16},
		{BlockOffset: 2, ByteOffset: 16, BlockLength: 1 << 40, ByteLength: 1 << 50},
		{BlockOffset: 0, ByteOffset: 0, BlockLength: 1 << 40, ByteLength: 1 << 50},
		{BlockOffset: 0, BlockLength: 1, ByteLength: 10, BlockMap: true},
	} {
		if err := d.SetEntry(t.Context(), "/x", drive.Entry{Blob: &id}); err != nil {
			t.Fatal(err)
		}
		if b, err := d.ReadFile(t.Context(), "/x"); err == nil {
			t.Errorf("%s: %q", id, b)
		}
	}
	if err := d.SetEntry(t.Context(), "/x", drive.Entry{Blob: &blobs.ID{ByteLength: 1}}); !errors.Is(err, blobs.ErrInvalidID) {
		t.Errorf("an id that cannot be: %v", err)
	}
}

// TestHostileLinks has links that lead in circles, and out of the drive.
func TestHostileLinks(t *testing.T) {
	d := newDrive(t, newStore(t), "links")
	mustWrite(t, d, "/end", "end")
	for i := range 20 {
		target := fmt.Sprintf("/l%d", i+1)
		if i == 19 {
			target = "/end"
		}
		if err := d.Symlink(t.Context(), fmt.Sprintf("/l%d", i), target, drive.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"/self": "/self", "/ping": "/pong", "/pong": "/ping", "/out": "../../../etc/passwd"} {
		if err := d.Symlink(t.Context(), link, target, drive.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	mustRead(t, d, "/l5", "end")
	for path, want := range map[string]error{"/l4": drive.ErrLinks, "/self": drive.ErrLinks, "/ping": drive.ErrLinks, "/out": drive.ErrPath} {
		if _, err := d.ReadFile(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

// TestHostileChain has a chain of mounts that is far too long, each drive mounting the next one twice.
func TestHostileChain(t *testing.T) {
	s := newStore(t)
	const depth = 40
	var list []*drive.Drive
	for i := range depth {
		list = append(list, newDrive(t, s, fmt.Sprint(i)))
	}
	for i, d := range list[:depth-1] {
		for _, path := range []string{"/x", "/y"} {
			if err := d.Mount(t.Context(), path, list[i+1].Key()); err != nil {
				t.Fatal(err)
			}
		}
	}
	count, refused := 0, 0
	for e, err := range list[0].List(t.Context(), "/", drive.ListOptions{Mounts: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; e.Unavailable != nil {
			refused++
		}
	}
	if count > 3*drive.MaxDescents || refused == 0 {
		t.Errorf("%d entries, %d refused", count, refused)
	}
	if _, err := list[0].Entry(t.Context(), strings.Repeat("/x", depth)); !errors.Is(err, drive.ErrTooManyMounts) {
		t.Errorf("a path through too many mounts: %v", err)
	}
}

// TestNoDrive opens what is no drive.
func TestNoDrive(t *testing.T) {
	d := newDrive(t, newStore(t), "none")
	if _, err := d.Core().Append(t.Context(), []byte("not a header")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Blobs(t.Context()); !errors.Is(err, drive.ErrNoDrive) {
		t.Errorf("contents: %v", err)
	}
	if _, err := d.Bee().Header(t.Context()); !errors.Is(err, bee.ErrCorrupt) {
		t.Errorf("header: %v", err)
	}
}
