package mirror

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
)

// mounted is a drive with drives in it, one in the other, one of them pinned, and one that nobody has.
type mounted struct {
	top, child, grandchild *drive.Drive
	now                    model
}

func newMounted(t *testing.T) *mounted {
	t.Helper()
	store := newStore(t)
	m := &mounted{openDrive(t, store, drive.Name("top")), openDrive(t, store, drive.Name("child")), openDrive(t, store, drive.Name("grandchild")), nil}
	m.write(t, m.top, "/a", "1")
	m.write(t, m.top, "/z/last", "2")
	m.write(t, m.child, "/file", "3")
	m.write(t, m.child, "/sub/part", "4")
	m.write(t, m.grandchild, "/deep/er", "5")
	for _, err := range []error{
		m.top.Mount(t.Context(), "/m", m.child.Key()),
		m.child.Mount(t.Context(), "/g", m.grandchild.Key()),
		m.top.MountWith(t.Context(), "/z/pinned", m.child.Key(), drive.MountOptions{Version: m.child.Version(), Path: "/sub"}),
	} {
		must(t, err)
	}
	m.now = model{
		"a": text("1"), "z/last": text("2"), "m/file": text("3"), "m/sub/part": text("4"), "m/g/deep/er": text("5"), "z/pinned/part": text("4"),
	}
	return m
}

func (m *mounted) write(t *testing.T, d *drive.Drive, path, data string) {
	t.Helper()
	must(t, d.WriteFile(t.Context(), path, []byte(data), drive.Meta{}))
}

// TestMountsAreExported mirrors a drive with others mounted in it to a folder, and to a drive of one piece.
func TestMountsAreExported(t *testing.T) {
	m, dir, d := newMounted(t), t.TempDir(), newDrive(t)
	o := Options{Mounts: true, Prune: true}
	model{"m/old": text("old"), "a/b": text("in the way")}.put(t, dir)
	syncTrees(t, Drive(m.top), Dir(dir), o)
	check(t, readDir(t, dir), m.now)
	syncTrees(t, Drive(m.top), Drive(d), o)
	check(t, readDrive(t, d), m.now)
	if stats := syncTrees(t, Drive(m.top), Dir(dir), o); stats.Unchanged != int64(len(m.now)) || stats.BytesWritten != 0 {
		t.Errorf("once more: %+v", stats)
	}
	m.write(t, m.grandchild, "/deep/er", "6")
	m.now["m/g/deep/er"] = text("6")
	syncTrees(t, Drive(m.top), Dir(dir), o)
	check(t, readDir(t, dir), m.now)
	syncTrees(t, Folder(m.top, "/z"), Dir(filepath.Join(dir, "z")), o)
	check(t, readDir(t, dir), m.now)
}

// TestMissingMountIsKept mirrors while a mounted drive cannot be reached, and a mount that leads back: all else is there, and what the
// target has in their places stays.
func TestMissingMountIsKept(t *testing.T) {
	m, dir := newMounted(t), t.TempDir()
	nobody := keys.PairFromSeed(keys.Seed{77})
	must(t, m.top.Mount(t.Context(), "/missing", keys.Key(nobody.Public)))
	must(t, m.child.Mount(t.Context(), "/sub2/round", m.top.Key()))
	kept := model{"missing/old": text("old")}
	kept.put(t, dir)
	_, err := Sync(t.Context(), Drive(m.top), Dir(dir), Options{Mounts: true, Prune: true})
	var p *PartialError
	if !errors.As(err, &p) || len(p.Problems) != 1 || p.Problems[0].Path != "missing" || !errors.Is(err, drive.ErrMountUnavailable) {
		t.Fatalf("mirrored with %v", err)
	}
	m.now["missing/old"] = text("old")
	check(t, readDir(t, dir), m.now)
}

// TestFollowMounts follows a drive and those in it: files that come in each of them, a mount that comes, and one that goes.
func TestFollowMounts(t *testing.T) {
	m, dir := newMounted(t), t.TempDir()
	f := follow(t, Drive(m.top), Dir(dir), Options{Mounts: true, Prune: true})
	read := func() model { return readDir(t, dir) }
	f.until(read, m.now)
	m.write(t, m.child, "/new", "7")
	m.now["m/new"] = text("7")
	f.until(read, m.now)
	m.write(t, m.grandchild, "/deep/er", "8")
	m.now["m/g/deep/er"] = text("8")
	f.until(read, m.now)
	must(t, m.top.Mount(t.Context(), "/n", m.grandchild.Key()))
	m.now["n/deep/er"] = text("8")
	f.until(read, m.now)
	m.write(t, m.grandchild, "/x", "9")
	m.now["n/x"], m.now["m/g/x"] = text("9"), text("9")
	f.until(read, m.now)
	must(t, m.top.Unmount(context.Background(), "/n"))
	delete(m.now, "n/x")
	delete(m.now, "n/deep/er")
	f.until(read, m.now)
}
