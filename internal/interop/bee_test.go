package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/hypernode/hypernode/bee"
	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/beeops"
)

// beeOp is a change of a bee.
type beeOp = beeops.Op

// beeOps returns random changes in batches, many of them of the same keys.
func beeOps(r *rand.Rand, batches int) [][]beeOp {
	list := make([][]beeOp, batches)
	for i := range list {
		for range 1 + r.IntN(6) {
			op := beeOp{Key: fmt.Appendf(nil, "key %d", r.IntN(80)), Del: r.IntN(4) == 0}
			if !op.Del {
				op.Value = fmt.Appendf(nil, "value %d", r.IntN(1000))
			}
			list[i] = append(list[i], op)
		}
	}
	return list
}

// model does the changes to a map.
func model(batches [][]beeOp) map[string]string {
	m := map[string]string{}
	for _, ops := range batches {
		for _, op := range ops {
			if op.Del {
				delete(m, string(op.Key))
			} else {
				m[string(op.Key)] = string(op.Value)
			}
		}
	}
	return m
}

// goBee does the changes here; a batch of one without a batch.
func goBee(ctx context.Context, b *bee.Bee, batches [][]beeOp) error {
	for _, ops := range batches {
		var err error
		if len(ops) > 1 {
			err = b.Update(ctx, func(tx *bee.Batch) error { return inBatch(tx, ops) })
		} else {
			err = alone(ctx, b, &ops[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func alone(ctx context.Context, b *bee.Bee, op *beeOp) (err error) {
	allows := func(prev, _ bee.Entry) bool { return op.Allows(prev.Value) }
	switch {
	case op.Del && op.Less:
		_, err = b.DeleteIf(ctx, op.Key, allows)
	case op.Del:
		err = b.Delete(ctx, op.Key)
	case op.Less:
		_, err = b.PutIf(ctx, op.Key, op.Value, allows)
	default:
		err = b.Put(ctx, op.Key, op.Value)
	}
	return err
}

func inBatch(tx *bee.Batch, ops []beeOp) (err error) {
	for i := range ops {
		op := &ops[i]
		allows := func(prev, _ bee.Entry) bool { return op.Allows(prev.Value) }
		if op.Del {
			_, err = tx.DeleteIf(op.Key, allows)
		} else {
			_, err = tx.PutIf(op.Key, op.Value, allows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// jsBee is a bee in a JavaScript peer.
type jsBee struct {
	peer   *Peer
	handle int
}

func openJSBee(ctx context.Context, p *Peer, l Log) (*jsBee, error) {
	return openJSBeeWith(ctx, p, l, Args{})
}

func openJSBeeWith(ctx context.Context, p *Peer, l Log, options Args) (*jsBee, error) {
	b := &jsBee{peer: p}
	var r struct{ Handle int }
	options["core"] = Handle(l)
	err := p.Command(ctx, "bee.open", options, &r)
	b.handle = r.Handle
	return b, err
}

func (b *jsBee) do(ctx context.Context, command string, args Args, result any) error {
	args["bee"] = b.handle
	return b.peer.Command(ctx, command, args, result)
}

// apply does the changes there.
func (b *jsBee) apply(ctx context.Context, batches [][]beeOp) error {
	return b.do(ctx, "bee.change", Args{"groups": batches}, nil)
}

// beeSequences is how many random sequences are played: 100, or what HYPERNODE_BEE_SEQUENCES says.
func beeSequences() int {
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_BEE_SEQUENCES")); err == nil && n > 0 {
		return n
	}
	return 100
}

// TestBeeBlocks plays random sequences of changes, as the model test of package bee does, and compares what a bee holds with a map.
// Every tenth is played in JavaScript too: all blocks are the same.
func TestBeeBlocks(t *testing.T) {
	peer := Start(t)
	base := rand.Uint64()
	for i := range beeSequences() {
		s := beeops.New(base + uint64(i))
		ok := t.Run(strconv.FormatUint(s.Seed, 10), func(t *testing.T) { playBee(t, peer, s, i%10 == 0) })
		if !ok {
			t.Fatalf("sequence %d, of seed %d", i, s.Seed)
		}
	}
}

// playBee plays a sequence here and, if asked to, in a JavaScript peer.
func playBee(t *testing.T, peer *Peer, s beeops.Sequence, both bool) {
	ctx, cancel := context.WithTimeout(t.Context(), cellDeadline)
	defer cancel()
	c := &cell{t: t, ctx: ctx}
	spec := Spec{Signer: keys.Seed{8}}
	ours := c.open(NewNode(t), spec)
	b, err := bee.OpenWith(ctx, Core(ours), bee.Options{SkipSame: s.SkipSame})
	c.must(err)
	defer b.Close()
	c.must(goBee(ctx, b, s.Groups))
	m := beeops.Map{}
	for _, group := range s.Groups {
		for i := range group {
			m.Apply(&group[i], s.SkipSame)
		}
	}
	for e, err := range b.Range(ctx, bee.Range{}) {
		c.must(err)
		if value, ok := m[string(e.Key)]; !ok || !bytes.Equal(value, e.Value) {
			t.Fatalf("%q is %q, want %q", e.Key, e.Value, value)
		}
		delete(m, string(e.Key))
	}
	if len(m) > 0 {
		t.Fatalf("the bee lacks %q", m)
	}
	if !both {
		return
	}
	theirs := c.open(peer.Store(t), spec)
	j, err := openJSBeeWith(ctx, peer, theirs, Args{"skipSame": s.SkipSame})
	c.must(err)
	c.must(j.apply(ctx, s.Groups))
	c.same(theirs, ours)
}

// TestBeeFromJS reads a bee of a JavaScript writer over the wire.
func TestBeeFromJS(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		node, store := NewNode(c.t), peers[0].Store(c.t)
		w := c.open(store, Spec{Name: "bee"})
		j, err := openJSBee(c.ctx, peers[0], w)
		c.must(err)
		batches := beeOps(rand.New(rand.NewPCG(7, 7)), 60)
		c.must(j.apply(c.ctx, batches[:40]))
		old := c.state(w).Length
		c.must(j.apply(c.ctx, batches[40:]))
		r := c.open(node, Spec{Key: c.state(w).Key})
		join(c.ctx, c.t, c.framing, node, store)
		c.must(r.Reach(c.ctx, 0, c.state(w).Length))
		b, err := bee.Open(c.ctx, Core(r))
		c.must(err)
		defer b.Close()
		c.entries(b, model(batches))
		c.entries(b.At(old), model(batches[:40]))
		c.differences(b, old, batches)
		var next *bee.Entry
		watched := make(chan error, 1)
		go func() { watched <- firstChange(c.ctx, b, []byte("key live"), &next) }()
		c.must(j.apply(c.ctx, [][]beeOp{{{Key: []byte("key live"), Value: []byte("now")}}}))
		c.must(<-watched)
		if string(next.Value) != "now" {
			c.t.Errorf("the watch told of %q", next.Value)
		}
	})
}

// firstChange waits until a key is there.
func firstChange(ctx context.Context, b *bee.Bee, key []byte, to **bee.Entry) error {
	for e, err := range b.WatchKey(ctx, key) {
		if err != nil || e != nil {
			*to = e
			return err
		}
	}
	return errors.New("the watch ended")
}

// entries fails unless a bee has what the model has, by key and in order.
func (c *cell) entries(b *bee.Bee, want map[string]string) {
	c.t.Helper()
	for i := range 80 {
		key := fmt.Sprintf("key %d", i)
		e, err := b.Get(c.ctx, []byte(key))
		value, ok := want[key]
		if ok != (err == nil) || !ok && !errors.Is(err, bee.ErrNotFound) || ok && string(e.Value) != value {
			c.t.Fatalf("%s is %q (%v), want %q", key, e.Value, err, value)
		}
	}
	sorted := slices.Sorted(maps.Keys(want))
	for e, err := range b.Range(c.ctx, bee.Range{}) {
		c.must(err)
		if len(sorted) == 0 || string(e.Key) != sorted[0] || string(e.Value) != want[sorted[0]] {
			c.t.Fatalf("the range has %s = %s, and is to go on with %v", e.Key, e.Value, sorted)
		}
		sorted = sorted[1:]
	}
	if len(sorted) > 0 {
		c.t.Fatalf("the range lacks %v", sorted)
	}
}

// differences fails unless the difference with an old version has all keys whose values differ.
func (c *cell) differences(b *bee.Bee, old uint64, batches [][]beeOp) {
	c.t.Helper()
	before, after := model(batches[:40]), model(batches)
	got := map[string]bool{}
	for d, err := range b.Diff(c.ctx, b.At(old), bee.Range{}) {
		c.must(err)
		for _, e := range []*bee.Entry{d.Left, d.Right} {
			if e != nil {
				got[string(e.Key)] = true
			}
		}
	}
	for i := range 80 {
		key := fmt.Sprintf("key %d", i)
		if (before[key] != after[key]) && !got[key] {
			c.t.Errorf("the difference lacks %s", key)
		}
	}
}

// TestBeeToJS has a JavaScript peer read a bee that is written here.
func TestBeeToJS(t *testing.T) {
	group(t, 1, func(c *cell, peers []*Peer) {
		node, store := NewNode(c.t), peers[0].Store(c.t)
		w := c.open(node, Spec{Name: "bee"})
		b, err := bee.Open(c.ctx, Core(w))
		c.must(err)
		defer b.Close()
		batches := beeOps(rand.New(rand.NewPCG(9, 9)), 60)
		c.must(goBee(c.ctx, b, batches[:40]))
		old := b.Version()
		c.must(goBee(c.ctx, b, batches[40:]))
		r := c.open(store, Spec{Key: c.state(w).Key})
		join(c.ctx, c.t, c.framing, store, node)
		c.must(r.Reach(c.ctx, 0, c.state(w).Length))
		j, err := openJSBee(c.ctx, peers[0], r)
		c.must(err)
		c.jsEntries(j, 0, model(batches))
		c.jsEntries(j, old, model(batches[:40]))
		var diff struct {
			Differences []struct{ Left, Right *bee.Entry }
		}
		c.must(j.do(c.ctx, "bee.diff", Args{"old": old}, &diff))
		n := 0
		for d, err := range b.Diff(c.ctx, b.At(old), bee.Range{}) {
			c.must(err)
			if n >= len(diff.Differences) || !sameEntry(d.Left, diff.Differences[n].Left) || !sameEntry(d.Right, diff.Differences[n].Right) {
				c.t.Fatalf("difference %d is %+v", n, d)
			}
			n++
		}
		if n != len(diff.Differences) {
			c.t.Errorf("%d differences there, %d here", len(diff.Differences), n)
		}
	})
}

func sameEntry(a, b *bee.Entry) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Seq == b.Seq && bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)
}

// jsEntries is entries for a bee there, of a version or of the newest.
func (c *cell) jsEntries(j *jsBee, version uint64, want map[string]string) {
	c.t.Helper()
	for i := range 80 {
		key := fmt.Sprintf("key %d", i)
		var r struct{ Entry *bee.Entry }
		c.must(j.do(c.ctx, "bee.get", Args{"key": []byte(key), "version": version}, &r))
		if value, ok := want[key]; ok != (r.Entry != nil) || ok && string(r.Entry.Value) != value {
			c.t.Fatalf("%s is %+v, want %q", key, r.Entry, value)
		}
	}
	var r struct{ Entries []bee.Entry }
	c.must(j.do(c.ctx, "bee.range", Args{"version": version}, &r))
	got := map[string]string{}
	for _, e := range r.Entries {
		got[string(e.Key)] = string(e.Value)
	}
	if !maps.Equal(got, want) || !slices.IsSortedFunc(r.Entries, func(a, b bee.Entry) int { return bytes.Compare(a.Key, b.Key) }) {
		c.t.Fatalf("the range is %v, want %v", got, want)
	}
}
