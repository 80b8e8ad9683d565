package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
)

// linked is the tree, with a link that a folder takes, and files that carry metadata.
func linked() []driveOp {
	var ops []driveOp
	for _, op := range tree() {
		if op.link == "" {
			ops = append(ops, op)
		}
	}
	return append(ops,
		driveOp{path: "/a/beside", link: "run.sh"},
		driveOp{path: "/timed", data: []byte("x"), executable: true, metadata: `{"mtime":1700000000123,"mode":493}`},
	)
}

// TestDriveMirrors has each side mirror a drive of the other over the wire, into a drive of its own: all entries are the same, with
// links, executable bits and metadata, and so are the folders that are made of both.
func TestDriveMirrors(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		store, node := peers[0].Store(c.t), NewNode(c.t)
		theirs, err := openJSDrive(c.ctx, store, keys.Key{}, nil)
		c.must(err)
		c.must(theirs.apply(c.ctx, linked()))
		ours, err := drive.Create(c.ctx, node.Store, drive.Name("ours"))
		c.must(err)
		defer ours.Close()
		c.must(goDrive(c.ctx, ours, linked()))
		join(c.ctx, c.t, c.framing, node, store)

		far, err := drive.Open(c.ctx, node.Store, theirs.key)
		c.must(err)
		defer far.Close()
		s, err := theirs.state(c.ctx)
		c.must(err)
		c.reach(far.Core(), s.DB.Length)
		c.sparse(far)
		copied, err := drive.Create(c.ctx, node.Store, drive.Name("copy"))
		c.must(err)
		defer copied.Close()
		_, err = mirror.Sync(c.ctx, mirror.Drive(far), mirror.Drive(copied), mirror.Options{Prune: true})
		c.must(err)
		c.sameEntries(copied, ours)

		jsFar, err := openJSDrive(c.ctx, store, ours.Key(), nil)
		c.must(err)
		entries, err := store.Open(c.ctx, Spec{Key: ours.Key()})
		c.must(err)
		c.must(entries.Reach(c.ctx, 0, ours.Core().Head().Length))
		own := peers[0].Store(c.t)
		jsCopy, err := openJSDrive(c.ctx, own, keys.Key{}, nil)
		c.must(err)
		c.must(peers[0].Command(c.ctx, "drive.mirror", Args{"from": jsFar.handle, "to": jsCopy.handle}, nil))
		c.sameThere(jsCopy, ours)

		here, there := filepath.Join(c.t.TempDir(), "here"), filepath.Join(c.t.TempDir(), "there")
		_, err = mirror.Sync(c.ctx, mirror.Drive(copied), mirror.Dir(here), mirror.Options{Links: true})
		c.must(err)
		c.must(jsCopy.do(c.ctx, "drive.export", Args{"dir": there}, nil))
		c.sameFolder(here, there)
		for _, dir := range []string{here, there} {
			if link, err := os.Readlink(filepath.Join(dir, "a", "beside")); err != nil || link != "run.sh" {
				c.t.Errorf("the link in %s leads to %q, %v", dir, link, err)
			}
		}
		c.must(os.Mkdir(filepath.Join(here, "nothing in it"), 0o777))
		c.imported(node, peers[0], here)
	})
}

// sparse lists a drive that was opened just now: none of its contents comes with that.
func (c *cell) sparse(d *drive.Drive) {
	c.t.Helper()
	n := 0
	for _, err := range d.List(c.ctx, "/", drive.ListOptions{}) {
		c.must(err)
		n++
	}
	b, err := d.Blobs(c.ctx)
	c.must(err)
	if held, err := b.Core().Held(c.ctx, 0, 1<<20); err != nil || n == 0 || len(held) > 0 {
		c.t.Errorf("%d entries were listed, %v of the contents came with them, %v", n, held, err)
	}
	ranged := []core.Range{{Start: 1, End: 2}}
	c.must(d.DownloadRange(c.ctx, nil, ranged, drive.DownloadOptions{}))
	if held, err := b.Core().Held(c.ctx, 0, 1<<20); err != nil || fmt.Sprint(held) != fmt.Sprint(ranged) {
		c.t.Errorf("%v of the contents is here, want %v, %v", held, ranged, err)
	}
}

// sameEntries fails unless two drives have the same files, links, attributes and contents.
func (c *cell) sameEntries(a, b *drive.Drive) {
	c.t.Helper()
	x, y := c.allFiles(a), c.allFiles(b)
	for path, e := range x {
		if y[path] != e {
			c.t.Errorf("%s is %s, and %s", path, e, y[path])
		}
	}
	if len(x) != len(y) || len(x) == 0 {
		c.t.Errorf("%d entries, and %d", len(x), len(y))
	}
}

// allFiles returns what a drive has, by path.
func (c *cell) allFiles(d *drive.Drive) map[string]string {
	c.t.Helper()
	m := map[string]string{}
	for e, err := range d.List(c.ctx, "/", drive.ListOptions{}) {
		c.must(err)
		var data []byte
		if !e.IsLink() {
			data, err = d.ReadFile(c.ctx, e.Path)
			c.must(err)
		}
		m[e.Path] = described(e.Executable, e.Link, e.Metadata, data)
	}
	return m
}

func described(executable bool, link string, metadata json.RawMessage, data []byte) string {
	if bytes.Equal(metadata, []byte("null")) {
		metadata = nil
	}
	return fmt.Sprintf("%v %q %s %x", executable, link, metadata, keys.Hash(data))
}

// sameThere fails unless a drive there has the files, links, attributes and contents of one here.
func (c *cell) sameThere(j *jsDrive, d *drive.Drive) {
	c.t.Helper()
	want := c.allFiles(d)
	var r struct {
		Entries []struct {
			Name       string
			Executable bool
			Linkname   string
			Metadata   json.RawMessage
		}
	}
	c.must(j.do(c.ctx, "drive.list", Args{}, &r))
	for _, e := range r.Entries {
		var file struct{ Data []byte }
		if e.Linkname == "" {
			c.must(j.do(c.ctx, "drive.get", Args{"path": e.Name, "ms": nil}, &file))
		}
		if got := described(e.Executable, e.Linkname, e.Metadata, file.Data); got != want[e.Name] {
			c.t.Errorf("%s is %s there, %s here", e.Name, got, want[e.Name])
		}
	}
	if len(r.Entries) != len(want) {
		c.t.Errorf("%d entries there, %d here", len(r.Entries), len(want))
	}
}

// imported has both sides take a folder into a new drive: the same files, and nothing of a folder without any.
func (c *cell) imported(node *Node, peer *Peer, dir string) {
	c.t.Helper()
	ours, err := drive.Create(c.ctx, node.Store, drive.Name("imported"))
	c.must(err)
	defer ours.Close()
	_, err = mirror.Sync(c.ctx, mirror.Dir(dir), mirror.Drive(ours), mirror.Options{})
	c.must(err)
	theirs, err := openJSDrive(c.ctx, peer.Store(c.t), keys.Key{}, nil)
	c.must(err)
	c.must(theirs.do(c.ctx, "drive.import", Args{"dir": dir}, nil))
	c.sameThere(theirs, ours)
	out := filepath.Join(c.t.TempDir(), "out")
	_, err = mirror.Sync(c.ctx, mirror.Drive(ours), mirror.Dir(out), mirror.Options{Links: true})
	c.must(err)
	c.sameFolder(dir, out)
	if _, err := os.Lstat(filepath.Join(out, "nothing in it")); !os.IsNotExist(err) {
		c.t.Errorf("a folder without files came out: %v", err)
	}
}

// TestDriveMounted has a JavaScript reader go through a drive with a tag and with mounts, plain, pinned, and of a folder: each mount is an
// empty file to it, and all else is as without them. What JavaScript mirrors of it is a mount here again.
func TestDriveMounted(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		store, node := peers[0].Store(c.t), NewNode(c.t)
		child, err := drive.Create(c.ctx, node.Store, drive.Name("child"))
		c.must(err)
		defer child.Close()
		c.must(goDrive(c.ctx, child, []driveOp{{path: "/sub/inner", data: []byte("inner")}}))
		d, err := drive.Create(c.ctx, node.Store, drive.Name("parent"))
		c.must(err)
		defer d.Close()
		c.must(goDrive(c.ctx, d, []driveOp{{path: "/before", data: []byte("1")}, {path: "/n/after", data: []byte("2")}}))
		c.must(d.Mount(c.ctx, "/m", child.Key()))
		c.must(d.MountWith(c.ctx, "/n/pinned", child.Key(), drive.MountOptions{Version: child.Version(), Path: "/sub"}))
		c.must(d.Tag(c.ctx, "named", 0))
		j, err := openJSDrive(c.ctx, store, d.Key(), nil)
		c.must(err)
		join(c.ctx, c.t, c.framing, store, node)
		entries, err := store.Open(c.ctx, Spec{Key: d.Key()})
		c.must(err)
		c.must(entries.Reach(c.ctx, 0, d.Core().Head().Length))
		var r struct{ Entries []struct{ Name string } }
		c.must(j.do(c.ctx, "drive.list", Args{}, &r))
		var blobs struct{ Length uint64 }
		c.must(j.do(c.ctx, "drive.blobsLength", Args{}, &blobs))
		if want, err := d.BlobsLength(c.ctx); err != nil || blobs.Length != want {
			c.t.Errorf("%d blocks of contents are needed there, %d here, %v", blobs.Length, want, err)
		}
		if got := fmt.Sprint(r.Entries); got != "[{/before} {/m} {/n/after} {/n/pinned}]" {
			c.t.Errorf("listed there: %s", got)
		}
		for path, want := range map[string][]byte{"/before": []byte("1"), "/n/after": []byte("2"), "/m": nil, "/m/sub/inner": nil} {
			var file struct{ Data []byte }
			c.must(j.do(c.ctx, "drive.get", Args{"path": path, "ms": nil}, &file))
			if !bytes.Equal(file.Data, want) {
				c.t.Errorf("%s is %q there", path, file.Data)
			}
		}
		c.must(j.do(c.ctx, "drive.download", Args{"folder": "/", "ms": nil}, nil))
		out := filepath.Join(c.t.TempDir(), "out")
		c.must(j.do(c.ctx, "drive.export", Args{"dir": out}, nil))
		for path, n := range map[string]int64{"before": 1, "m": 0, "n/after": 1, "n/pinned": 0} {
			if info, err := os.Stat(filepath.Join(out, path)); err != nil || info.Size() != n || !info.Mode().IsRegular() {
				c.t.Errorf("%s was exported as %v, %v", path, info, err)
			}
		}
		c.mountAgain(node, store, j, child.Key())
	})
}

// mountAgain has JavaScript mirror a drive with mounts into one of its own, and reads through them here.
func (c *cell) mountAgain(node *Node, store *Store, j *jsDrive, child keys.Key) {
	c.t.Helper()
	var opened struct {
		Handle int
		Key    []byte
	}
	c.must(store.Peer.Command(c.ctx, "drive.open", Args{"store": store.Handle, "namespace": "again"}, &opened))
	again := &jsDrive{peer: store.Peer, handle: opened.Handle, key: keys.Key(opened.Key)}
	c.must(store.Peer.Command(c.ctx, "drive.mirror", Args{"from": j.handle, "to": again.handle}, nil))
	d, err := drive.Open(c.ctx, node.Store, again.key)
	c.must(err)
	defer d.Close()
	s, err := again.state(c.ctx)
	c.must(err)
	c.reach(d.Core(), s.DB.Length)
	e, err := d.Entry(c.ctx, "/m")
	c.must(err)
	if e.Mount == nil || e.Mount.Key != child {
		c.t.Errorf("/m is no mount any more: %+v", e)
	}
	for _, path := range []string{"/m/sub/inner", "/n/pinned/inner"} {
		if data, err := d.ReadFile(c.ctx, path); err != nil || string(data) != "inner" {
			c.t.Errorf("%s is %q, %v", path, data, err)
		}
	}
}
