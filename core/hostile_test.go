package core

import (
	"errors"
	"testing"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/core/manifest"
	"github.com/hypernode/hypernode/core/merkle"
	"github.com/hypernode/hypernode/datastore"
)

const hostileLength = 1 << 50

// hostileWriter signs a tree of 2^50 blocks of which it has hashed two paths: such a log costs nothing to make.
type hostileWriter struct {
	pair  keys.Pair
	auth  *manifest.Authority
	nodes map[uint64]merkle.Node
	tree  merkle.Tree
}

func newHostileWriter(t *testing.T, blocks ...uint64) *hostileWriter {
	t.Helper()
	h := &hostileWriter{pair: pairOf(1), nodes: map[uint64]merkle.Node{}}
	m := manifest.Single(h.pair.Public)
	var err error
	if h.auth, err = manifest.NewAuthority(m.Key(), m, manifest.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, i := range blocks {
		h.nodes[2*i] = merkle.Leaf(i, []byte{byte(i)})
	}
	root := merkle.FullRoots(nil, hostileLength)[0]
	h.fill(root, blocks)
	if h.tree, err = merkle.NewTree(0, []merkle.Node{h.nodes[root]}); err != nil {
		t.Fatal(err)
	}
	return h
}

// fill makes the node index and all below it that lead to the blocks; the others are made up.
func (h *hostileWriter) fill(index uint64, blocks []uint64) {
	if _, ok := h.nodes[index]; ok {
		return
	}
	below := false
	for _, i := range blocks {
		below = below || merkle.LeftSpan(index) <= 2*i && 2*i <= merkle.RightSpan(index)
	}
	left, right, inner := merkle.Children(index)
	if !below || !inner {
		h.nodes[index] = merkle.Node{Index: index, Size: 1, Hash: merkle.Hash{1, byte(index)}}
		return
	}
	h.fill(left, blocks)
	h.fill(right, blocks)
	h.nodes[index] = merkle.Parent(h.nodes[left], h.nodes[right])
}

// ReadNodes implements merkle.Reader.
func (h *hostileWriter) ReadNodes(indexes []uint64) ([]merkle.Node, error) {
	list := make([]merkle.Node, len(indexes))
	for i, index := range indexes {
		list[i] = h.nodes[index]
	}
	return list, nil
}

func (h *hostileWriter) answer(t *testing.T, q *merkle.Request) *merkle.Proof {
	t.Helper()
	p, err := merkle.Prove(h, &h.tree, nil, q)
	if err != nil {
		t.Fatal(err)
	}
	if p.Upgrade != nil {
		if p.Upgrade.Signature, err = h.auth.Sign(h.pair, &h.tree); err != nil {
			t.Fatal(err)
		}
		p.Manifest = h.auth.Manifest().Encode()
	}
	if p.Block != nil {
		p.Block.Value = []byte{byte(p.Block.Index)}
	}
	return p
}

// TestHostileLength has a signed length of 2^50 and few blocks: nothing takes a time that grows with the length.
func TestHostileLength(t *testing.T) {
	blocks := []uint64{0, 1 << 20, 1<<40 + 5, hostileLength - 1}
	h := newHostileWriter(t, blocks...)
	for name, db := range map[string]*datastore.DB{"memory": memoryDB(t, datastore.Options{}), "pebble": smallPebble(t, datastore.Options{})} {
		t.Run(name, func(t *testing.T) {
			for _, end := range []func(t *testing.T, c *Core){hostileClear, hostileTruncate, hostileDelete} {
				c := openCore(t, db, Options{Pair: h.pair, Derived: true})
				apply(t, c, h.answer(t, &merkle.Request{ID: 1, Upgrade: &merkle.UpgradeRequest{Length: hostileLength}}))
				for _, i := range blocks {
					n, err := c.MissingNodes(t.Context(), i)
					if err != nil {
						t.Fatal(err)
					}
					if v := apply(t, c, h.answer(t, &merkle.Request{ID: 1, Block: &merkle.BlockRequest{Index: i, Nodes: n}})); v.Err != nil {
						t.Fatal(v.Err)
					}
				}
				hostileReads(t, c, blocks)
				end(t, c)
				if err := c.Delete(t.Context()); err != nil && !errors.Is(err, ErrDeleted) {
					t.Fatal(err)
				}
			}
		})
		if name == "pebble" {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// quick fails when fn takes long. The bound is far above what it takes, and far below what a loop over the length takes.
func quick(t *testing.T, what string, fn func() error) {
	t.Helper()
	start := time.Now()
	if err := fn(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Fatalf("%s took %v", what, took)
	}
}

func hostileReads(t *testing.T, c *Core, blocks []uint64) {
	t.Helper()
	for _, i := range blocks {
		mustGet(t, c, i, []byte{byte(i)})
	}
	quick(t, "held", func() error {
		held, err := c.Held(t.Context(), 0, hostileLength)
		if len(held) != len(blocks) {
			t.Fatalf("holds %v", held)
		}
		return err
	})
	quick(t, "info", func() error {
		i, err := c.Info(t.Context())
		if i.Held != uint64(len(blocks)) || !i.RolledBack {
			t.Fatalf("%+v", i)
		}
		return err
	})
	quick(t, "verify", func() error { _, err := c.Verify(t.Context()); return err })
	quick(t, "has", func() error { _, err := c.Has(t.Context(), 0, hostileLength); return err })
	quick(t, "download", func() error {
		if err := c.Download(t.Context(), Want{Ranges: []Range{{0, hostileLength}}}); !errors.Is(err, ErrNotAvailable) {
			return errors.Join(errors.New("it ended"), err)
		}
		return nil
	})
}

func hostileClear(t *testing.T, c *Core) {
	quick(t, "clear", func() error { return c.Clear(t.Context(), 1, hostileLength-5) })
	mustGet(t, c, hostileLength-1, []byte{255})
	quick(t, "clear", func() error { return c.Clear(t.Context(), 0, hostileLength) })
	if held := heldBlocks(t, c); len(held) != 0 {
		t.Fatalf("holds %v", held)
	}
}

// hostileTruncate moves to a later fork of a few blocks, as a writer that saw its error would.
func hostileTruncate(t *testing.T, c *Core) {
	w := newWriter(t, 1, numbered(0, 3)...)
	if err := w.Truncate(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	quick(t, "moving to another fork", func() error { catchUp(t, w, c); return nil })
	if c.Head() != w.Head() {
		t.Fatalf("%v, want %v", c.Head(), w.Head())
	}
}

func hostileDelete(t *testing.T, c *Core) {
	quick(t, "delete", func() error { return c.Delete(t.Context()) })
}
