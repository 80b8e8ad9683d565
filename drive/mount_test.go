package drive_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// mounted returns a drive and another one that is mounted in it at /m.
func mounted(t testing.TB) (outer, inner *drive.Drive) {
	t.Helper()
	s := newStore(t)
	outer, inner = newDrive(t, s, "outer"), newDrive(t, s, "inner")
	mustWrite(t, outer, "/a", "outer a")
	mustWrite(t, outer, "/m-x", "beside")
	mustWrite(t, outer, "/z", "outer z")
	mustWrite(t, inner, "/f", "inner f")
	mustWrite(t, inner, "/sub/g", "inner g")
	if err := outer.Mount(t.Context(), "/m", inner.Key()); err != nil {
		t.Fatal(err)
	}
	return outer, inner
}

func TestMountResolves(t *testing.T) {
	outer, inner := mounted(t)
	mustRead(t, outer, "/m/f", "inner f")
	mustRead(t, outer, "/m/sub/g", "inner g")
	e, err := outer.Entry(t.Context(), "/m/sub/g")
	if err != nil || e.Path != "/m/sub/g" || e.Inner != "/sub/g" || e.Drive != inner.Key() || e.Seq != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	e, err = outer.Entry(t.Context(), "/m")
	if err != nil || e.Mount == nil || e.Mount.Key != inner.Key() || e.Drive != outer.Key() {
		t.Errorf("the mount itself: %+v, %v", e, err)
	}
	if want := fmt.Sprintf(`{"mount":{"key":"%s"}}`, inner.Key().Hex()); string(e.Metadata) != want {
		t.Errorf("the record is %s, want %s", e.Metadata, want)
	}
	for _, path := range []string{"/m/none", "/m/f/x"} {
		if _, err := outer.Entry(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := outer.ReadFile(t.Context(), "/m"); !errors.Is(err, drive.ErrIsMount) {
		t.Errorf("reading a mount: %v", err)
	}
}

func TestMountWrites(t *testing.T) {
	outer, inner := mounted(t)
	version := outer.Version()
	mustWrite(t, outer, "/m/new", "through the mount")
	mustRead(t, inner, "/new", "through the mount")
	w, err := outer.Create(t.Context(), "/m/streamed", drive.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("stream")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mustRead(t, inner, "/streamed", "stream")
	if err := outer.Remove(t.Context(), "/m/f"); err != nil {
		t.Fatal(err)
	}
	if ok, err := inner.Exists(t.Context(), "/f"); ok || err != nil {
		t.Errorf("what was removed below a mount is there: %v", err)
	}
	if outer.Version() != version {
		t.Error("the outer drive was changed")
	}
	for name, err := range map[string]error{
		"put":    outer.WriteFile(t.Context(), "/m", []byte("x"), drive.Meta{}),
		"remove": outer.Remove(t.Context(), "/m"),
		"link":   outer.Symlink(t.Context(), "/m", "x", drive.Meta{}),
		"all":    outer.RemoveAll(t.Context(), "/m"),
	} {
		if !errors.Is(err, drive.ErrIsMount) {
			t.Errorf("%s in place of a mount: %v", name, err)
		}
	}
	err = outer.Update(t.Context(), func(tx *drive.Batch) error { return tx.WriteFile("/m/x", nil, drive.Meta{}) })
	if !errors.Is(err, drive.ErrCrossDrive) {
		t.Errorf("a batch across drives: %v", err)
	}
}

func TestMountListings(t *testing.T) {
	outer, inner := mounted(t)
	if err := outer.MountWith(t.Context(), "/only", inner.Key(), drive.MountOptions{Path: "/sub"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folder string
		mounts bool
		want   string
	}{
		{"/", false, "/a /m /m-x /only /z"},
		{"/", true, "/a /m /m-x /m/f /m/sub/g /only /only/g /z"},
		{"/m", false, "/m/f /m/sub/g"},
		{"/m/sub", false, "/m/sub/g"},
		{"/only", true, "/only/g"},
	} {
		if got := strings.Join(listed(t, outer, c.folder, drive.ListOptions{Mounts: c.mounts}), " "); got != c.want {
			t.Errorf("list %s, mounts %v: %s, want %s", c.folder, c.mounts, got, c.want)
		}
	}
	if got := names(t, outer, "/"); !slices.Equal(got, []string{"a", "m", "m-x", "only", "z"}) {
		t.Errorf("names: %q", got)
	}
	if got := names(t, outer, "/m"); !slices.Equal(got, []string{"f", "sub"}) {
		t.Errorf("names below the mount: %q", got)
	}
	ignore, err := drive.IgnorePaths("/m/sub", "/only")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(listed(t, outer, "/", drive.ListOptions{Mounts: true, Ignore: ignore}), " "); got != "/a /m /m-x /m/f /z" {
		t.Errorf("with paths left out: %s", got)
	}
}

func TestMountPinned(t *testing.T) {
	outer, inner := mounted(t)
	version := inner.Version()
	mustWrite(t, inner, "/f", "changed")
	err := outer.MountWith(t.Context(), "/old", inner.Key(), drive.MountOptions{Version: version, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, outer, "/old/f", "inner f")
	mustRead(t, outer, "/m/f", "changed")
	if err := outer.WriteFile(t.Context(), "/old/x", nil, drive.Meta{}); !errors.Is(err, drive.ErrReadOnlyMount) {
		t.Errorf("writing below a pinned mount: %v", err)
	}
	e, err := outer.Entry(t.Context(), "/old")
	if err != nil {
		t.Fatal(err)
	}
	wrong := *e.Mount
	wrong.Hash[0] ^= 1
	raw := fmt.Sprintf(`{"mount":{"key":"%s","version":%d,"fork":0,"hash":"%x"}}`, wrong.Key.Hex(), wrong.Version, wrong.Hash[:])
	if err := outer.SetEntry(t.Context(), "/old", drive.Entry{Metadata: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	if _, err := outer.ReadFile(t.Context(), "/old/f"); !errors.Is(err, drive.ErrPinMismatch) {
		t.Errorf("a pin to another history: %v", err)
	}
	raw = fmt.Sprintf(`{"mount":{"key":"%s","version":1000}}`, inner.Key())
	if err := outer.SetEntry(t.Context(), "/old", drive.Entry{Metadata: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	if _, err := outer.ReadFile(t.Context(), "/old/f"); !errors.Is(err, drive.ErrVersionUnavailable) {
		t.Errorf("a pin to a version that is not there: %v", err)
	}
}

func TestMountRefuses(t *testing.T) {
	outer, inner := mounted(t)
	mustWrite(t, outer, "/full/x", "x")
	mustWrite(t, outer, "/file", "x")
	if err := outer.Mount(t.Context(), "/full", inner.Key()); !errors.Is(err, drive.ErrNotEmpty) {
		t.Errorf("over entries: %v", err)
	}
	if err := outer.Mount(t.Context(), "/file", inner.Key()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if err := outer.Mount(t.Context(), "/no", keys.Key{}); !errors.Is(err, drive.ErrInvalidMount) {
		t.Errorf("of nothing: %v", err)
	}
	if err := outer.MountWith(t.Context(), "/full", inner.Key(), drive.MountOptions{Force: true}); err != nil {
		t.Errorf("by force: %v", err)
	}
	if got := listed(t, outer, "/full", drive.ListOptions{}); !slices.Equal(got, []string{"/full/f", "/full/sub/g"}) {
		t.Errorf("a forced mount shows %q", got)
	}
	if got := listed(t, outer, "/", drive.ListOptions{}); slices.Contains(got, "/full/x") {
		t.Error("what a mount hides is listed")
	}
	if err := outer.Unmount(t.Context(), "/full"); err != nil {
		t.Fatal(err)
	}
	mustRead(t, outer, "/full/x", "x")
	for _, path := range []string{"/file", "/none", "/full"} {
		if err := outer.Unmount(t.Context(), path); !errors.Is(err, drive.ErrNotMount) {
			t.Errorf("unmounting %s: %v", path, err)
		}
	}
}

// TestMountKeepsMetadata changes a mount that has metadata beside the record.
func TestMountKeepsMetadata(t *testing.T) {
	outer, inner := mounted(t)
	raw := fmt.Sprintf(`{"b":[1, 2],"mount":{"key":"%s"},"a":"\u00e9"}`, inner.Key().Hex())
	if err := outer.SetEntry(t.Context(), "/n", drive.Entry{Metadata: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	if err := outer.MountWith(t.Context(), "/n", inner.Key(), drive.MountOptions{Version: 2, Path: "sub/dir"}); err != nil {
		t.Fatal(err)
	}
	e, err := outer.Entry(t.Context(), "/n")
	want := fmt.Sprintf(`{"b":[1,2],"mount":{"key":"%s","version":2,"path":"/sub/dir"},"a":"é"}`, inner.Key().Hex())
	if err != nil || string(e.Metadata) != want {
		t.Errorf("%s, %v, want %s", e.Metadata, err, want)
	}
}

func TestMountRecords(t *testing.T) {
	d := newDrive(t, newStore(t), "records")
	key := keys.Key{1, 2, 3}
	for raw, good := range map[string]bool{
		`{"mount":{"key":"` + key.Hex() + `"}}`:                                                                true,
		`{"mount":{"key":"` + key.String() + `"},"x":1}`:                                                       true,
		`{"mount":{"key":"` + key.Hex() + `","version":1,"path":"/a/b","later":[]}}`:                           true,
		`{"mount":{"key":"` + key.Hex() + `","version":0}}`:                                                    false,
		`{"mount":{"key":"` + key.Hex() + `","version":1.5}}`:                                                  false,
		`{"mount":{"key":"` + key.Hex() + `","version":"1"}}`:                                                  false,
		`{"mount":{"key":"` + key.Hex() + `","version":9007199254740992}}`:                                     false,
		`{"mount":{"key":"` + key.Hex() + `","path":"a"}}`:                                                     false,
		`{"mount":{"key":"` + key.Hex() + `","path":"/../a"}}`:                                                 false,
		`{"mount":{"key":"` + key.Hex() + `","path":null}}`:                                                    false,
		`{"mount":{"key":"` + key.Hex()[:62] + `"}}`:                                                           false,
		`{"mount":{"key":"pear://` + key.String() + `"}}`:                                                      false,
		`{"mount":{"key":7}}`:                                                                                  false,
		`{"mount":{}}`:                                                                                         false,
		`{"mount":{"key":"` + key.Hex() + `","version":2,"fork":0,"hash":"` + strings.Repeat("zz", 32) + `"}}`: false,
	} {
		if err := d.SetEntry(t.Context(), "/r", drive.Entry{Metadata: []byte(raw)}); err != nil {
			t.Fatal(err)
		}
		e, err := d.Entry(t.Context(), "/r")
		if err != nil || (e.Mount != nil) != good {
			t.Errorf("%s: %+v, %v", raw, e.Mount, err)
		}
		_, err = d.ReadFile(t.Context(), "/r")
		if want := map[bool]error{true: drive.ErrIsMount, false: drive.ErrInvalidMount}[good]; !errors.Is(err, want) {
			t.Errorf("reading %s: %v", raw, err)
		}
	}
	for _, raw := range []string{`{"mount":1}`, `{"mount":"x"}`, `{"mounts":{}}`, `[{"mount":{}}]`} {
		if err := d.SetEntry(t.Context(), "/r", drive.Entry{Metadata: []byte(raw)}); err != nil {
			t.Fatal(err)
		}
		mustRead(t, d, "/r", "")
	}
}

// TestMountCycles has drives that are mounted in each other.
func TestMountCycles(t *testing.T) {
	s := newStore(t)
	a, b := newDrive(t, s, "a"), newDrive(t, s, "b")
	mustWrite(t, a, "/in-a", "a")
	mustWrite(t, b, "/in-b", "b")
	for _, m := range []struct {
		in   *drive.Drive
		path string
		of   *drive.Drive
	}{{a, "/b", b}, {b, "/a", a}, {a, "/self", a}} {
		if err := m.in.Mount(t.Context(), m.path, m.of.Key()); err != nil {
			t.Fatal(err)
		}
	}
	mustRead(t, a, "/b/a/b/a/self/self/b/in-b", "b")
	for _, d := range []*drive.Drive{a, a.Snapshot()} {
		var paths, cycles []string
		for e, err := range d.List(t.Context(), "/", drive.ListOptions{Mounts: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if paths = append(paths, e.Path); e.Cycle {
				cycles = append(cycles, e.Path)
			}
		}
		if !slices.Equal(paths, []string{"/b", "/b/a", "/b/in-b", "/in-a", "/self"}) || !slices.Equal(cycles, []string{"/b/a", "/self"}) {
			t.Errorf("listed %q, cycles %q", paths, cycles)
		}
	}
	if _, err := a.Entry(t.Context(), strings.Repeat("/self", drive.MaxHops+1)+"/in-a"); !errors.Is(err, drive.ErrTooManyMounts) {
		t.Errorf("too many mounts: %v", err)
	}
}

// TestMountMissing has mounts of drives that nobody has.
func TestMountMissing(t *testing.T) {
	outer, _ := mounted(t)
	for i := range 3 {
		if err := outer.Mount(t.Context(), fmt.Sprintf("/gone-%d", i), keys.Key{byte(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	missing := 0
	for e, err := range outer.List(t.Context(), "/", drive.ListOptions{Mounts: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Unavailable != nil {
			missing++
		}
	}
	if missing != 3 {
		t.Errorf("%d mounts are unavailable, want 3", missing)
	}
	if _, err := outer.ReadFile(t.Context(), "/gone-1/x"); !errors.Is(err, drive.ErrMountUnavailable) {
		t.Errorf("below a mount that is not there: %v", err)
	}
	mustRead(t, outer, "/z", "outer z")
}

// TestMountLinks has links below mounts: they cannot leave what is mounted.
func TestMountLinks(t *testing.T) {
	outer, inner := mounted(t)
	for link, target := range map[string]string{"/sub/in": "../g", "/sub/out": "../../f", "/sub/far": "../../../a"} {
		if err := inner.Symlink(t.Context(), link, target, drive.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := outer.MountWith(t.Context(), "/s", inner.Key(), drive.MountOptions{Path: "/sub"}); err != nil {
		t.Fatal(err)
	}
	if err := outer.Symlink(t.Context(), "/across", "/m/f", drive.Meta{}); err != nil {
		t.Fatal(err)
	}
	mustRead(t, outer, "/across", "inner f")
	mustRead(t, outer, "/s/in", "inner g")
	mustRead(t, outer, "/m/sub/out", "inner f")
	for _, path := range []string{"/s/out", "/s/far", "/m/sub/far"} {
		if b, err := outer.ReadFile(t.Context(), path); !errors.Is(err, drive.ErrPath) {
			t.Errorf("%s leads out: %q, %v", path, b, err)
		}
	}
}

func TestMountEncrypted(t *testing.T) {
	s := newStore(t)
	ref := drive.Name("secret")
	ref.Encryption = [32]byte{7}
	secret := create(t, s, ref)
	mustWrite(t, secret, "/f", "secret")
	outer := newDrive(t, s, "outer")
	if err := outer.Mount(t.Context(), "/s", secret.Key()); err != nil {
		t.Fatal(err)
	}
	if _, err := outer.ReadFile(t.Context(), "/s/f"); !errors.Is(err, drive.ErrLocked) {
		t.Errorf("without its key: %v", err)
	}
	with := drive.Key(outer.Key())
	with.Unlock = func(k keys.Key) ([32]byte, bool) { return ref.Encryption, k == secret.Key() }
	mustRead(t, create(t, s, with), "/s/f", "secret")
}

func TestMountDiffAndPins(t *testing.T) {
	outer, inner := mounted(t)
	old := outer.Snapshot()
	pins, err := outer.Pins(t.Context(), "/")
	if err != nil || len(pins) != 1 || pins[0].Path != "/m" || pins[0].Mount.Version != inner.Version() || pins[0].Unavailable != nil {
		t.Fatalf("%+v, %v", pins, err)
	}
	mustWrite(t, inner, "/later", "x")
	mustWrite(t, outer, "/b", "x")
	if err := outer.MountWith(t.Context(), "/n", inner.Key(), drive.MountOptions{Version: 2}); err != nil {
		t.Fatal(err)
	}
	versions := map[string]uint64{}
	for _, p := range pins {
		versions[p.Path] = p.Mount.Version
	}
	var got []string
	for diff, err := range outer.Diff(t.Context(), old, "/", drive.DiffOptions{Mounts: versions}) {
		if err != nil {
			t.Fatal(err)
		}
		text := diff.Path()
		if added, _ := diff.MountChange(); added {
			text += " (mount)"
		}
		got = append(got, text)
	}
	if !slices.Equal(got, []string{"/b", "/n (mount)", "/m/later"}) {
		t.Errorf("%q", got)
	}
}
