package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hypernode/hypernode/core"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/drive"
	"github.com/hypernode/hypernode/drive/mirror"
)

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
