package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
)

// driveOp is a change of a drive.
type driveOp struct {
	path       string
	data       []byte // of a file
	link       string // of a link
	del        bool
	executable bool
	metadata   string // JSON
}

// tree is changes that make a drive with all kinds of entries.
func tree() []driveOp {
	large := make([]byte, 300_000)
	rand.NewChaCha8([32]byte{1}).Read(large)
	return []driveOp{
		{path: "/hello.txt", data: []byte("hello world")},
		{path: "/empty", data: []byte{}},
		{path: "/a/b/large.bin", data: large},
		{path: "/a/run.sh", data: []byte("#!/bin/sh\n"), executable: true},
		{path: "/a/link", link: "/hello.txt"},
		{path: "/späße/ünï 日本.txt", data: []byte("names")},
		{path: "/noted", data: []byte("with metadata"), metadata: `{"b":1,"a":[true,null,"x"],"n":1.5}`},
		{path: "/gone", data: []byte("soon deleted")},
		{path: "/gone", del: true},
		{path: "/hello.txt", data: []byte("hello again")},
		{path: "/z/last", data: bytes.Repeat([]byte("0123456789"), 20_000)},
	}
}

// driveOps returns random changes of few paths.
func driveOps(r *rand.Rand, count int) []driveOp {
	list := make([]driveOp, count)
	for i := range list {
		path := fmt.Sprintf("/%c/%d", 'a'+r.IntN(3), r.IntN(12))
		switch r.IntN(6) {
		case 0:
			list[i] = driveOp{path: path, del: true}
		case 1:
			list[i] = driveOp{path: path, link: fmt.Sprintf("../%d", r.IntN(9))}
		default:
			data := make([]byte, r.IntN(200))
			if r.IntN(10) == 0 {
				data = make([]byte, 65536+r.IntN(100_000))
			}
			for k := range data {
				data[k] = byte(r.Uint32())
			}
			list[i] = driveOp{path: path, data: data, executable: r.IntN(5) == 0}
		}
	}
	return list
}

func goDrive(ctx context.Context, d *drive.Drive, ops []driveOp) error {
	for _, op := range ops {
		m := drive.Meta{Executable: op.executable, Metadata: json.RawMessage(op.metadata)}
		var err error
		switch {
		case op.del:
			err = d.Remove(ctx, op.path)
		case op.link != "":
			err = d.Symlink(ctx, op.path, op.link, m)
		default:
			err = d.WriteFile(ctx, op.path, op.data, m)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op.path, err)
		}
	}
	return nil
}

// jsDrive is a drive in a JavaScript peer.
type jsDrive struct {
	peer    *Peer
	handle  int
	key     keys.Key
	version uint64
}

// openJSDrive opens the drive of a store, or that of a key.
func openJSDrive(ctx context.Context, s *Store, key keys.Key, encryption []byte) (*jsDrive, error) {
	args := Args{"store": s.Handle, "encryption": encryption}
	if !key.IsZero() {
		args["key"] = key[:]
	}
	var r struct {
		Handle int
		Key    []byte
	}
	if err := s.Peer.Command(ctx, "drive.open", args, &r); err != nil {
		return nil, err
	}
	return &jsDrive{peer: s.Peer, handle: r.Handle, key: keys.Key(r.Key)}, nil
}

func (d *jsDrive) do(ctx context.Context, command string, args Args, result any) error {
	args["drive"] = d.handle
	return d.peer.Command(ctx, command, args, result)
}

func (d *jsDrive) apply(ctx context.Context, ops []driveOp) error {
	for _, op := range ops {
		var err error
		switch {
		case op.del:
			err = d.do(ctx, "drive.del", Args{"path": op.path}, nil)
		case op.link != "":
			err = d.do(ctx, "drive.symlink", Args{"path": op.path, "target": op.link}, nil)
		default:
			args := Args{"path": op.path, "data": op.data, "executable": op.executable}
			if op.metadata != "" {
				args["metadata"] = json.RawMessage(op.metadata)
			}
			err = d.do(ctx, "drive.put", args, nil)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op.path, err)
		}
	}
	return nil
}

// driveState is what there is to compare of a drive.
type driveState struct {
	Version   uint64
	DB, Blobs struct {
		Length, Fork uint64
		Hash         []byte
	}
}

func (d *jsDrive) state(ctx context.Context) (s driveState, err error) {
	err = d.do(ctx, "drive.state", Args{}, &s)
	return s, err
}

func stateOf(ctx context.Context, d *drive.Drive) (s driveState, err error) {
	b, err := d.Blobs(ctx)
	if err != nil {
		return s, err
	}
	s.Version = d.Version()
	for _, x := range []struct {
		to *struct {
			Length, Fork uint64
			Hash         []byte
		}
		from *core.Core
	}{{&s.DB, d.Core()}, {&s.Blobs, b.Core()}} {
		h, hash := x.from.Head(), x.from.TreeHash()
		x.to.Length, x.to.Fork, x.to.Hash = h.Length, h.Fork, hash[:]
	}
	return s, nil
}

// TestDriveBlocks does the same changes on both sides, from one primary key: keys and tree hashes are the same.
func TestDriveBlocks(t *testing.T) {
	peer := Start(t)
	sequences := [][]driveOp{tree()}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range 5 {
		sequences = append(sequences, driveOps(rand.New(rand.NewPCG(seed, uint64(i))), 40))
	}
	for i, ops := range sequences {
		for _, encryption := range [][32]byte{{}, {3}} {
			t.Run(fmt.Sprint(i, encryption[0]), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
				defer cancel()
				c := &cell{t: t, ctx: ctx}
				primary := keys.PrimaryKey{1, byte(i)}
				var secret []byte
				ref := drive.Own()
				if encryption != [32]byte{} {
					ref.Encryption, secret = encryption, encryption[:]
				}
				d, err := drive.Create(ctx, NodeFrom(t, primary).Store, ref)
				c.must(err)
				defer d.Close()
				c.must(goDrive(ctx, d, ops))
				j, err := openJSDrive(ctx, peer.StoreFrom(t, primary), keys.Key{}, secret)
				c.must(err)
				c.must(j.apply(ctx, ops))
				theirs, err := j.state(ctx)
				c.must(err)
				ours, err := stateOf(ctx, d)
				c.must(err)
				if d.Key() != j.key || fmt.Sprint(ours) != fmt.Sprint(theirs) {
					t.Errorf("here %s %+v, there %s %+v", d.Key(), ours, j.key, theirs)
				}
			})
		}
	}
}

// TestDriveFromJS mirrors a drive of a JavaScript writer over the wire: the folder is the one that JavaScript makes of it.
func TestDriveFromJS(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		store, node := peers[0].Store(c.t), NewNode(c.t)
		j, err := openJSDrive(c.ctx, store, keys.Key{}, nil)
		c.must(err)
		c.must(j.apply(c.ctx, tree()))
		d, err := drive.Open(c.ctx, node.Store, j.key)
		c.must(err)
		defer d.Close()
		join(c.ctx, c.t, c.framing, node, store)
		s, err := j.state(c.ctx)
		c.must(err)
		c.reach(d.Core(), s.DB.Length)
		here, there := filepath.Join(c.t.TempDir(), "here"), filepath.Join(c.t.TempDir(), "there")
		_, err = mirror.Sync(c.ctx, mirror.Drive(d), mirror.Dir(here), mirror.Options{Links: true})
		if problems := notLinks(err); problems != nil {
			c.t.Fatal(problems)
		}
		c.must(j.do(c.ctx, "drive.export", Args{"dir": there}, nil))
		c.sameFolder(here, there)
		c.ranged(d, "/a/b/large.bin")
		c.watched(d, j)
	})
}

// notLinks is err unless it only says that a link, which leads out of the folder, was not written.
func notLinks(err error) error {
	var p *mirror.PartialError
	if err == nil || !errors.As(err, &p) {
		return err
	}
	return nil
}

// reach waits for a length of a core.
func (c *cell) reach(l *core.Core, length uint64) {
	c.t.Helper()
	for h := l.Head(); h.Length < length; {
		var err error
		h, err = l.Wait(c.ctx, h)
		c.must(err)
	}
}

// ranged reads pieces of a file of the tree at random.
func (c *cell) ranged(d *drive.Drive, path string) {
	c.t.Helper()
	i := slices.IndexFunc(tree(), func(op driveOp) bool { return op.path == path })
	want := tree()[i].data
	f, err := d.Open(c.ctx, path)
	c.must(err)
	defer f.Close()
	for _, at := range []int64{0, 65535, 65536, 131000, int64(len(want)) - 10} {
		got := make([]byte, min(5000, len(want)-int(at)))
		if _, err := f.ReadAt(got, at); err != nil && err != io.EOF {
			c.t.Fatal(err)
		}
		if !bytes.Equal(got, want[at:int(at)+len(got)]) {
			c.t.Errorf("%s differs at %d", path, at)
		}
	}
}

// watched waits for a file that the writer adds now.
func (c *cell) watched(d *drive.Drive, j *jsDrive) {
	c.t.Helper()
	seen := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		for ch, err := range d.Watch(c.ctx, "/live", drive.WatchOptions{}) {
			if err == nil {
				_, err = ch.Now.ReadFile(c.ctx, "/live/file")
			}
			seen <- err
			return
		}
	}()
	<-started
	c.must(j.apply(c.ctx, []driveOp{{path: "/live/file", data: []byte("first")}}))
	for n := 0; ; n++ {
		select {
		case err := <-seen:
			c.must(err)
			return
		default:
			c.must(j.apply(c.ctx, []driveOp{{path: "/live/file", data: fmt.Appendf(nil, "again %d", n)}}))
		}
	}
}

// TestDriveToJS has a JavaScript peer mirror and read a drive that is written here.
func TestDriveToJS(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		store, node := peers[0].Store(c.t), NewNode(c.t)
		d, err := drive.Create(c.ctx, node.Store, drive.Own())
		c.must(err)
		defer d.Close()
		c.must(goDrive(c.ctx, d, tree()))
		j, err := openJSDrive(c.ctx, store, d.Key(), nil)
		c.must(err)
		join(c.ctx, c.t, c.framing, store, node)
		entries, err := store.Open(c.ctx, Spec{Key: d.Key()})
		c.must(err)
		c.must(entries.Reach(c.ctx, 0, d.Core().Head().Length))
		c.jsList(j, d)
		here, there := filepath.Join(c.t.TempDir(), "here"), filepath.Join(c.t.TempDir(), "there")
		c.must(j.do(c.ctx, "drive.export", Args{"dir": there}, nil))
		_, err = mirror.Sync(c.ctx, mirror.Drive(d), mirror.Dir(here), mirror.Options{Links: true})
		if problems := notLinks(err); problems != nil {
			c.t.Fatal(problems)
		}
		c.sameFolder(here, there)
		var part struct{ Data []byte }
		c.must(j.do(c.ctx, "drive.read", Args{"path": "/a/b/large.bin", "start": 70_000, "end": 140_000, "ms": nil}, &part))
		if !bytes.Equal(part.Data, tree()[2].data[70_000:140_001]) {
			c.t.Errorf("a range of %d bytes differs", len(part.Data))
		}
	})
}

// jsList fails unless a drive there lists and reads what this one does.
func (c *cell) jsList(j *jsDrive, d *drive.Drive) {
	c.t.Helper()
	var r struct {
		Entries []struct {
			Seq        uint64
			Name       string
			Executable bool
			Linkname   string
		}
	}
	c.must(j.do(c.ctx, "drive.list", Args{}, &r))
	n := 0
	for e, err := range d.List(c.ctx, "/", drive.ListOptions{}) {
		c.must(err)
		if n >= len(r.Entries) {
			c.t.Fatalf("%s is not listed", e.Path)
		}
		x := r.Entries[n]
		n++
		if x.Name != e.Path || x.Seq != e.Seq || x.Executable != e.Executable || x.Linkname != e.Link {
			c.t.Errorf("listed there is %+v, here %+v", x, e)
		}
		if e.IsLink() {
			continue
		}
		want, err := d.ReadFile(c.ctx, e.Path)
		c.must(err)
		var file struct{ Data []byte }
		c.must(j.do(c.ctx, "drive.get", Args{"path": e.Path, "ms": nil}, &file))
		if !bytes.Equal(file.Data, want) {
			c.t.Errorf("%s has %d bytes there, %d here", e.Path, len(file.Data), len(want))
		}
	}
	if n != len(r.Entries) {
		c.t.Errorf("%d entries there, %d here", len(r.Entries), n)
	}
}

// sameFolder fails unless two folders have the same files; links are left out.
func (c *cell) sameFolder(a, b string) {
	c.t.Helper()
	x, y := files(c.t, a), files(c.t, b)
	if len(x) == 0 {
		c.t.Fatal("an empty folder")
	}
	for name, data := range x {
		if other, ok := y[name]; !ok || other != data {
			c.t.Errorf("%s differs, or is not in %s", name, b)
		}
	}
	if len(x) != len(y) {
		c.t.Errorf("%d files in %s, %d in %s", len(x), a, len(y), b)
	}
}

// files returns the files below a folder with their contents and executable bit.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		m[name] = fmt.Sprint(info.Mode()&0o100, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
