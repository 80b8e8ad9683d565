package interop

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hypernode/hypernode/bee"
)

// hint is a message of the extension "hyperbee", as a JavaScript peer notes it.
type hint struct {
	Way string
	Get *struct {
		Version uint64
		Key     []byte
	}
	Iterator *struct{ Version, Limit uint64 }
	Blocks   []uint64
}

// awaitHint waits until a bee there has sent or received a hint that fits.
func (c *cell) awaitHint(j *jsBee, what string, fits func(h *hint) bool) *hint {
	c.t.Helper()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		var r struct{ Hints []hint }
		c.must(j.do(c.ctx, "bee.hints", Args{}, &r))
		if i := slices.IndexFunc(r.Hints, func(h hint) bool { return fits(&h) }); i >= 0 {
			tick.Stop()
			return &r.Hints[i]
		}
		select {
		case <-tick.C:
		case <-c.ctx.Done():
			c.t.Fatalf("no hint: %s; there were %+v", what, r.Hints)
		}
	}
}

// hintOps are enough keys for a tree of several levels.
func hintOps() [][]beeOp {
	ops := make([]beeOp, 1000)
	for i := range ops {
		ops[i] = beeOp{Key: fmt.Appendf(nil, "key %03d", i), Value: fmt.Appendf(nil, "value %d", i)}
	}
	return [][]beeOp{ops}
}

// TestBeeHintsToJS has a JavaScript reader look for a key and read a range in a bee that is written here: what it asks for by hints is
// answered with the blocks.
func TestBeeHintsToJS(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		node, store := NewNode(c.t), peers[0].Store(c.t)
		w := c.open(node, Spec{Name: "bee"})
		b, err := bee.Open(c.ctx, Core(w))
		c.must(err)
		defer b.Close()
		c.must(goBee(c.ctx, b, hintOps()))
		r := c.open(store, Spec{Key: c.state(w).Key})
		join(c.ctx, c.t, c.framing, store, node)
		c.must(r.Reach(c.ctx, 0, c.state(w).Length))
		j, err := openJSBee(c.ctx, peers[0], r)
		c.must(err)
		c.must(j.do(c.ctx, "bee.spy", Args{}, nil))
		var got struct{ Entry *bee.Entry }
		c.must(j.do(c.ctx, "bee.get", Args{"key": []byte("key 321")}, &got))
		if got.Entry == nil || string(got.Entry.Value) != "value 321" {
			c.t.Fatalf("the key is %+v there", got.Entry)
		}
		c.awaitHint(j, "asking for the key", func(h *hint) bool {
			return h.Way == "out" && h.Get != nil && string(h.Get.Key) == "key 321" && h.Get.Version == b.Version()
		})
		c.awaitHint(j, "an answer with the block of the key", func(h *hint) bool {
			return h.Way == "in" && slices.Contains(h.Blocks, got.Entry.Seq)
		})
		var list struct{ Entries []bee.Entry }
		c.must(j.do(c.ctx, "bee.range", Args{}, &list))
		if len(list.Entries) != 1000 {
			c.t.Errorf("the range has %d entries there", len(list.Entries))
		}
		c.awaitHint(j, "asking for a range", func(h *hint) bool { return h.Way == "out" && h.Iterator != nil })
		c.awaitHint(j, "an answer with many blocks", func(h *hint) bool { return h.Way == "in" && len(h.Blocks) > 100 })
	})
}

// TestBeeHintsFromJS looks for a key and reads a range in a bee of a JavaScript writer: it is asked by hints, and answers.
func TestBeeHintsFromJS(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		node, store := NewNode(c.t), peers[0].Store(c.t)
		w := c.open(store, Spec{Name: "bee"})
		j, err := openJSBee(c.ctx, peers[0], w)
		c.must(err)
		c.must(j.apply(c.ctx, hintOps()))
		c.must(j.do(c.ctx, "bee.spy", Args{}, nil))
		length := c.state(w).Length
		r := c.open(node, Spec{Key: c.state(w).Key})
		join(c.ctx, c.t, c.framing, node, store)
		c.must(r.Reach(c.ctx, 0, length))
		b, err := bee.Open(c.ctx, Core(r))
		c.must(err)
		defer b.Close()
		e, err := b.Get(c.ctx, []byte("key 321"))
		if err != nil || !bytes.Equal(e.Value, []byte("value 321")) {
			c.t.Fatalf("the key is %+v, %v", e, err)
		}
		c.awaitHint(j, "asking for the key", func(h *hint) bool {
			return h.Way == "in" && h.Get != nil && string(h.Get.Key) == "key 321" && h.Get.Version == length
		})
		c.awaitHint(j, "an answer with the block of the key", func(h *hint) bool {
			return h.Way == "out" && slices.Contains(h.Blocks, e.Seq)
		})
		n := 0
		for _, err := range b.Range(c.ctx, bee.Range{}) {
			c.must(err)
			n++
		}
		if n != 1000 {
			c.t.Errorf("the range has %d entries", n)
		}
		c.awaitHint(j, "asking for a range", func(h *hint) bool { return h.Way == "in" && h.Iterator != nil && h.Iterator.Version == length })
		c.awaitHint(j, "an answer with many blocks", func(h *hint) bool { return h.Way == "out" && len(h.Blocks) > 100 })
	})
}
